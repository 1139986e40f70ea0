"""Colorlight i5 and i9: ECP5 modules in Muse Lab's extension board, which carries the USB."""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import LEDResources, UARTResource

from tombola_boards.board import Board, Family, Programmer
from tombola_boards.ecp5 import clocked
from tombola_boards.ecp5_engines import ENGINES

PAGE = "https://github.com/wuxx/Colorlight-FPGA-Projects"


def _resources(led: str) -> list[Resource]:
    """Pins as in the tables of `PAGE`; the serial line as in LiteX-Boards' colorlight_i5.py."""
    return [
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
        UARTResource(0, rx="H18", tx="J17", attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")),
        *LEDResources(pins=led, invert=True, attrs=Attrs(IO_TYPE="LVCMOS33", DRIVE="4")),
    ]


class Module(LatticeECP5Platform):
    """What both modules have in common."""

    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    connectors = []


class I5(Module):
    """Module i5, version 7.0."""

    device = "LFE5U-25F"
    resources = _resources(led="U16")


class I9(Module):
    """Module i9, version 7.2."""

    device = "LFE5U-45F"
    resources = _resources(led="L2")


BOARDS = tuple(
    Board(
        name=f"colorlight-{name}",
        title=f"Colorlight {name} in Muse Lab's extension board, Lattice ECP5 LFE5U-{size}",
        family=Family.ECP5,
        make_platform=clocked(module, clock_hz=ENGINES[size].clock_hz),
        clock_hz=ENGINES[size].clock_hz,
        programmer=Programmer(
            tool="openFPGALoader",
            sram=("--board", f"colorlight-{name}"),
            flash=("--board", f"colorlight-{name}", "--unprotect-flash", "--write-flash"),
        ),
        cable="USB of the extension board: power, programming and the serial line",
        page=PAGE,
        # What the extension board's DAPLink is commonly run at.
        baud=115_200,
        leds={"ready": ("led", 0)},
        config=ENGINES[size].config,
    )
    for name, module, size in (("i5", I5, "25F"), ("i9", I9, "45F"))
)
