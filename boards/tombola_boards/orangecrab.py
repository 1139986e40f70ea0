"""OrangeCrab r0.2 with an ECP5-25F or -85F; its USB is the FPGA's own and carries no serial line.
"""

from amaranth.build import Attrs, PinsN, Resource
from amaranth_boards import orangecrab_r0_2
from amaranth_boards.resources import UARTResource

from tombola_boards.board import Board, Family, Programmer
from tombola_boards.ecp5 import clocked
from tombola_boards.ecp5_engines import ENGINES

OURS = [
    # Pins 0 and 1 of the feather's header are its serial line.
    UARTResource(
        0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
    ),
    Resource("led_r", 0, PinsN("K4", dir="o"), Attrs(IO_TYPE="LVCMOS33")),
    Resource("led_g", 0, PinsN("M3", dir="o"), Attrs(IO_TYPE="LVCMOS33")),
    Resource("led_b", 0, PinsN("J3", dir="o"), Attrs(IO_TYPE="LVCMOS33")),
]


class With25F(orangecrab_r0_2.OrangeCrabR0_2_25FPlatform):
    """The board with the smaller part."""

    resources = orangecrab_r0_2.OrangeCrabR0_2_25FPlatform.resources + OURS


class With85F(orangecrab_r0_2.OrangeCrabR0_2_85FPlatform):
    """The board with the larger part."""

    resources = orangecrab_r0_2.OrangeCrabR0_2_85FPlatform.resources + OURS


REMARK = "hold the button while you plug it in: the bootloader waits for the bitstream"
# https://github.com/samblenny/ocfpga, on what boards were delivered with.
LARGE = (
    "; the bootloader of 2021 is said to refuse a bitstream larger than a 25F's, and then it takes "
    "a newer one, or a JTAG adapter"
)

BOARDS = tuple(
    Board(
        name=f"orangecrab-{size.lower()}",
        title=f"OrangeCrab r0.2, Lattice ECP5 LFE5U-{size}",
        family=Family.ECP5,
        make_platform=clocked(platform, clock_hz=ENGINES[size].clock_hz),
        clock_hz=ENGINES[size].clock_hz,
        # The bootloader writes flash and starts the bitstream from there.
        programmer=Programmer(tool="openFPGALoader", flash=("--board", "orangeCrab")),
        cable="USB-C: power and programming",
        page="https://orangecrab-fpga.github.io/orangecrab-hardware/",
        adapter="USB serial adapter of 3.3 V: its TX to pin 0, its RX to pin 1, GND to GND",
        remark=remark,
        leds={"ready": ("led_g", 0), "busy": ("led_b", 0), "error": ("led_r", 0)},
        config=ENGINES[size].config,
    )
    for size, platform, remark in (("25F", With25F, REMARK), ("85F", With85F, REMARK + LARGE))
)
