"""The arithmetic shift right of the requantisation in multiplier blocks of an ECP5."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS, MAX_SHIFT
from tombola_hw.compute_checks import check_range

SHIFT_BITS = MAX_SHIFT.bit_length()
CHUNK = 16


class MultiplyingShifter(wiring.Component):
    """``total >> shift`` in multipliers of 18 x 18 bits, one for 16 bits, and 50 LUT4.

    A chunk of 16 bits times 2^(15 - n) holds the chunk shifted right by n from bit 15 on, and
    below that what the next lower chunk gets from it. Each bit of the result is one of these two,
    from the chunk in its place or, shifted by 16, from the one above: of four registers behind the
    multipliers two are in reset, and the result is the `or` of all.

    Latency: `latency` clocks. Throughput: a value a clock, no back-pressure.
    Golden model: integers.

    Parameters
    ----------
    total_bits : int

    Members
    -------
    total : In(signed(total_bits))
    shift : In(5)
        Constant while a layer runs.
    value : Out(signed(32))
        The low bits.
    negative, overflow : Out(1)
        Sign of the exact result, and whether bits above `value` differ from it.
    """

    latency = 2
    """A register behind the multipliers and one behind the choice."""

    def __init__(self, total_bits: int):
        check_range("MultiplyingShifter", "total_bits", total_bits, LOGIT_BITS + 1, 4 * CHUNK)
        self._total_bits = total_bits
        super().__init__({
            "total": In(signed(total_bits)),
            "shift": In(unsigned(SHIFT_BITS)),
            "value": Out(signed(LOGIT_BITS)),
            "negative": Out(1),
            "overflow": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        fine, coarse = self.shift[:-1], self.shift[-1]
        power = Signal(CHUNK, reset_less=True)
        m.d.sync += power.eq(Cat(fine == CHUNK - 1 - i for i in range(CHUNK)))

        # What each chunk of the fine shifted total consists of; above the highest is the sign.
        chunks = -(-self._total_bits // CHUNK)
        parts, from_above = [(self.total[-1].replicate(CHUNK),)], ()
        for index in reversed(range(chunks)):
            chunk = self.total[index * CHUNK :][:CHUNK]
            chunk = chunk.as_signed() if index == chunks - 1 else chunk
            product = Signal((chunk * power).shape(), name=f"product{index}")
            shifted = Signal(chunk.shape(), name=f"shifted{index}")
            m.d.comb += [product.eq(chunk * power), shifted.eq(product >> CHUNK - 1)]
            parts.insert(0, (shifted, *from_above))
            from_above = (Cat(0, product[: CHUNK - 1]),)

        def gated(part, here):
            register = Signal(signed(CHUNK), reset_less=True)
            m.d.sync += register.eq(Mux(here, part, 0))
            return register

        shifted = Cat(
            reduce(
                or_,
                [gated(part, ~coarse) for part in parts[i]]
                + [gated(part, coarse) for part in parts[i + 1]],
            )
            for i in range(chunks)
        )
        above = shifted[LOGIT_BITS:]
        value, negative = Signal.like(self.value, reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            negative.eq(self.total[-1]),
            value.eq(shifted),
            self.negative.eq(negative),
            self.overflow.eq(above != negative.replicate(len(above))),
        ]
        m.d.comb += self.value.eq(value)
        return m
