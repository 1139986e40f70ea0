"""iCEBreaker: an iCE40 UP5K with 128 KiB of single-port RAM for activations."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.clock import BoardClock, Ice40Loop
from tombola_boards.pll import Ice40Pll

CLOCK_HZ = 24_000_000


class Platform(ICEBreakerPlatform):
    """The board with domain `sync` at `CLOCK_HZ`, from its 12 MHz crystal."""

    def create_missing_domain(self, name):
        if name != "sync":
            return super().create_missing_domain(name)
        pad = self.request(self.default_clk, dir="-")
        pll = Ice40Pll.for_clock(input_hz=int(self.default_clk_frequency), output_hz=CLOCK_HZ)
        return BoardClock(Ice40Loop(pad, pll=pll), clock_hz=CLOCK_HZ)


BOARD = Board(
    name="icebreaker",
    title="iCEBreaker, Lattice iCE40 UP5K",
    family=Family.ICE40,
    make_platform=Platform,
    clock_hz=CLOCK_HZ,
    spram=True,
    programmer=Programmer(tool="iceprog", flash=()),
    cable="micro USB: power, programming and the serial line",
    page="https://github.com/icebreaker-fpga/icebreaker",
    leds={"ready": ("led_g", 0), "error": ("led_r", 0)},
    # 30 block RAMs of 4 kbit, 4 single-port RAMs of 256 kbit.
    config=EngineConfig(
        rows=16,
        lanes=4,
        construction=2,
        accumulator_bits=20,
        weight_lines=256,
        activation_words=32768,
        activation_banks=2,
        ticket_words=1024,
        table_entries=256,
        result_words=16,
        count_bits=10,
        compact=True,
    ),
)
