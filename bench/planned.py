"""Engines that are planned for a ticket and then built, beside what the plan foretold.

Each case is a sample ticket and a board. The engine is the planner's choice, its bitstream is built
as `tombola build --plan` does it, and the same network with less and less frozen shows where the
planner refuses it. `--page` writes docs/planned.md of the records alone.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tombola.cli.bitstream import build
from tombola.compiler import compile_ticket
from tombola.compiler.area import ECP5
from tombola.compiler.plan_report import layer_table, memory_table
from tombola.compiler.planner import choose
from tombola.compiler.room import NoRoomError, Target
from tombola.spec.engine import EngineConfig
from tombola.spec.paths import write_atomically
from tombola.spec.ticket import Ticket
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample
from tombola_boards.board import Board
from tombola_boards.parts import target_of
from tombola_boards.registry import BOARDS

DOCS = Path(__file__).parents[1] / "docs"
RECORDS = DOCS / "records" / "planned"
TARGET = DOCS / "planned.md"
STEP = 1 / 256
"""Draws are bytes, so ratios are multiples of this."""
HEAD = """# Planned and built

Made by `python bench/planned.py` from [records/planned](records/planned) and
[records/area.json](records/area.json). Each engine is the planner's own choice for a sample ticket
on a board, and its bitstream was built as `tombola build --plan` does it; no bitstream has been on
hardware.
"""
AREA = """## Cells of engines

Estimated for counted. `python bench/area.py` synthesises these engines, each with its serial link,
and has nextpnr pack them; to what it counts it fits the factors of the model, and where the set
leaves them open they stay near what single cores take. So that these cells agree is no proof of the
model; the ECP5 boards in [benchmarks.md](benchmarks.md) and engines that were planned and built are
not among them. `construction` is the weights built a clock; what is not named is at its usual
value, with `unsigned_sums`.
"""
CELLS = {"lut4": "cells", "ff": "flip-flops", "block_ram": "block RAM", "dsp": "multipliers"}
BUILT = (
    *CELLS, "capacity", "fmax_mhz", "clock_mhz", "seed", "tools", "bitstream_sha256", "seconds"
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A sample and the board that it is planned for, at a clock in MHz that leaves it some room."""

    network: str
    frozen: float
    board: str
    clock_mhz: float

    @property
    def target(self) -> Target:
        """What the planner knows of the board."""
        return target_of(self.at_clock)

    @property
    def at_clock(self) -> Board:
        """The board."""
        return BOARDS[self.board].at_clock(round(self.clock_mhz * 1e6))

    @property
    def name(self) -> str:
        """Such as ``conv6-frozen70-colorlight-i9``."""
        return f"{self.network}-frozen{self.frozen * 100:.0f}-{self.board}"

    def ticket(self, frozen: float) -> Ticket:
        """The sample with so much of it frozen."""
        return sample(self.network, recipe=Recipe(frozen=frozen))


CASES = (Case("conv6", 0.7, "colorlight-i9", 70),)


def run(case: Case, *, seeds: int) -> dict[str, Any]:
    """The plan, the build and the refusals of a case."""
    target, ticket = case.target, case.ticket(case.frozen)
    choice = choose(ticket, target)
    built = build(case.at_clock, config=choice.config, seeds=seeds).document
    return {
        **vars(case),
        "config": choice.config.to_json(),
        "cycles": choice.cycles,
        "estimate": choice.area.to_json(),
        "memories": memory_table(ticket, choice.config, target),
        "layers": layer_table(compile_ticket(ticket, choice.config)),
        "built": {name: built[name] for name in BUILT},
        "refusals": refusals(case, target) + refusals(case, target, choice.config.geometry),
    }


def refusals(case: Case, target: Target, geometry: str | None = None) -> list[dict[str, Any]]:
    """What the planner says of nothing frozen, of just below the ratio it then names, and of that.

    Of any engine, or of those of one geometry alone.
    """
    nothing = _said(case, 0.0, target, geometry)
    ratio = nothing["frozen_to_fit"]
    return [nothing] + [_said(case, each, target, geometry) for each in (ratio - STEP, ratio)]


def _said(case: Case, frozen: float, target: Target, geometry: str | None) -> dict[str, Any]:
    asked = {"geometry": geometry, "frozen": frozen}
    try:
        choice = choose(case.ticket(frozen), target, geometry=geometry)
    except NoRoomError as refusal:
        return {
            **asked,
            "fits": False,
            "reason": str(refusal),
            "need_bits": refusal.need_bits,
            "have_bits": refusal.have_bits,
            "frozen_to_fit": refusal.frozen_to_fit,
        }
    return {**asked, "fits": True, "chosen": choice.config.geometry}


def page() -> str:
    """The whole page."""
    files = [RECORDS / f"{case.name}.json" for case in CASES]
    records = [json.loads(file.read_text()) for file in files if file.is_file()]
    return "\n".join([HEAD, *(_section(record) for record in records), AREA, _areas()])


def table(titles: list[str], rows: list[list[Any]]) -> str:
    """A table in Markdown; numbers with their thousands apart."""
    lines = [titles, ["---"] * len(titles), *([_shown(x) for x in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _off(estimate: float, found: float) -> str:
    return f"{100 * (estimate / found - 1):+.1f} %" if found else ""


def _section(record: dict[str, Any]) -> str:
    built, config = record["built"], EngineConfig(**record["config"])
    extras = ", ".join(sorted(x.replace("_", " ") for x in config.features))
    cells = [
        [title, record["estimate"][name], built[name], _off(record["estimate"][name], built[name]),
         built["capacity"][name]]
        for name, title in CELLS.items()
    ]  # fmt: skip
    memories = [
        [x["memory"], x["need_bits"], x["have_bits"], x["block_ram"]] for x in record["memories"]
    ]
    layers = [
        [f"{x['layer']} {x['op']}", "x".join(map(str, x["shape"])), x["cycles"], x["bound"]]
        for x in record["layers"]
    ]
    said = [
        [x["geometry"] or "any", f"{x['frozen']:.4f}",
         f"fits: {x['chosen']}" if x["fits"] else x["reason"]]
        for x in record["refusals"]
    ]  # fmt: skip
    seconds = ", ".join(
        f"{name.replace('_', ' and ')} {value:.0f} s" for name, value in built["seconds"].items()
    )
    fps = built["clock_mhz"] * 1e6 / record["cycles"]
    speed = (
        f"{record['cycles']:,} clocks an inference as estimated, {fps:.1f} a second at "
        f"{built['clock_mhz']:g} MHz; "
        f"the fastest clock is {built['fmax_mhz']:g} MHz."
    )
    return "\n".join(
        [
            f"## {record['network']}, {record['frozen']:.0%} frozen, on {record['board']}\n",
            f"The planner's choice is {config.geometry} ({config.macs} masked additions a clock), "
            f"{config.construction} weights built a clock, {config.weight_lines} lines of weights"
            f"{'; ' * bool(extras)}{extras}. {speed}\n",
            table(["", "estimated", "built", "off", "of"], cells),
            table(["memory", "need, bits", "have, bits", "block RAM"], memories),
            table(["layer", "output", "clocks", "bound by"], layers),
            "The same network with other parts of it frozen:\n",
            table(["geometry", "frozen", "the planner"], said),
            f"Seed {built['seed']}; {seconds}.\n",
        ]
    )


def _areas() -> str:
    rows = []
    for engine, used in json.loads((DOCS / "records" / "area.json").read_text()).items():
        estimate = ECP5.estimate(EngineConfig(**used["config"])).to_json()
        cells = [
            f"{estimate[name]:,} for {used[name]:,} ({_off(estimate[name], used[name])})"
            for name in ("lut4", "ff", "block_ram")
        ]
        rows.append([f"`{engine}`", *cells])
    return table(["engine", "cells", "flip-flops", "block RAM"], rows)


def main() -> None:
    """Builds what is named, or all, and writes records and page."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="CASE", help="such as those of the records")
    parser.add_argument("--seeds", type=int, default=1, help="placements to try; default 1")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    args = parser.parse_args()
    for case in () if args.page else CASES:
        if not args.names or case.name in args.names:
            found = run(case, seeds=args.seeds)
            write_atomically(
                RECORDS / f"{case.name}.json", f"{json.dumps(found, indent=1)}\n".encode()
            )
            sys.stdout.write(f"{case.name}: {found['built']['fmax_mhz']} MHz\n")
    write_atomically(TARGET, page().encode())


if __name__ == "__main__":
    main()
