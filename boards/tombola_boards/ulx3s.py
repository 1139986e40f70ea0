"""ULX3S with an ECP5-25F."""

from amaranth_boards.ulx3s import ULX3S_25F_Platform

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.clock import BoardClock, Ecp5Loop
from tombola_boards.pll import Ecp5Pll

CLOCK_HZ = 80_000_000


class Platform(ULX3S_25F_Platform):
    """The board with domain `sync` at `CLOCK_HZ`, from its 25 MHz crystal."""

    def create_missing_domain(self, name):
        if name != "sync":
            return super().create_missing_domain(name)
        pad = self.request(self.default_clk, dir="-")
        pll = Ecp5Pll.for_clock(input_hz=int(self.default_clk_frequency), output_hz=CLOCK_HZ)
        return BoardClock(Ecp5Loop(pad, pll=pll), clock_hz=CLOCK_HZ)


BOARD = Board(
    name="ulx3s-25f",
    title="ULX3S, Lattice ECP5 LFE5U-25F",
    family=Family.ECP5,
    make_platform=Platform,
    clock_hz=CLOCK_HZ,
    programmer=Programmer(
        tool="openFPGALoader",
        sram=("--board", "ulx3s"),
        flash=("--board", "ulx3s", "--write-flash"),
    ),
    cable="micro USB at US1: power, programming and the serial line",
    page="https://radiona.org/ulx3s/",
    leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
    # 56 block RAMs of 18 kbit.
    config=EngineConfig(
        rows=8,
        lanes=16,
        construction=16,
        accumulator_bits=24,
        weight_lines=512,
        activation_words=2048,
        ticket_words=8192,
        table_entries=512,
        result_words=64,
    ),
)
