"""Requantisation: scale, bias, shift and clamp of one value a clock."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.engine import OPERAND_BITS, EngineConfig
from tombola_hw.comparison import exceeds
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.delay import late
from tombola_hw.interfaces import layer_layout, table_layout
from tombola_hw.scaler import Scaler
from tombola_hw.shifter import Shifter

CHOICE = 3
"""Clocks behind the shift: saturation to 9 bits, comparison, choice."""


class Requantiser(wiring.Component):
    """``clamp((value * scale + bias) >> shift)``, or for logits the low 32 bits without a clamp.

    Latency: `latency` clocks. Throughput: a value a clock, no back-pressure. Golden model:
    `tombola.spec.arithmetic.requantise`, whose rounding half is part of the entry's bias.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        As in `Scaler`.
    makes_logits : bool
        False: fewer cells; logits do not come.

    Members
    -------
    layer : In(layer_layout(config))
    value : In(signed(accumulator_bits))
    entry : In(table_layout())
        One clock after its `value`, as a memory gives it that is addressed beside the value.
    residual : In(signed(9))
        If `config.residual`: of the same clock as `entry`; `layer.residual_scale` times it is added
        before the shift.
    result : Out(signed(32))
        Only the low 9 bits count unless these are logits.
    """

    def __init__(
        self, config: EngineConfig, *, pipelined: bool = False, makes_logits: bool = True
    ):
        check_config("Requantiser", config)
        check_bool("Requantiser", "pipelined", pipelined)
        check_bool("Requantiser", "makes_logits", makes_logits)
        self._config = config
        self._scaler = Scaler(config, pipelined=pipelined)
        bits = self._scaler.total_bits
        self._shifter = Shifter(bits, LOGIT_BITS if makes_logits else OPERAND_BITS)
        super().__init__({
            "layer": In(layer_layout(config)),
            "value": In(signed(config.accumulator_bits)),
            "entry": In(table_layout()),
            "result": Out(signed(LOGIT_BITS)),
            **({"residual": In(signed(OPERAND_BITS))} if config.residual else {}),
        })

    @property
    def latency(self) -> int:
        """The table's clock, scaler, shifter, choice."""
        return 1 + self._scaler.latency + self._shifter.latency + CHOICE

    def elaborate(self, platform):
        m = Module()
        m.submodules.scaler = scaler = self._scaler
        m.submodules.shifter = shifter = self._shifter
        layer = self.layer

        value = Signal.like(self.value, reset_less=True)
        m.d.sync += value.eq(self.value)
        m.d.comb += [
            scaler.value.eq(value),
            scaler.entry.eq(self.entry),
            shifter.total.eq(scaler.total),
            shifter.shift.eq(layer.shift),
        ]
        if self._config.residual:
            m.d.comb += [
                scaler.residual.eq(self.residual),
                scaler.residual_scale.eq(layer.residual_scale),
            ]

        # Both bounds have 9 bits, and so has a value that is beyond one of them or not.
        shifted, negative = shifter.value, shifter.negative
        short = shifted[:OPERAND_BITS]
        above = shifted[OPERAND_BITS - 1:]
        outside = Signal()
        m.d.comb += outside.eq(
            ~layer.logits & (shifter.overflow | (above != negative.replicate(len(above))))
        )
        extreme = Cat((~negative).replicate(OPERAND_BITS - 1), negative)
        saturated = Signal(signed(OPERAND_BITS), reset_less=True)
        compared = Signal.like(saturated, reset_less=True)
        clamped = Signal.like(saturated, reset_less=True)
        below, beyond = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            saturated.eq(Mux(outside, extreme, short)),
            compared.eq(saturated),
            below.eq(~layer.logits & exceeds(layer.clamp_low, saturated)),
            beyond.eq(~layer.logits & exceeds(saturated, layer.clamp_high)),
            clamped.eq(Mux(below, layer.clamp_low, Mux(beyond, layer.clamp_high, compared))),
        ]

        # The bits of logits above these wait as long.
        high = late(m, shifted[OPERAND_BITS:], CHOICE)
        m.d.comb += self.result.eq(Cat(clamped, high).as_signed())

        return m
