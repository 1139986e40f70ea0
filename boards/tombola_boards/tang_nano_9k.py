"""Tang Nano 9K: a Gowin GW1NR-9 with a serial port over USB."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.clock import BoardClock, GowinLoop
from tombola_boards.pll import GowinPll

CLOCK_HZ = 27_000_000


class Platform(TangNano9kPlatform):
    """The board with domain `sync` at `CLOCK_HZ`, from its 27 MHz crystal."""

    def create_missing_domain(self, name):
        if name != "sync":
            return super().create_missing_domain(name)
        pad = self.request(self.default_clk, dir="-")
        input_hz = int(self.default_clk_frequency)
        pll = GowinPll.for_clock(input_hz=input_hz, output_hz=CLOCK_HZ, die=self._chipdb_device)
        return BoardClock(GowinLoop(pad, input_hz=input_hz, pll=pll), clock_hz=CLOCK_HZ)


BOARD = Board(
    name="tang-nano-9k",
    title="Tang Nano 9K, Gowin GW1NR-9",
    family=Family.GOWIN,
    make_platform=Platform,
    clock_hz=CLOCK_HZ,
    programmer=Programmer(
        tool="openFPGALoader",
        sram=("--board", "tangnano9k"),
        flash=("--board", "tangnano9k", "--write-flash"),
    ),
    cable="USB-C: power, programming and the serial line",
    page="https://wiki.sipeed.com/hardware/en/tang/Tang-Nano-9K/Nano-9K.html",
    leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
    # 26 block RAMs of 18 kbit.
    config=EngineConfig(
        rows=8,
        lanes=8,
        construction=4,
        accumulator_bits=20,
        weight_lines=1024,
        activation_words=2048,
        ticket_words=2048,
        table_entries=512,
        result_words=16,
        count_bits=10,
        compact=True,
    ),
)
