"""Requantisation for small FPGAs: in multiplier blocks rather than in cells."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compact_scaler import LOW_BITS, CompactScaler
from tombola_hw.compact_shifter import CompactShifter
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout, table_layout


class CompactRequantiser(wiring.Component):
    """``clamp((value * scale + bias) >> shift)``, or for logits the low 32 bits without a clamp.

    Latency: `latency` clocks. Throughput: a value a clock, no back-pressure. Golden model:
    `tombola.spec.arithmetic.requantise`, whose rounding half is part of the entry's bias.

    It has five multiplications of 16 x 16 bits, two with an addition behind; with
    `config.short_totals` three, one with an addition. The way from the table
    through a multiplication and an addition is for 24 MHz on an iCE40 UP5K.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    value : In(signed(accumulator_bits))
    entry : In(table_layout())
        One clock after its `value`, as a memory gives it that is addressed beside the value.
    result : Out(signed(32))
        Only the low 9 bits count unless these are logits.
    """

    def __init__(self, config: EngineConfig):
        check_config("CompactRequantiser", config)
        self._scaler = CompactScaler(config)
        self._shifter = CompactShifter(self._scaler.total_bits)
        super().__init__({
            "layer": In(layer_layout(config)),
            "value": In(signed(config.accumulator_bits)),
            "entry": In(table_layout()),
            "result": Out(signed(LOGIT_BITS)),
        })

    @property
    def latency(self) -> int:
        """The table's clock, scaler, shifter, the result's register."""
        return 1 + self._scaler.latency + self._shifter.latency + 1

    def elaborate(self, platform):
        m = Module()
        m.submodules.scaler = scaler = self._scaler
        m.submodules.shifter = shifter = self._shifter
        layer = self.layer

        value = Signal(signed(max(len(self.value), LOW_BITS)))
        low = Signal.like(scaler.low, reset_less=True)
        high = Signal.like(scaler.high, reset_less=True)
        m.d.comb += value.eq(self.value)
        m.d.sync += [low.eq(value), high.eq((value >> LOW_BITS) + value[LOW_BITS - 1])]
        shifted = shifter.shifted
        m.d.comb += [
            scaler.low.eq(low),
            scaler.high.eq(high),
            scaler.entry.eq(self.entry),
            shifter.total.eq(scaler.total),
            shifter.shift.eq(layer.shift),
        ]

        # Both bounds have 9 bits: a value of more lies beyond one of them, its sign says which.
        short = Signal.like(layer.clamp_low)
        outside, below, above = Signal(), Signal(), Signal()
        clamped = Signal.like(self.result)
        under, over = Signal(signed(len(short) + 1)), Signal(signed(len(short) + 1))
        m.d.comb += [
            short.eq(shifted),
            outside.eq(shifted != short),
            # Both differences take the complement of `short`, so that it is made once.
            under.eq(layer.clamp_low + ~short),
            over.eq(layer.clamp_high - short),
            below.eq(Mux(outside, shifted[-1], ~under[-1])),
            above.eq(Mux(outside, ~shifted[-1], over[-1])),
            clamped.eq(shifted),
        ]
        with m.If(~layer.logits):
            m.d.comb += clamped[:len(short)].eq(
                Mux(below, layer.clamp_low, Mux(above, layer.clamp_high, short))
            )
        # Memories and argmax begin with logic of their own.
        m.d.sync += self.result.eq(clamped)

        return m
