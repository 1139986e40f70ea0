"""Multiply and add: a sum times its channel's scale, plus its channel's bias."""

from amaranth import Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import SCALE_BITS
from tombola.spec.engine import OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.delay import late
from tombola_hw.interfaces import table_layout

LOW_BITS = 17
"""A sum is cut here: 17 bits and a sign of 0, and what is above, fit multipliers of 18 bits."""

WAITS = 2
"""Registers in front of the multipliers where there are cells for them."""


class Scaler(wiring.Component):
    """``value * scale + bias`` modulo 2^total_bits, which is exact for all tables of a program.

    With `config.residual` it adds ``residual * residual_scale`` as well.

    Latency: `latency` clocks. Throughput: a value a clock, no back-pressure.
    Golden model: integers.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        True: two registers more in front of the multipliers, for 100 MHz: a block RAM's data come
        late in the clock, and multipliers stand where the part has them.

    Members
    -------
    value : In(signed(accumulator_bits))
    entry : In(table_layout())
        Of the same clock as `value`.
    residual, residual_scale : In(signed(9)), In(signed(16))
        If `config.residual`; the first of the same clock as `value`.
    total : Out(signed(total_bits))
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False):
        check_config("Scaler", config)
        check_bool("Scaler", "pipelined", pipelined)
        self._config, self._value_bits = config, config.accumulator_bits
        self._pipelined = pipelined
        super().__init__({
            "value": In(signed(config.accumulator_bits)),
            "entry": In(table_layout()),
            "total": Out(signed(self.total_bits)),
            **({"residual": In(signed(OPERAND_BITS))} if config.residual else {}),
            **({"residual_scale": In(signed(SCALE_BITS))} if config.residual else {}),
        })

    @property
    def latency(self) -> int:
        """Multiplier, first addition and second addition have a register each."""
        return 3 + (WAITS if self._pipelined else 0)

    @property
    def total_bits(self) -> int:
        """Holds every total of a program: as in `CompactScaler`, and a residual adds at most 2^23,
        for which the same bits have room."""
        return max(self._value_bits, 17) + SCALE_BITS + 1

    def elaborate(self, platform):
        m = Module()
        clocks = WAITS if self._pipelined else 0

        # Sign extension, so that there is a high part.
        extended = Signal(signed(max(self._value_bits, LOW_BITS + 1)))
        m.d.comb += extended.eq(self.value)
        value, entry = late(m, extended, clocks), late(m, self.entry, clocks)

        low = Cat(value[:LOW_BITS], Const(0, 1)).as_signed()
        low_product = Signal(signed(len(low) + SCALE_BITS), reset_less=True)
        addend = entry.bias
        if self._config.residual:
            addend = entry.bias + self._residual(m, clocks)
        bias = Signal(signed(self.total_bits), reset_less=True)
        m.d.sync += [low_product.eq(low * entry.scale), bias.eq(addend)]

        # The high product waits in front of its multiplier, where fewer bits wait: and behind it,
        # a second register misled the DSP inference of yosys 0.70 for iCE40 (the product was lost).
        high = Signal(signed(len(value) - LOW_BITS), reset_less=True)
        scale = Signal.like(entry.scale, reset_less=True)
        partial = Signal(signed(self.total_bits), reset_less=True)
        m.d.sync += [
            high.eq(value[LOW_BITS:].as_signed()),
            scale.eq(entry.scale),
            partial.eq(low_product + bias),
        ]

        high_product = Signal(signed(len(high) + SCALE_BITS), reset_less=True)
        total = Signal.like(self.total, reset_less=True)
        m.d.sync += [
            high_product.eq(high * scale),
            total.eq(partial + (high_product << LOW_BITS)),
        ]
        m.d.comb += self.total.eq(total)

        return m

    def _residual(self, m, clocks):
        # With registers it has a clock for the product and one for the addition.
        before, behind = max(clocks - 1, 0), min(clocks, 1)
        return late(m, late(m, self.residual, before) * self.residual_scale, behind)
