"""Asynchronous serial receiver and transmitter, 8 data bits, no parity, 1 stop bit."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError

DATA_BITS = 8
LEAST_DIVISOR = 4
"""Fewer clocks a bit leave no middle of a bit to sample after the synchroniser."""


def check_divisor(divisor: int, *, least: int = LEAST_DIVISOR) -> int:
    """`divisor`, if a line can have it."""
    if type(divisor) is not int:
        raise TypeError(f"divisor must be an int, not {divisor!r}")
    if divisor < least:
        raise ConfigError(f"divisor must be at least {least} clocks a bit, not {divisor}")
    return divisor


class UartReceiver(wiring.Component):
    """Bytes from a serial line.

    A byte appears two clocks after the middle of its stop bit, which must be high: a byte without
    it (break, wrong speed, noise) is dropped. A serial line cannot be held back, so `valid` is high
    for one clock and the sink must always be ready.
    Golden model: the encoder in the test, one list of levels a byte.

    Parameters
    ----------
    divisor : int
        Clocks a bit.

    Members
    -------
    line : In(1)
        The pin, high when idle; synchronised here.
    bytes : Out(stream.Signature(8, always_ready=True))
    """

    def __init__(self, divisor: int):
        self.divisor = check_divisor(divisor)
        super().__init__({
            "line": In(1, init=1),
            "bytes": Out(stream.Signature(DATA_BITS, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        level = Signal(init=1)
        timer = Signal(range(self.divisor))
        # A marker bit walks down with the data and says when all of them are in.
        shift = Signal(DATA_BITS + 1)
        busy, started = Signal(), Signal()
        sample = busy & (timer == 0)
        m.submodules.synchroniser = FFSynchronizer(self.line, level, init=1)

        with m.If(~busy):
            # Half a bit from here is the middle of the start bit.
            m.d.sync += timer.eq(self.divisor // 2 - 1)
            with m.If(~level):
                m.d.sync += [busy.eq(1), shift.eq(1 << DATA_BITS)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += timer.eq(self.divisor - 1)

        with m.If(~busy):
            m.d.sync += started.eq(0)
        with m.Elif(sample):
            m.d.sync += started.eq(1)
            with m.If(~started):
                # High in the middle of the start bit: it was a glitch.
                m.d.sync += busy.eq(~level)
            with m.Elif(shift[0]):
                # All data bits are in; this is the stop bit.
                m.d.sync += busy.eq(0)
                m.d.comb += self.bytes.valid.eq(level)
            with m.Else():
                m.d.sync += shift.eq(Cat(shift[1:], level))

        m.d.comb += self.bytes.payload.eq(shift[1:])
        return m


class UartTransmitter(wiring.Component):
    """Bytes to a serial line.

    A byte is taken whenever the line is idle and occupies it for 10 bits; `bytes` waits meanwhile.
    Golden model: the decoder in the test.

    Parameters
    ----------
    divisor : int
        Clocks a bit.

    Members
    -------
    bytes : In(stream.Signature(8))
    line : Out(1)
        The pin, high when idle; comes from a flip-flop.
    """

    def __init__(self, divisor: int):
        self.divisor = check_divisor(divisor)
        super().__init__({
            "bytes": In(stream.Signature(DATA_BITS)),
            "line": Out(1, init=1),
        })

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self.divisor))
        # Data and a marker above; behind the marker ones follow, which are stop bit and idle line.
        shift = Signal(DATA_BITS + 1)
        idle = shift == 0
        m.d.comb += self.bytes.ready.eq(idle & (timer == 0))

        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(~idle):
            m.d.sync += timer.eq(self.divisor - 1)
            with m.If(shift == 1):
                m.d.sync += [self.line.eq(1), shift.eq(0)]
            with m.Else():
                m.d.sync += [self.line.eq(shift[0]), shift.eq(shift[1:])]
        with m.Elif(self.bytes.valid):
            m.d.sync += [
                timer.eq(self.divisor - 1),
                self.line.eq(0),
                shift.eq(Cat(self.bytes.payload, 1)),
            ]
        return m
