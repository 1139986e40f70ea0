"""What place and route said: cells used, cells there are, and the fastest clock."""

import json
import re
from collections import Counter
from dataclasses import dataclass

from tombola.spec.errors import ToolError
from tombola_boards.board import Family

CELLS = {
    Family.ICE40: {
        "lut4": "ICESTORM_LC",
        "block_ram": "ICESTORM_RAM",
        "dsp": "ICESTORM_DSP",
        "spram": "ICESTORM_SPRAM",
    },
    Family.ECP5: {
        "lut4": "TRELLIS_COMB",
        "ff": "TRELLIS_FF",
        "block_ram": "DP16KD",
        "dsp": "MULT18X18D",
    },
    Family.GOWIN: {
        "lut4": "LUT4",
        "ff": "DFF",
        "block_ram": "BSRAM",
        "dsp": "MULT18X18",
    },
}
"""Our name of a resource to nextpnr's name of the packed cell. An iCE40 logic cell is a LUT4 and
a flip-flop and counts as used if either is."""
ADDER = {Family.GOWIN: "ALU"}
"""Cells that take the place of a LUT4 and are counted apart."""
RESOURCES = ("lut4", "ff", "block_ram", "dsp", "spram")
SCARCE = ("dsp", "spram")
"""Not every part of a family has them, and nextpnr lists what a part has."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Figures of one placed and routed design.

    Attributes
    ----------
    used, capacity : dict of str to int
        Cells per name of `RESOURCES`.
    fmax_mhz : float
        Of the slowest clock.
    slowest_path : str
        Where the longest path between registers starts and ends.
    short_paths : int
        Paths that end before their hold time; such a design fails at any clock.
    """

    used: dict[str, int]
    capacity: dict[str, int]
    fmax_mhz: float
    slowest_path: str
    short_paths: int = 0

    def meets(self, clock_mhz: float) -> bool:
        """Whether the design runs at that clock."""
        return self.fmax_mhz >= clock_mhz and self.short_paths == 0


def parse_report(text: str, *, family: Family, flip_flops: int = 0, log: str = "") -> Report:
    """Reads nextpnr's ``--report`` and, for what that leaves out, its messages.

    Parameters
    ----------
    text : str
        JSON.
    family : Family
    flip_flops : int
        Used where nextpnr does not count them apart; see `count_flip_flops`.
    log : str
        For hold times, which only the messages tell of.

    Raises
    ------
    ToolError
        If it is not such a report or holds no clock.
    """
    try:
        content = json.loads(text)
        cells = content["utilization"]
        found = {
            name: cells[cell]
            for name, cell in CELLS[family].items()
            if cell in cells or name not in SCARCE
        }
        used = {name: int(cell["used"]) for name, cell in found.items()}
        capacity = {name: int(cell["available"]) for name, cell in found.items()}
        if family in ADDER:
            used["lut4"] += int(cells[ADDER[family]]["used"])
        achieved = [float(clock["achieved"]) for clock in content["fmax"].values()]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"report of nextpnr is unreadable: {error!r}") from None
    if not achieved:
        raise ToolError("report of nextpnr holds no clock")
    if "ff" not in used:
        used["ff"], capacity["ff"] = flip_flops, capacity["lut4"]
    return Report(
        used={name: used.get(name, 0) for name in RESOURCES},
        capacity={name: capacity.get(name, 0) for name in RESOURCES},
        fmax_mhz=round(min(achieved), 2),
        slowest_path=_slowest_path(content.get("critical_paths", [])),
        short_paths=count_short_paths(log),
    )


def count_short_paths(log: str) -> int:
    """Hold violations in nextpnr's messages: their number, of which it shows ten at most."""
    totals = [int(total) for total in re.findall(r"(\d+) Hold(?:/min)? time violations?", log)]
    shown = len(re.findall(r"Hold(?:/min)? time violation for", log))
    return max([shown, *totals])


def packed(log: str, *, family: Family) -> dict[str, tuple[int, int]]:
    """Cells used and cells there are by resource, as nextpnr tells once it has packed a design."""
    lines = re.findall(r"(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", log)
    cells = {cell: (int(used), int(capacity)) for cell, used, capacity in lines}
    return {name: cells[cell] for name, cell in CELLS[family].items() if cell in cells}


def overfull(log: str, *, family: Family) -> list[str]:
    """What a design has too much of, from nextpnr's messages: ``lut4 at most 5280, not 6185``."""
    return [
        f"{name} at most {capacity}, not {used}"
        for name, (used, capacity) in packed(log, family=family).items()
        if used > capacity
    ]


def count_flip_flops(netlist: str) -> int:
    """Flip-flops of an iCE40 netlist in Yosys's JSON."""
    modules = json.loads(netlist)["modules"].values()
    types = Counter(cell["type"] for module in modules for cell in module["cells"].values())
    return sum(count for kind, count in types.items() if kind.startswith("SB_DFF"))


def _slowest_path(paths: list[dict]) -> str:
    """``FROM to TO, N ns`` of the longest path that starts and ends in the same clock."""
    inner = [path for path in paths if path["from"] == path["to"] and path["path"]]
    if not inner:
        return ""
    delay, path = max(
        ((sum(step["delay"] for step in path["path"]), path["path"]) for path in inner),
        key=lambda pair: pair[0],
    )
    start, end = path[0]["from"]["cell"], path[-1]["to"]["cell"]
    return f"{start} to {end}, {delay:.1f} ns"
