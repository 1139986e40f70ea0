"""Tang Nano 20K: a Gowin GW2AR-18 with a serial port over USB."""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import GowinPlatform
from amaranth_boards.resources import LEDResources, UARTResource

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Board, Family, Programmer
from tombola_boards.clock import BoardClock, GowinLoop
from tombola_boards.pll import GowinPll

CLOCK_HZ = 54_000_000
LEVEL = Attrs(IO_TYPE="LVCMOS33")


class Platform(GowinPlatform):
    """The board with domain `sync` at `CLOCK_HZ`, from its 27 MHz crystal.

    Pins are those of Sipeed's examples for it (github.com/sipeed/TangNano-20K-example: `uart`,
    `led`), of which only the ones we use are here.
    """

    part = "GW2AR-LV18QN88C8/I7"
    family = "GW2AR-18C"
    default_clk = "clk27"
    resources = [
        Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), LEVEL),
        UARTResource(0, rx="70", tx="69", attrs=LEVEL),
        *LEDResources(pins="15 16 17 18 19 20", invert=True, attrs=LEVEL),
    ]
    connectors = []

    @property
    def _chipdb_device(self):
        # The R stands for memory in the package; the die is that of a GW2A.
        return "GW2A-18C"

    def create_missing_domain(self, name):
        if name != "sync":
            return super().create_missing_domain(name)
        pad = self.request(self.default_clk, dir="-")
        input_hz = int(self.default_clk_frequency)
        pll = GowinPll.for_clock(input_hz=input_hz, output_hz=CLOCK_HZ, die=self._chipdb_device)
        return BoardClock(GowinLoop(pad, input_hz=input_hz, pll=pll), clock_hz=CLOCK_HZ)


BOARD = Board(
    name="tang-nano-20k",
    title="Tang Nano 20K, Gowin GW2AR-18",
    family=Family.GOWIN,
    make_platform=Platform,
    clock_hz=CLOCK_HZ,
    programmer=Programmer(
        tool="openFPGALoader",
        sram=("--board", "tangnano20k"),
        flash=("--board", "tangnano20k", "--write-flash"),
    ),
    cable="USB-C: power, programming and the serial line",
    page="https://wiki.sipeed.com/hardware/en/tang/tang-nano-20k/nano-20k.html",
    remark="openFPGALoader knows the board from 0.11 on; Debian 12 has 0.10",
    leds={"ready": ("led", 0), "busy": ("led", 1), "error": ("led", 2)},
    # 46 block RAMs of 18 kbit.
    config=EngineConfig(
        rows=8,
        lanes=16,
        construction=8,
        accumulator_bits=20,
        weight_lines=512,
        activation_words=2048,
        ticket_words=4096,
        table_entries=512,
        result_words=16,
        count_bits=10,
        compact=True,
    ),
)
