"""ULX3S with an ECP5 of any of its four sizes."""

from amaranth_boards import ulx3s

from tombola_boards.board import Board, Family, Programmer
from tombola_boards.ecp5 import clocked
from tombola_boards.ecp5_engines import CLOCK_HZ, ENGINE_25F, ENGINE_45F, ENGINE_85F

SIZES = {
    "12F": (ulx3s.ULX3S_12F_Platform, ENGINE_25F),
    "25F": (ulx3s.ULX3S_25F_Platform, ENGINE_25F),
    "45F": (ulx3s.ULX3S_45F_Platform, ENGINE_45F),
    "85F": (ulx3s.ULX3S_85F_Platform, ENGINE_85F),
}

BOARDS = tuple(
    Board(
        name=f"ulx3s-{size.lower()}",
        title=f"ULX3S, Lattice ECP5 LFE5U-{size}",
        family=Family.ECP5,
        make_platform=clocked(platform, clock_hz=CLOCK_HZ),
        clock_hz=CLOCK_HZ,
        programmer=Programmer(
            tool="openFPGALoader",
            sram=("--board", "ulx3s"),
            flash=("--board", "ulx3s", "--write-flash"),
        ),
        cable="micro USB at US1: power, programming and the serial line",
        page="https://radiona.org/ulx3s/",
        leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
        config=config,
    )
    for size, (platform, config) in SIZES.items()
)
