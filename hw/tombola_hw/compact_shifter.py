"""The arithmetic shift right of the requantisation as multiplications by a power of two."""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS, MAX_SHIFT
from tombola_hw.compute_checks import check_range

SHIFT_BITS = MAX_SHIFT.bit_length()
CHUNK = 16


class CompactShifter(wiring.Component):
    """``total >> shift`` in three multiplier blocks of 16 x 16 bits and about 70 LUT4.

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
        check_range("CompactShifter", "total_bits", total_bits, LOGIT_BITS + 1, 3 * CHUNK)
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

        extended = Signal(signed(3 * CHUNK))
        sign = Signal(reset_less=True)
        m.d.comb += extended.eq(self.total)
        m.d.sync += sign.eq(self.total[-1])
        moved = []
        for index in range(3):
            # The bits that nobody reads keep the whole register inside the multiplier block.
            product = Signal(2 * CHUNK, name=f"product{index}", attrs={"keep": 1}, reset_less=True)
            m.d.sync += product.eq(extended.word_select(index, CHUNK).as_unsigned() * power)
            moved.append(product)

        low, middle, high = (product[CHUNK - 1:2 * CHUNK - 1] for product in moved)
        fine_shifted = Signal(3 * CHUNK)
        into_low, into_middle = (Cat(0, product[:CHUNK - 1]) for product in moved[1:])
        # The chunk of the sign does not know what comes from above: zeros to be filled with it.
        fill = Cat((sign & power[:i].any()) if i else 0 for i in range(CHUNK))
        m.d.comb += fine_shifted.eq(
            Cat(low | into_low, middle | into_middle, high | fill)
        )
        coarse = Cat(fine_shifted[CHUNK:], sign.replicate(CHUNK))
        m.d.comb += self.shifted.eq(Mux(self.shift[-1], coarse, fine_shifted)[:bits])

        return m
