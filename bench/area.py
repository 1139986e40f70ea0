"""Cells of a set of ECP5 engines, synthesised and packed, and the area model's factors from them.

Each engine is what a board holds, serial link and all but its clock. What was measured before is
not measured again; `--again` does, after the hardware has changed. The factors go to the file that
`tombola.compiler.area` reads.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import rtlil

from tombola.compiler import area
from tombola.compiler.area import ECP5
from tombola.spec.engine import EngineConfig
from tombola.spec.paths import write_atomically
from tombola_boards.board import Family
from tombola_boards.ecp5_netlist import open_carries
from tombola_boards.flow import without_collisions
from tombola_boards.registry import BOARDS
from tombola_boards.report import packed
from tombola_boards.tools import find_tool
from tombola_boards.top import serial_engine

RECORD = Path(__file__).parents[1] / "docs" / "records" / "area.json"
FACTORS = Path(area.__file__).with_name(area.FACTORS_FILE)
USUAL = {
    "lut4": {
        "base": 3400, "mac": 24, "chained": 12, "row": 30, "lane": 70, "channel": 24,
        "construction": 60, "construction squared": 0.5, "pixel": 450, "turn": 8,
        "multiplexed": 0.7, "plane": 80, "planes": 300, "planes row": 15, "stored": 100,
        "stored construction": 5, "residual": 300, "residual lane": 10, "grouped": 100,
        "grouped lane": 15, "packing": 20, "packing lane": 1, "fused_pooling": 350,
        "fused_pooling pixel": 60,
    },
    "ff": {
        "base": 2000, "mac": 18, "chained": 7, "delay": 1, "row": 35, "lane": 70, "channel": 20,
        "construction": 30, "construction squared": 0.1, "pixel": 250, "turn": 8, "plane": 60,
        "planes": 200, "planes row": 15, "stored": 60, "stored construction": 2, "residual": 150,
        "residual lane": 8, "grouped": 40, "grouped lane": 5, "packing": 5, "packing lane": 0.5,
        "fused_pooling": 300, "fused_pooling pixel": 40,
    },
    "dsp": {"base": 2, "pixel": 2, "residual": 1, "residual pixel": 1},
}  # fmt: skip
"""What single cores take, roughly: the model's terms, each where it takes any cells."""
NOISE, NOISE_MORE = 0.02, 0.005
"""Spread of what synthesis makes of an engine, and of what a parameter more adds to that."""
UNSURE, SURE = 0.3, {"chained": 0.03}
"""Spread of `USUAL`; `bench/mac_row.py` tells better what a row takes."""
BOARD = BOARDS["ulx3s-85f"]
"""The largest ECP5: any engine of the set fits, and the smaller ones have the same cells."""
FEATURES = (
    "planes=2", "planes=3", "planes=3 stored", "residual", "grouped", "packing", "fused_pooling",
)  # fmt: skip
ENGINES = (
    "4x8 construction=8", *(f"8x8 construction={width}" for width in (4, 8, 16, 32)),
    "16x8 construction=8", "8x16 construction=16", "4x32 construction=16",
    "16x16 construction=16", "8x8x2 construction=8", "8x8x4 construction=8",
    "4x8x2 construction=8", "16x16x2 construction=16", "8x8 construction=8 ticket_words=22528",
    *(f"8x8 construction=8 {feature}" for feature in FEATURES),
    *(f"4x8x2 construction=8 {feature}" for feature in FEATURES),
    "8x8 construction=8 unsigned_sums=0",
)  # fmt: skip
"""Geometry and parameters; a feature by its name alone is True."""


def config_of(engine: str) -> EngineConfig:
    """The parameters of an engine of the set."""
    geometry, *words = engine.split()
    pairs = (word.partition("=") for word in words)
    given: dict[str, Any] = {name: int(value) if value else True for name, _, value in pairs}
    sizes = {"unsigned_sums": True, "activation_words": 2048, "ticket_words": 4096, **given}
    sizes["unsigned_sums"] = bool(sizes["unsigned_sums"])
    return EngineConfig.for_geometry(geometry, **sizes)


def measure(config: EngineConfig) -> dict[str, int]:
    """Packed cells of an engine with its serial link."""
    text = rtlil.convert(serial_engine(BOARD, config), name="top", emit_src=False)
    yosys, nextpnr = find_tool("yosys").argv, find_tool("nextpnr-ecp5").argv
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.il").write_text(without_collisions(text))
        script = "read_rtlil top.il; synth_ecp5 -top top; write_json top.json"
        subprocess.run([*yosys, "-q", "-p", script], cwd=folder, check=True)
        netlist = folder / "top.json"
        netlist.write_text(open_carries(netlist.read_text(), top="top"))
        subprocess.run(
            [*nextpnr, "--85k", "--package", "CABGA381", "--json", "top.json", "--quiet",
             "--log", "pack.log", "--lpf-allow-unconstrained", "--pack-only"],
            cwd=folder, check=True,
        )  # fmt: skip
        cells = packed((folder / "pack.log").read_text(), family=Family.ECP5)
        return {name: used for name, (used, _) in cells.items()}


def fit(found: dict[str, dict[str, Any]], resource: str) -> dict[str, float]:
    """Factors by least squares: near what was counted, and near `USUAL` where that is open.

    An engine that is another one of the set with one parameter more counts by what that adds.
    """
    usual = USUAL[resource]
    rows, cells, weights = [], [], []
    for engine, used in found.items():
        counts, cell = _quantities(used), used[resource]
        less = engine.rpartition(" ")[0]
        if less in found:
            before = _quantities(found[less])
            counts = {name: counts[name] - before[name] for name in counts}
            cell -= found[less][resource]
        rows.append([counts[name] for name in usual])
        cells.append(cell)
        weights.append(1 / ((NOISE if less not in found else NOISE_MORE) * used[resource]))
    for name, factor in usual.items():
        rows.append([float(name == other) for other in usual])
        cells.append(factor)
        weights.append(1 / (SURE.get(name, UNSURE) * factor))
    scale = np.array(weights)
    factors, *_ = np.linalg.lstsq(
        np.array(rows, float) * scale[:, None], np.array(cells) * scale, rcond=None
    )
    return {name: round(float(x), 2) for name, x in zip(usual, factors, strict=True)}


def _recorded() -> dict[str, dict[str, Any]]:
    return json.loads(RECORD.read_text()) if RECORD.is_file() else {}


def _quantities(used: dict[str, Any]) -> dict[str, int]:
    return ECP5.quantities(EngineConfig(**used["config"]))


def main() -> None:
    """Measures what is missing, then writes the factors."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="such as '8x8 residual'; all")
    parser.add_argument("--again", action="store_true", help="also what was measured before")
    args = parser.parse_args()
    found = _recorded()
    for engine in args.engines or ENGINES:
        if engine not in found or args.again:
            config = config_of(engine)
            used = {"config": config.to_json(), **measure(config)}
            found = {**_recorded(), engine: used}  # another run may go on beside this one
            write_atomically(RECORD, f"{json.dumps(found, indent=1)}\n".encode())
            sys.stdout.write(f"{engine}: {used['lut4']} cells, {used['ff']} flip-flops\n")
            sys.stdout.flush()
    factors = {resource: fit(found, resource) for resource in USUAL}
    write_atomically(FACTORS, f"{json.dumps(factors, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
