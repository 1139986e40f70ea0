"""The arithmetic shift right of the requantisation, from a wide total to a narrow result."""

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import MAX_SHIFT
from tombola_hw.compute_checks import check_range

SHIFT_BITS = MAX_SHIFT.bit_length()


class Shifter(wiring.Component):
    """``total >> shift``, and whether that exceeds `result_bits`.

    The greatest step comes first: after it the steps to come bound which bits can still arrive in
    the result, so that every level is narrower than the one before. What is cut off at the top
    only matters for `overflow`: it must equal the sign.

    Latency: `latency` clocks, one a level, as registers behind multiplexers cost no cells.
    Throughput: a value a clock, no back-pressure. Golden model: integers.

    Parameters
    ----------
    total_bits, result_bits : int

    Members
    -------
    total : In(signed(total_bits))
    shift : In(5)
        Constant while a layer runs.
    value : Out(signed(result_bits))
        The low bits.
    negative, overflow : Out(1)
        Sign of the exact result, and whether it is not `value`.
    """

    latency = SHIFT_BITS
    """A register behind each level."""

    def __init__(self, total_bits: int, result_bits: int):
        check_range("Shifter", "total_bits", total_bits, 2, 64)
        check_range("Shifter", "result_bits", result_bits, 1, total_bits - 1)
        self._result_bits = result_bits
        super().__init__({
            "total": In(signed(total_bits)),
            "shift": In(unsigned(SHIFT_BITS)),
            "value": Out(signed(result_bits)),
            "negative": Out(1),
            "overflow": Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        value, negative, overflow = self.total, self.total[-1], 0
        for level in reversed(range(SHIFT_BITS)):
            wide = Mux(self.shift[level], value >> (1 << level), value)
            # The levels to come move by at most 2^level - 1 in all.
            bits = min(len(value), self._result_bits + (1 << level) - 1)
            top = wide[bits - 1:]
            cut = overflow | (top != negative.replicate(len(top)))

            value = Signal(signed(bits), name=f"value{level}", reset_less=True)
            old_negative, negative = negative, Signal(name=f"negative{level}", reset_less=True)
            overflow = Signal(name=f"overflow{level}", reset_less=True)
            m.d.sync += [value.eq(wide), negative.eq(old_negative), overflow.eq(cut)]

        m.d.comb += [
            self.value.eq(value), self.negative.eq(negative), self.overflow.eq(overflow)
        ]
        return m
