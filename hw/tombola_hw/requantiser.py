"""Requantisation: scale, bias, shift and clamp of one value a clock."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.engine import OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.interfaces import layer_layout, table_layout
from tombola_hw.scaler import Scaler
from tombola_hw.shifter import Shifter


class Requantiser(wiring.Component):
    """``clamp((value * scale + bias) >> shift)``, or for logits the low 32 bits without a clamp.

    Latency: `latency` clocks. Throughput: a value a clock, no back-pressure. Golden model:
    `tombola.spec.arithmetic.requantise`, whose rounding half is part of the entry's bias.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        True: a register between the table and the multiplier, for 100 MHz on an ECP5; False:
        fewer cells, for 24 MHz on an iCE40 UP5K.

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
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False):
        check_config("Requantiser", config)
        check_bool("Requantiser", "pipelined", pipelined)
        self._config = config
        self._scaler = Scaler(config, pipelined=pipelined)
        self._shifter = Shifter(self._scaler.total_bits)
        super().__init__({
            "layer": In(layer_layout(config)),
            "value": In(signed(config.accumulator_bits)),
            "entry": In(table_layout()),
            "result": Out(signed(LOGIT_BITS)),
            **({"residual": In(signed(OPERAND_BITS))} if config.residual else {}),
        })

    @property
    def latency(self) -> int:
        """The table's clock, scaler, shifter, clamp."""
        return 1 + self._scaler.latency + self._shifter.latency + 1

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

        # Both bounds have 9 bits: a value of more lies beyond one of them, its sign says which.
        short = Signal.like(layer.clamp_low)
        outside, below, above, clamped = Signal(), Signal(), Signal(), Signal.like(short)
        m.d.comb += [
            short.eq(shifter.value),
            outside.eq(shifter.overflow | (shifter.value != short)),
            below.eq(Mux(outside, shifter.negative, short < layer.clamp_low)),
            above.eq(Mux(outside, ~shifter.negative, short > layer.clamp_high)),
            clamped.eq(Mux(below, layer.clamp_low, Mux(above, layer.clamp_high, short))),
        ]
        result = Signal.like(self.result, reset_less=True)
        m.d.sync += result.eq(Mux(layer.logits, shifter.value, clamped))
        m.d.comb += self.result.eq(result)

        return m
