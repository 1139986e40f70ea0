"""The arithmetic shift right of the requantisation as multiplications by a power of two."""

from amaranth import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS, MAX_SHIFT
from tombola_hw.compute_checks import check_range

SHIFT_BITS = MAX_SHIFT.bit_length()
CHUNK = 16


class CompactShifter(wiring.Component):
    """``total >> shift`` in multiplier blocks of 16 x 16 bits, one for 16 bits, and some 70 LUT4.

    A chunk of 16 bits times 2^(15 - n) holds the chunk shifted right by n from bit 15 on, and
    below that what the next lower chunk gets from it. A shift by 16 is left to the result.

    Latency: 1 clock. Throughput: a value a clock, no back-pressure. Golden model: integers.

    Parameters
    ----------
    total_bits : int

    Members
    -------
    total : In(signed(total_bits))
    shift : In(5)
        Constant while a layer runs.
    shifted : Out(signed(total_bits))
        Behind the registers of the multiplier blocks, and two LUT4.
    """

    latency = 1

    def __init__(self, total_bits: int):
        check_range("CompactShifter", "total_bits", total_bits, LOGIT_BITS, 64)
        self._total_bits = total_bits
        super().__init__({
            "total": In(signed(total_bits)),
            "shift": In(unsigned(SHIFT_BITS)),
            "shifted": Out(signed(total_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        bits = self._total_bits

        power = Signal(CHUNK)
        fine = self.shift[:-1]
        m.d.comb += power.eq(Cat(fine == CHUNK - 1 - i for i in range(CHUNK)))

        chunks = -(-bits // CHUNK)
        extended = Signal(signed(chunks * CHUNK))
        sign = Signal(reset_less=True)
        m.d.comb += extended.eq(self.total)
        m.d.sync += sign.eq(self.total[-1])
        # What each chunk gets from above; the highest one has only the sign above it.
        above = Cat((sign & power[:i].any()) if i else 0 for i in range(CHUNK))
        fine_shifted = Const(0, 0)
        for index in reversed(range(chunks)):
            # The bits that nobody reads keep the whole register inside the multiplier block.
            product = Signal(2 * CHUNK, name=f"product{index}", attrs={"keep": 1}, reset_less=True)
            m.d.sync += product.eq(extended.word_select(index, CHUNK).as_unsigned() * power)
            fine_shifted = Cat(product[CHUNK - 1:2 * CHUNK - 1] | above, fine_shifted)
            above = Cat(0, product[:CHUNK - 1])
        coarse = Cat(fine_shifted[CHUNK:], sign.replicate(CHUNK))
        m.d.comb += self.shifted.eq(Mux(self.shift[-1], coarse, fine_shifted)[:bits])

        return m
