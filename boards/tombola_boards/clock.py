"""The clock domain of a board: crystal, phase-locked loop and reset until both are steady."""

from amaranth import (
    ClockDomain,
    ClockSignal,
    Const,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
)
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

from tombola_boards.pll import Ecp5Pll, GowinPll, Ice40Pll

RESET_SECONDS = 20e-6
"""Block RAM of the iCE40 reads as zero for some 3 us after configuration; with margin."""


class BoardClock(Elaboratable):
    """Makes domain `sync`, in reset while and shortly after its clock is unsteady.

    Parameters
    ----------
    loop : Component
        With outputs `clock` and `locked`: `Ice40Loop`, `Ecp5Loop` or `GowinLoop`.
    clock_hz : int
        What the loop makes.
    """

    def __init__(self, loop: wiring.Component, *, clock_hz: int):
        self._loop, self._reset_clocks = loop, int(RESET_SECONDS * clock_hz)

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        m.domains.power_on = ClockDomain(reset_less=True, local=True)
        m.submodules.loop = loop = self._loop
        locked = Signal()
        clocks = Signal(range(self._reset_clocks + 1))
        ready = Signal()

        m.submodules.synchroniser = FFSynchronizer(loop.locked, locked, o_domain="power_on")
        m.d.comb += [
            ClockSignal("power_on").eq(loop.clock),
            ClockSignal("sync").eq(loop.clock),
            ResetSignal("sync").eq(~ready),
        ]
        m.d.power_on += ready.eq(clocks == self._reset_clocks)
        with m.If(~locked):
            m.d.power_on += clocks.eq(0)
        with m.Elif(clocks != self._reset_clocks):
            m.d.power_on += clocks.eq(clocks + 1)
        return m


class Ice40Loop(wiring.Component):
    """The phase-locked loop of an iCE40, fed by the pad beside it, or else by any pad."""

    def __init__(self, pad, *, pll: Ice40Pll, own_pad: bool = True):
        self._pad, self._pll, self._own_pad = pad, pll, own_pad
        super().__init__({"clock": Out(1), "locked": Out(1)})

    def elaborate(self, platform):
        m = Module()
        if self._own_pad:
            kind, source = "SB_PLL40_PAD", {"i_PACKAGEPIN": self._pad.io}
        else:
            m.submodules.pad = pad = io.Buffer("i", self._pad)
            kind, source = "SB_PLL40_CORE", {"i_REFERENCECLK": pad.i}
        m.submodules.pll = Instance(
            kind,
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            p_DIVR=Const(self._pll.divr, 4),
            p_DIVF=Const(self._pll.divf, 7),
            p_DIVQ=Const(self._pll.divq, 3),
            p_FILTER_RANGE=Const(self._pll.filter_range, 3),
            **source,
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=self.clock,
            o_LOCK=self.locked,
        )
        return m


class Ecp5Loop(wiring.Component):
    """A phase-locked loop of an ECP5, fed by any clock pin."""

    def __init__(self, pad, *, pll: Ecp5Pll):
        self._pad, self._pll = pad, pll
        super().__init__({"clock": Out(1), "locked": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pad = pad = io.Buffer("i", self._pad)
        m.submodules.pll = Instance(
            "EHXPLLL",
            # Analogue settings as Lattice's own tools choose them.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_FEEDBK_PATH="CLKOP",
            p_CLKI_DIV=self._pll.reference,
            p_CLKFB_DIV=self._pll.feedback,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=self._pll.output,
            # The middle of the output period: the output is in phase with the input.
            p_CLKOP_CPHASE=self._pll.output // 2,
            p_CLKOP_FPHASE=0,
            i_CLKI=pad.i,
            i_CLKFB=self.clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(1),
            i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=self.clock,
            o_LOCK=self.locked,
        )
        return m


class GowinLoop(wiring.Component):
    """A phase-locked loop of a GW1N or GW2A, fed by any clock pin."""

    def __init__(self, pad, *, input_hz: int, pll: GowinPll):
        self._pad, self._input_hz, self._pll = pad, input_hz, pll
        super().__init__({"clock": Out(1), "locked": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pad = pad = io.Buffer("i", self._pad)
        unused = {
            "i_RESET": Const(0), "i_RESET_P": Const(0), "i_CLKFB": Const(0),
            "i_FBDSEL": Const(0, 6), "i_IDSEL": Const(0, 6), "i_ODSEL": Const(0, 6),
            "i_PSDA": Const(0, 4), "i_DUTYDA": Const(0, 4), "i_FDLY": Const(0, 4),
        }
        m.submodules.pll = Instance(
            "rPLL",
            p_FCLKIN=f"{self._input_hz / 1e6:g}",
            p_IDIV_SEL=self._pll.reference,
            p_FBDIV_SEL=self._pll.feedback,
            p_ODIV_SEL=self._pll.output,
            p_DEVICE=platform.family,
            i_CLKIN=pad.i,
            o_CLKOUT=self.clock,
            o_LOCK=self.locked,
            **unused,
        )
        return m
