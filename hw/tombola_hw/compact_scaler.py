"""Multiply and add inside two multiplier blocks of an iCE40 UP5K, with few cells beside them."""

from amaranth import Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS, SCALE_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import table_layout

LOW_BITS = 16
"""A sum is cut here, into two signed parts."""
LOW_BIAS_BITS = 30
"""The low product, at most 2^30, and so much of the bias, without a sign, fit 32 signed bits."""


class CompactScaler(wiring.Component):
    """``value * scale + bias`` modulo 2^total_bits, which is exact for all tables of a program.

    Each of the two multiplications has an addition of at most 32 bits behind it, as SB_MAC16 has:
    the low product takes the low part of the bias, the high product what is above `LOW_BITS` of
    that. Only the highest bits of the bias are added in cells. With `config.short_totals` one
    multiplication with the whole bias behind it is all.

    Latency: 2 clocks, 1 with `config.short_totals`. Throughput: a value a clock, no back-pressure.
    Golden model: integers.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    low, high : In(signed(16)), In(signed(max(1, accumulator_bits - 15)))
        The value is ``high * 2^16 + low``.
    entry : In(table_layout())
        Of the same clock as `value`.
    total : Out(signed(total_bits))
        Registered: nextpnr 0.11 times no way through a multiplier block, so that none follows
        another within a clock.
    """

    def __init__(self, config: EngineConfig):
        check_config("CompactScaler", config)
        self._value_bits, self._short = config.accumulator_bits, config.short_totals
        super().__init__({
            "low": In(signed(LOW_BITS)),
            "high": In(signed(max(1, config.accumulator_bits - LOW_BITS + 1))),
            "entry": In(table_layout()),
            "total": Out(signed(self.total_bits)),
        })

    @property
    def latency(self) -> int:
        """Clocks from a value to its total."""
        return 1 if self._short else 2

    @property
    def total_bits(self) -> int:
        """Holds every total of a program for this engine: 36 bits for accumulators of 19.

        With `short_totals` 32 bits, because the compiler refuses what has more; else:

        A total is scale times the true sum of a channel, plus an int32 bias and a rounding half of
        at most 2^30; whatever the loader adds to the bias is what is missing from the array's sum.
        With A = `accumulator_bits` and a fan-in of n the compiler has proved n * 128 <= 2^(A-1), so
        that the true sum, at most n * 255, is below 2^A and its product below 2^(A+15). From A = 17
        on 2^31 + 2^30 < 2^(A+15), so that the total is below 2^(A+16); for a smaller A it is no
        more than for 17.
        """
        return LOGIT_BITS if self._short else max(self._value_bits, 17) + SCALE_BITS + 1

    def elaborate(self, platform):
        m = Module()

        entry = self.entry
        low_bias = Cat(entry.bias[:LOW_BIAS_BITS], Const(0, 1)).as_signed()
        if self._short:
            low_bias = entry.bias[:LOGIT_BITS].as_signed()
        # Kept, as `total`: yosys 0.70 would take such a register into two multiplier blocks, as an
        # output here and as an input there, and leave the input unconnected.
        partial = Signal(signed(32), reset_less=True, attrs={"keep": 1})
        m.d.sync += partial.eq(self.low * entry.scale + low_bias)
        if self._short:
            m.d.comb += self.total.eq(partial)
            return m

        high = Signal.like(self.high, reset_less=True)
        scale = Signal.like(entry.scale, reset_less=True)
        high_bias = Signal(signed(self.total_bits - LOW_BIAS_BITS), reset_less=True)
        m.d.sync += [
            high.eq(self.high),
            scale.eq(entry.scale),
            high_bias.eq(entry.bias[LOW_BIAS_BITS:self.total_bits].as_signed()),
        ]

        # What is above the low part of the bias meets the rest of it, the multiplier all of it.
        carried = Signal.like(high_bias)
        addend = Signal(signed(self.total_bits - LOW_BITS))
        total_low = Signal(LOW_BITS, reset_less=True)
        total_high = Signal(len(addend), reset_less=True, attrs={"keep": 1})
        m.d.comb += [
            carried.eq(high_bias + partial[LOW_BIAS_BITS:].as_signed()),
            addend.eq(Cat(partial[LOW_BITS:LOW_BIAS_BITS], carried)),
            self.total.eq(Cat(total_low, total_high)),
        ]
        m.d.sync += [total_low.eq(partial), total_high.eq(high * scale + addend)]

        return m
