"""ULX3S with an ECP5 of any of its four sizes."""

from amaranth_boards import ulx3s

from tombola_boards.board import Board, Family, Programmer
from tombola_boards.ecp5 import clocked
from tombola_boards.ecp5_engines import ENGINES

PLATFORMS = {
    "12F": ulx3s.ULX3S_12F_Platform,
    "25F": ulx3s.ULX3S_25F_Platform,
    "45F": ulx3s.ULX3S_45F_Platform,
    "85F": ulx3s.ULX3S_85F_Platform,
}

BOARDS = tuple(
    Board(
        name=f"ulx3s-{size.lower()}",
        title=f"ULX3S, Lattice ECP5 LFE5U-{size}",
        family=Family.ECP5,
        make_platform=clocked(platform, clock_hz=ENGINES[size].clock_hz),
        clock_hz=ENGINES[size].clock_hz,
        programmer=Programmer(
            tool="openFPGALoader",
            sram=("--board", "ulx3s"),
            flash=("--board", "ulx3s", "--write-flash"),
        ),
        cable="USB at US1: power, programming and the serial line",
        page="https://radiona.org/ulx3s/",
        leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
        config=ENGINES[size].config,
    )
    for size, platform in PLATFORMS.items()
)
