"""Lattice's iCE40-HX8K breakout board: no multiplier blocks and no large RAM."""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.clock import BoardClock, Ice40Loop
from tombola_boards.pll import Ice40Pll

CLOCK_HZ = 48_000_000


class Platform(ICE40HX8KBEVNPlatform):
    """The board with domain `sync` at `CLOCK_HZ`, from its 12 MHz clock."""

    def create_missing_domain(self, name):
        if name != "sync":
            return super().create_missing_domain(name)
        pad = self.request(self.default_clk, dir="-")
        pll = Ice40Pll.for_clock(input_hz=int(self.default_clk_frequency), output_hz=CLOCK_HZ)
        # The clock comes in at a pin that is not the loop's own.
        return BoardClock(Ice40Loop(pad, pll=pll, own_pad=False), clock_hz=CLOCK_HZ)


BOARD = Board(
    name="ice40-hx8k",
    title="iCE40HX8K-B-EVN, Lattice iCE40 HX8K",
    family=Family.ICE40,
    make_platform=Platform,
    clock_hz=CLOCK_HZ,
    programmer=Programmer(tool="iceprog", sram=("-S",), flash=()),
    cable="mini USB: power, programming and the serial line",
    page="https://www.latticesemi.com/Products/DevelopmentBoardsAndKits/iCE40HX8KBreakoutBoard.aspx",
    remark="jumpers choose between SRAM and flash: see the board's user manual",
    leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
    # 32 block RAMs of 4 kbit: 8 each for activations and ticket, 4 each for weights and table.
    config=EngineConfig(
        rows=8,
        lanes=4,
        construction=2,
        accumulator_bits=20,
        weight_lines=256,
        activation_words=1024,
        ticket_words=1024,
        table_entries=256,
        result_words=16,
        count_bits=10,
        compact=True,
    ),
)
