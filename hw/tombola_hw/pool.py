"""Pooling: the maximum or the sum of a window, a channel a lane."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import ACTIVATION_BITS, OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.interfaces import (
    of_pixels,
    pixels_layout,
    step_layout,
    sums_layout,
    window_from,
)


class PoolLane(wiring.Component):
    """Keeps the maximum or the sum of the operands of one lane.

    Latency: 1 clock. Throughput: an operand a clock, no back-pressure.
    Golden model: `max` and `sum`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    maximum : In(1)
        High: maximum, else sum. Constant while a layer runs.
    operand : In(signed(9))
    take, empty, drop : In(1)
        `take` the operand, as the first if `empty`; `drop` what was kept and keep 0.
    value : Out(signed(accumulator_bits))
    """

    def __init__(self, config: EngineConfig):
        check_config("PoolLane", config)
        super().__init__({
            "maximum": In(1),
            "operand": In(signed(OPERAND_BITS)),
            "take": In(1),
            "empty": In(1),
            "drop": In(1),
            "value": Out(signed(config.accumulator_bits)),
        })

    def elaborate(self, platform):
        m = Module()

        # A maximum is itself an operand, so that its low bits say all of it.
        greater = Signal()
        m.d.comb += greater.eq(self.operand > self.value[:OPERAND_BITS].as_signed())

        # A new position replaces or drops the old value: no reset beside `drop` is needed.
        kept = Signal.like(self.value, reset_less=True)
        m.d.comb += self.value.eq(kept)
        with m.If(self.drop):
            m.d.sync += kept.eq(0)
        with m.Elif(self.take & (~self.maximum | self.empty | greater)):
            # The choice of what is loaded fits the adder's own LUT.
            replace = self.maximum | self.empty
            m.d.sync += kept.eq(Mux(replace, self.operand, kept + self.operand))

        return m


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


class PoolUnit(wiring.Component):
    """Pools the lines of each output position, for all lanes and pixels at once.

    The values of a position leave `latency` clocks after its `last` line; the next position may
    begin in the very next clock. Throughput: a line a clock, no back-pressure. Golden models:
    `numpy.max` and `numpy.sum` over the positions that are `inside`; 0 where none is.

    With `config.compact` the next position may begin a clock later, and what leaves for a maximum
    is its complement, which a scale and a bias of -1 turn back.

    A sum of n positions needs ``9 + log2(n)`` bits; the compiler proves that no layer exceeds
    `pool_bits`.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        True: a register in front of the comparison, for 100 MHz behind an ECP5's block RAM, where
        it was the longest path at 70 MHz.

    Members
    -------
    signed : In(1)
        High: activations are two's complement. Constant while a layer runs.
    maximum : In(1)
        High: maximum, else sum. Constant while a layer runs.
    step : In(stream.Signature(step_layout(config), always_ready=True))
    activations : In(pixels_layout(config))
    sums : Out(stream.Signature(sums_layout(config), always_ready=True))
        Lane i is value i of its pixel; values beyond the lanes are 0; if compact, all are 0 from
        one position to the next.
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False):
        check_config("PoolUnit", config)
        check_bool("PoolUnit", "pipelined", pipelined)
        self._config = config
        self._pipelined = pipelined
        super().__init__({
            "signed": In(1),
            "maximum": In(1),
            "step": In(stream.Signature(step_layout(config), always_ready=True)),
            "activations": In(pixels_layout(config)),
            "sums": Out(stream.Signature(sums_layout(config), always_ready=True)),
        })

    @property
    def latency(self) -> int:
        """Clocks from a position's last line to its values."""
        return 2 if self._pipelined else 1

    def elaborate(self, platform):
        m = Module()
        optional = "sync" if self._pipelined else "comb"

        step, valid = Signal.like(self.step.p, reset_less=True), Signal()
        m.d[optional] += [step.eq(self.step.p), valid.eq(self.step.valid)]

        # No line of this position was inside so far.
        pixels = self._config.pixels
        empty = Signal(pixels, init=(1 << pixels) - 1)
        with m.If(valid):
            m.d.sync += empty.eq(step.last.replicate(pixels) | (empty & ~step.inside))

        words = of_pixels(self._config, self.activations)
        sums = of_pixels(self._config, self.sums.p.values)
        for index in range(self._config.lanes * pixels):
            pixel, channel = divmod(index, self._config.lanes)
            compact = self._config.compact
            lane = (CompactPoolLane if compact else PoolLane)(self._config)
            m.submodules[f"lane{index}"] = lane
            activation = words[pixel][channel]
            sign = activation[ACTIVATION_BITS - 1] & self.signed
            operand = Signal(OPERAND_BITS, name=f"operand{index}", reset_less=True)
            m.d[optional] += operand.eq(Cat(activation, sign))
            m.d.comb += [
                lane.maximum.eq(self.maximum),
                lane.operand.eq(operand),
                lane.take.eq(valid & step.inside[pixel]),
                lane.empty.eq(empty[pixel]),
                sums[pixel][channel].eq(lane.value),
            ]
            # Compact lanes begin each position at 0, the others only one that is not inside.
            m.d.comb += (
                lane.clear.eq(self.sums.valid) if compact
                else lane.drop.eq(valid & empty[pixel] & ~step.inside[pixel])
            )

        m.d.sync += [
            self.sums.valid.eq(valid & step.last),
            self.sums.p.count.eq(step.count),
            self.sums.p.new_group.eq(step.new_group),
            self.sums.p.end.eq(step.end),
            *window_from(self._config, self.sums.p, step),
        ]
        return m
