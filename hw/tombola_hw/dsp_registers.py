"""Two 16-bit registers in a multiplier block of an iCE40 UP5K that nobody multiplies with."""

from amaranth import Cat, ClockSignal, Const, Instance, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

BITS = 16
UNUSED = ("IRST", "ORST", "OLOAD", "OHOLD", "ADDSUB")
REGISTER = wiring.Signature({"write": Out(1), "data": Out(BITS), "held": In(BITS)})


class DspRegisters(wiring.Component):
    """Holds two numbers in the input registers C and D of an SB_MAC16.

    The block adds 0 to each of them, so its output shows them; the holds make them stay. `held`
    follows a `write` by one clock. No multiplier is lost that the engine would use. Golden model:
    two enabled registers; tests simulate the vendor's cell model.

    Members
    -------
    low, high : In(REGISTER)
        `write` stores `data`.
    """

    def __init__(self):
        super().__init__({"low": In(REGISTER), "high": In(REGISTER)})

    def elaborate(self, platform):
        m = Module()
        output = Signal(unsigned(2 * BITS))
        adder_of_input = {"LOWERINPUT": Const(0, 2), "UPPERINPUT": Const(1, 1)}
        parameters = {"C_REG": Const(1, 1), "D_REG": Const(1, 1), "MODE_8x8": Const(1, 1)}
        for side in ("TOP", "BOT"):
            parameters |= {f"{side}ADDSUB_{name}": value for name, value in adder_of_input.items()}
        m.submodules.dsp = Instance(
            "SB_MAC16",
            **{f"p_{name}": value for name, value in parameters.items()},
            i_CLK=ClockSignal(),
            i_CE=Const(1, 1),
            i_A=Const(0, BITS),
            i_B=Const(0, BITS),
            i_C=self.high.data,
            i_D=self.low.data,
            i_AHOLD=Const(0, 1),
            i_BHOLD=Const(0, 1),
            i_CHOLD=~self.high.write,
            i_DHOLD=~self.low.write,
            **{f"i_{name}{side}": Const(0, 1) for name in UNUSED for side in ("TOP", "BOT")},
            o_O=output,
        )
        m.d.comb += Cat(self.low.held, self.high.held).eq(output)
        return m
