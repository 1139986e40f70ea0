"""Pooling for small FPGAs: the maximum or the sum of a window in one adder, a channel a lane."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import pixels_layout, step_layout, sums_layout, window_from


class CompactPoolLane(wiring.Component):
    """Keeps the complement of the maximum or the sum of the operands of one lane, in an adder.

    With m kept as ~m = -m - 1, the sum of ~m and an operand is negative unless the operand is
    greater than m: one carry chain makes sums and compares.

    Latency: 1 clock. Throughput: an operand a clock, no back-pressure.
    Golden model: ``~max`` and `sum`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    maximum : In(1)
        High: maximum, else sum. Constant while a layer runs.
    operand : In(signed(9))
    take, empty, clear : In(1)
        `take` the operand, as the first if `empty`; `clear`, never with `take`: keep 0.
    value : Out(signed(pool_bits))
    """

    def __init__(self, config: EngineConfig):
        check_config("CompactPoolLane", config)
        super().__init__({
            "maximum": In(1),
            "operand": In(signed(OPERAND_BITS)),
            "take": In(1),
            "empty": In(1),
            "clear": In(1),
            "value": Out(signed(config.pool_bits)),
        })

    def elaborate(self, platform):
        m = Module()

        kept, total = Signal.like(self.value), Signal.like(self.value)
        negative = total[-1]
        m.d.comb += [total.eq(kept + self.operand), self.value.eq(kept)]

        with m.If(self.take & (~self.maximum | self.empty | ~negative)):
            m.d.sync += kept.eq(Mux(self.maximum, ~self.operand, total))
        # Last, next to the reset, so that it takes the flip-flops' own reset.
        with m.If(self.clear):
            m.d.sync += kept.eq(0)

        return m


class CompactPoolUnit(wiring.Component):
    """Pools the lines of each output position, for all lanes at once.

    Latency: 1 clock, from a position's `last` line to its values; the next position may begin one
    clock later than the very next. Throughput: a line a clock, no back-pressure. Golden models:
    `numpy.max` and `numpy.sum` over the positions that are `inside`; 0 where none is. What leaves
    for a maximum is its complement, which a scale and a bias of -1 turn back.

    A sum of n positions needs ``9 + log2(n)`` bits; the compiler proves that no layer exceeds
    `pool_bits`.

    Parameters
    ----------
    config : EngineConfig
        `compact`.

    Members
    -------
    signed : In(1)
        High: activations are two's complement. Constant while a layer runs.
    maximum : In(1)
        High: maximum, else sum. Constant while a layer runs.
    step : In(stream.Signature(step_layout(config), always_ready=True))
    activations : In(pixels_layout(config))
    sums : Out(stream.Signature(sums_layout(config), always_ready=True))
        Values beyond the lanes are 0; all are from one position to the next.
    """

    latency = 1
    """The lanes' own registers."""

    def __init__(self, config: EngineConfig):
        check_config("CompactPoolUnit", config)
        self._config = config
        super().__init__({
            "signed": In(1),
            "maximum": In(1),
            "step": In(stream.Signature(step_layout(config), always_ready=True)),
            "activations": In(pixels_layout(config)),
            "sums": Out(stream.Signature(sums_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()

        step, valid = self.step.p, self.step.valid
        empty = Signal(init=1)  # no line of this position was inside so far
        with m.If(valid):
            m.d.sync += empty.eq(step.last | (empty & ~step.inside))

        for index, activation in enumerate(self.activations):
            m.submodules[f"lane{index}"] = lane = CompactPoolLane(self._config)
            m.d.comb += [
                lane.maximum.eq(self.maximum),
                lane.operand.eq(Cat(activation, activation[-1] & self.signed)),
                lane.take.eq(valid & step.inside),
                lane.empty.eq(empty),
                lane.clear.eq(self.sums.valid),
                self.sums.p.values[index].eq(lane.value),
            ]

        m.d.sync += [
            self.sums.valid.eq(valid & step.last),
            self.sums.p.count.eq(step.count),
            self.sums.p.new_group.eq(step.new_group),
            self.sums.p.end.eq(step.end),
            *window_from(self._config, self.sums.p, step),
        ]
        return m
