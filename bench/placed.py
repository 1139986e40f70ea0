"""Places and routes engines with their serial link on an ECP5 at a clock of choice.

`python bench/placed.py NAME` places one of the engines below, `--page` writes docs/placed.md of the
records alone. A board's own engine is `tombola build`'s; here the clock that is asked for is not
that of a board, and what was reached is recorded, met or not.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass, field, replace
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

Made by `python bench/placed.py` from [records/placed](records/placed): engines with rows of carry
chains ([mac-row.md](mac-row.md)), serial link and clock included, placed and routed with the clock
named as the aim, speed grade 6, one seed. Cells are `TRELLIS_COMB` as nextpnr packs them. No
bitstream of these has been on hardware.
"""
EVERYTHING = {
    "residual": True, "grouped": True, "packing": True, "fused_pooling": True, "planes": 3,
    "stored": True,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """An engine, its part, and the clock that is asked for."""

    part: str
    geometry: str
    aim_mhz: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> EngineConfig:
        """The part's own engine at another geometry, with 16 KiB of activations a pixel."""
        shape = EngineConfig.for_geometry(self.geometry)
        return replace(
            ENGINES[self.part].config, rows=shape.rows, lanes=shape.lanes, pixels=shape.pixels,
            activation_words=(1 << 14) // shape.lanes, unsigned_sums=True, **self.options,
        )  # fmt: skip

    @property
    def board(self) -> Board:
        """A ULX3S of that part at that clock."""
        hertz = self.aim_mhz * 1_000_000
        platform = clocked(ulx3s.PLATFORMS[self.part], clock_hz=hertz)
        own = BOARDS[f"ulx3s-{self.part.lower()}"]
        return replace(own, clock_hz=hertz, make_platform=platform, config=self.config)


CASES = {
    "25f-32x16": Case(
        part="25F", geometry="32x16", aim_mhz=110, options={"ticket_words": 4096}
    ),
    "25f-16x16x2-everything": Case(
        part="25F", geometry="16x16x2", aim_mhz=90, options=EVERYTHING
    ),
    "85f-32x16x4": Case(part="85F", geometry="32x16x4", aim_mhz=100),
    "85f-32x16x8": Case(part="85F", geometry="32x16x8", aim_mhz=100),
}


def place(case: Case, *, seed: int) -> dict[str, Any]:
    """What nextpnr says of it."""
    board = case.board
    tools = find_tools(board)
    flow = prepare(board, serial_engine(board, case.config))
    with tempfile.TemporaryDirectory() as name:
        run = FlowRun(board, flow, tools, Path(name), print)
        run.synthesise()
        report = run.place(seed)
    return {
        "part": case.part,
        "config": case.config.to_json(),
        "aim_mhz": case.aim_mhz,
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
        "asked for | also has |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for path in sorted(RECORDS.glob("*.json")):
        found = json.loads(path.read_text())
        config, room = EngineConfig(**found["config"]), found["capacity"]
        has = ", ".join(sorted(name.replace("_", " ") for name in config.features - {"pixels"}))
        used = " | ".join(f"{found[name]:,}" for name in ("ff", "block_ram", "dsp"))
        rows.append(
            f"| {config.geometry} | {found['part']} | {config.macs:,} | {found['lut4']:,} of "
            f"{room['lut4']:,} | {found['lut4'] / config.macs:.1f} | {used} | "
            f"{found['fmax_mhz']:g} | {found['aim_mhz']:g} | {has} |"
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
        found = place(CASES[name], seed=args.seed)
        RECORDS.mkdir(exist_ok=True)
        write_atomically(RECORDS / f"{name}.json", f"{json.dumps(found, indent=1)}\n".encode())
    write_atomically(TARGET, page().encode())


if __name__ == "__main__":
    main()
