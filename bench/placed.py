"""Places and routes engines with their serial link at a clock of choice.

`python bench/placed.py NAME` places one of the engines below, `--page` writes docs/placed.md of the
records alone. A board's own engine is `tombola build`'s; here the clock that is asked for is not
that of a board, and what was reached is recorded, met or not.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from tombola.spec.engine import EngineConfig
from tombola.spec.paths import write_atomically
from tombola_boards import ulx3s
from tombola_boards.board import Board
from tombola_boards.build import find_tools, prepare
from tombola_boards.ecp5 import clocked
from tombola_boards.ecp5_engines import ENGINES
from tombola_boards.flow_run import FlowRun
from tombola_boards.registry import BOARDS
from tombola_boards.top import serial_engine

DOCS = Path(__file__).parents[1] / "docs"
RECORDS, TARGET = DOCS / "records" / "placed", DOCS / "placed.md"
HEAD = """# Engines placed at a clock of choice

Made by `python bench/placed.py` from [records/placed](records/placed): engines with serial link and
clock, placed and routed with the clock named as the aim, from the seed named. On an ECP5, of speed
grade 6, rows are carry chains ([mac-row.md](mac-row.md)). Cells are as nextpnr packs them:
`TRELLIS_COMB` there, logic cells of an iCE40. No bitstream of these has been on hardware.
"""
EVERYTHING = {
    "residual": True, "grouped": True, "packing": True, "fused_pooling": True, "planes": 3,
    "stored": True,
}  # fmt: skip


def ecp5(part: str, geometry: str, aim_mhz: int, **options: Any) -> Board:
    """A ULX3S with the part's own engine at another geometry and clock, and 16 KiB of activations a
    pixel."""
    name = f"ulx3s-{part.lower()}"
    hertz = aim_mhz * 1_000_000
    shape = EngineConfig.for_geometry(geometry)
    config = replace(
        ENGINES[part].config, rows=shape.rows, lanes=shape.lanes, pixels=shape.pixels,
        activation_words=(1 << 14) // shape.lanes, unsigned_sums=True, **options,
    )  # fmt: skip
    platform = clocked(ulx3s.PLATFORMS[part], clock_hz=hertz)
    return replace(BOARDS[name], clock_hz=hertz, make_platform=platform, config=config)


def up5k(rows: int) -> Board:
    """An iCEBreaker with more rows, for networks of at most 256 weights a channel: three multiplier
    blocks requantise, five hold the layer in force."""
    board = BOARDS["icebreaker"]
    config = replace(
        board.config, rows=rows, accumulator_bits=16, count_bits=8, short_totals=True
    )
    return replace(board, layer_dsps=5, config=config)


CASES = {
    "25f-32x16": ecp5("25F", "32x16", 110, ticket_words=4096),
    "25f-16x16x2-everything": ecp5("25F", "16x16x2", 90, **EVERYTHING),
    "85f-32x16x4": ecp5("85F", "32x16x4", 100),
    "85f-32x16x8": ecp5("85F", "32x16x8", 100),
    "up5k-24x4": up5k(24),
}


def place(part: str, board: Board, *, seed: int) -> dict[str, Any]:
    """What nextpnr says of it."""
    tools = find_tools(board)
    flow = prepare(board, serial_engine(board, board.config))
    with tempfile.TemporaryDirectory() as name:
        run = FlowRun(board, flow, tools, Path(name), print)
        run.synthesise()
        report = run.place(seed)
    return {
        "part": part,
        "config": board.config.to_json(),
        "aim_mhz": board.clock_mhz,
        "fmax_mhz": report.fmax_mhz,
        **report.used,
        "capacity": report.capacity,
        "seed": seed,
        "seconds": {stage: round(value) for stage, value in run.seconds.items()},
        "tools": {name: tool.version_text for name, tool in tools.items()},
    }


def page() -> str:
    """A row for each record."""
    rows = [
        "| engine | on | MACs | cells | a MAC | flip-flops | block RAM | multipliers | MHz | "
        "asked for | seed | also has |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for path in sorted(RECORDS.glob("*.json")):
        found = json.loads(path.read_text())
        config, room = EngineConfig(**found["config"]), found["capacity"]
        has = ", ".join(sorted(name.replace("_", " ") for name in config.features - {"pixels"}))
        used = " | ".join(f"{found[name]:,}" for name in ("ff", "block_ram", "dsp"))
        rows.append(
            f"| {config.geometry} | {found['part']} | {config.macs:,} | {found['lut4']:,} of "
            f"{room['lut4']:,} | {found['lut4'] / config.macs:.1f} | {used} | "
            f"{found['fmax_mhz']:g} | {found['aim_mhz']:g} | {found['seed']} | {has} |"
        )
    return "\n".join([HEAD, *rows, ""])


def main() -> None:
    """Places what is named and writes its record, then the page."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", choices=[*CASES, []], metavar="NAME",
                        help=f"of {', '.join(CASES)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write the page alone")
    args = parser.parse_args()
    for name in [] if args.page else args.names:
        found = place(name.split("-")[0].upper(), CASES[name], seed=args.seed)
        RECORDS.mkdir(exist_ok=True)
        write_atomically(RECORDS / f"{name}.json", f"{json.dumps(found, indent=1)}\n".encode())
    write_atomically(TARGET, page().encode())


if __name__ == "__main__":
    main()
