"""What the part on a board has, and how an engine maps to it."""

from dataclasses import dataclass, replace

from tombola.compiler.area import ECP5, GOWIN, HX8K, UP5K, Area, AreaModel
from tombola.compiler.room import Target
from tombola_boards.board import Board, Family


@dataclass(frozen=True, kw_only=True)
class Part:
    """One FPGA.

    Parameters
    ----------
    name : str
    capacity : Area
        Cells that there are, as nextpnr counts them.
    model : AreaModel
    """

    name: str
    capacity: Area
    model: AreaModel


def _ecp5(size: str, lut4: int, ram: int, dsp: int) -> Part:
    capacity = Area(lut4=lut4, ff=lut4, block_ram=ram, dsp=dsp, spram=0)
    return Part(name=f"LFE5U-{size}", capacity=capacity, model=ECP5)


# By what the platform of a board calls the part.
_PARTS = {
    # The die of a 25F, and the tools let all of it be used.
    "LFE5U-12F": _ecp5("12F", 24288, 56, 28),
    "LFE5U-25F": _ecp5("25F", 24288, 56, 28),
    "LFE5U-45F": _ecp5("45F", 43848, 108, 72),
    "LFE5U-85F": _ecp5("85F", 83640, 208, 156),
    "iCE40UP5K": Part(
        name="iCE40 UP5K",
        capacity=Area(lut4=5280, ff=5280, block_ram=30, dsp=8, spram=4),
        model=UP5K,
    ),
    "iCE40HX8K": Part(
        name="iCE40 HX8K",
        capacity=Area(lut4=7680, ff=7680, block_ram=32, dsp=0, spram=0),
        model=HX8K,
    ),
    "GW1NR-LV9QN88PC6/I5": Part(
        name="GW1NR-9",
        capacity=Area(lut4=8640, ff=6480, block_ram=26, dsp=20, spram=0),
        model=GOWIN,
    ),
    "GW2AR-LV18QN88C8/I7": Part(
        name="GW2AR-18",
        capacity=Area(lut4=20736, ff=15552, block_ram=46, dsp=48, spram=0),
        model=GOWIN,
    ),
}


def part_of(board: Board) -> Part:
    """The part on a board."""
    platform = board.make_platform()
    return _PARTS[getattr(platform, "device", None) or platform.part]


def target_of(board: Board) -> Target:
    """What the planner has to know of a board; on an ECP5 it plans with its carry chains."""
    part = part_of(board)
    chained = board.family is Family.ECP5
    return Target(
        name=board.name,
        base=replace(board.config, unsigned_sums=chained),
        capacity=part.capacity,
        model=part.model,
        clock_hz=board.clock_hz,
    )
