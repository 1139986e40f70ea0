"""Values of some clocks ago."""

from amaranth import Signal


def late(m, value, clocks: int):
    """What `value` was `clocks` clocks ago, in registers that need no reset.

    Parameters
    ----------
    m : Module
        Takes the registers.
    value : Value or View
    clocks : int
        At least 0.
    """
    for _ in range(clocks):
        later = Signal(value.shape(), reset_less=True)
        m.d.sync += later.eq(value)
        value = later
    return value
