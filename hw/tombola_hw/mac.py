"""The array: rows x lanes x pixels masked additions a clock, without a multiplier."""

from collections.abc import Callable
from typing import Any

from amaranth import Cat, Module, Mux, ResetSignal, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.interfaces import (
    of_pixels,
    part_lanes,
    pixels_layout,
    step_layout,
    sums_layout,
    weights_layout,
    window_from,
)
from tombola_hw.mac_row import MacRow
from tombola_hw.stagger import Stagger

MakeRow = Callable[[EngineConfig], Any]
"""Makes a row: a component with a `MacRowSignature` as `port` and what that demands."""


class MacArray(wiring.Component):
    """Sums the lines of each output position, for all rows and pixels at once.

    Each pixel has its own activations and positions; the weights of a line are common to all.

    With several planes a line comes once for each plane of the weights, most significant first.

    It also sums windows, a channel a row: while `sums_lanes` is high, row r adds lane
    ``step.part * part_lanes + r`` alone, for the first `config.average_lanes` rows. A compact
    engine has a pooling unit for that.

    A line is a valid `step` with the `activations` and `weights` of the same clock. `sums` are
    valid `latency` clocks after a position's `last` line; their values are there from the next
    clock on, and stay until the next position's. That may begin in the very next clock, or in the
    one after it with `config.compact`, whose values come with `valid`.
    Throughput: a line a clock, no back-pressure. Golden model: a dot product in which
    a negative weight takes ``~a`` for ``a``, and a position that is not `inside` has a = 0.

    With `config.unsigned_sums` the activations are bytes of 0 to 255, signed ones plus 128, and a
    negative weight takes ``255 - a``.

    With `config.compact` 128 is subtracted from an unsigned a, whether `inside` or not; the loader
    makes good for it by 128 times the sum of the channel's weights.

    A sum of n lanes needs `spec.arithmetic.raw_accumulator_bits` bits; the compiler proves
    that no layer exceeds `accumulator_bits`.

    Parameters
    ----------
    config : EngineConfig
    row : callable
        A `MakeRow`.
    pipelined : bool
        True: registers in front of the rows, so that a large array is not held up by the way from
        the memories to all its rows; 8 x lanes x pixels + 2 x rows x lanes flip-flops.

    Members
    -------
    signed : In(1)
        High: activations are two's complement. Constant while a layer runs.
    sums_lanes : In(1)
        Weights are those of a sum over each lane, not `weights`. Constant while a layer runs; not
        if compact.
    clear : In(1)
        Forgets the lines of a position that a broken run left without its last; as a reset does.
    step : In(stream.Signature(step_layout(config), always_ready=True))
    activations : In(pixels_layout(config))
    weights : In(weights_layout(config))
    sums : Out(stream.Signature(sums_layout(config), always_ready=True))
        If compact, values beyond the rows are 0, and all are from one position to the next.

    Attributes
    ----------
    rows : list
        Of all pixels, pixel after pixel.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        row: MakeRow = MacRow,
        pipelined: bool = False,
    ):
        check_config("MacArray", config)
        check_bool("MacArray", "pipelined", pipelined)
        self._config, self._pipelined = config, pipelined
        self.rows = [row(config) for _ in range(config.rows * config.pixels)]
        super().__init__({
            "signed": In(1),
            **({} if config.compact else {"sums_lanes": In(1)}),
            "clear": In(1),
            "step": In(stream.Signature(step_layout(config), always_ready=True)),
            "activations": In(pixels_layout(config)),
            "weights": In(weights_layout(config)),
            "sums": Out(stream.Signature(sums_layout(config), always_ready=True)),
        })

    @property
    def latency(self) -> int:
        """Clocks from a position's last line to its sums."""
        return self._row_latency + self._config.compact

    @property
    def _row_latency(self) -> int:
        return self.rows[0].latency + self._pipelined

    def elaborate(self, platform):
        m = Module()
        optional = "sync" if self._pipelined else "comb"

        activations = Signal.like(self.activations, reset_less=True)
        weights = Signal.like(self.weights, reset_less=True)
        pixels = self._config.pixels
        inside, extend = Signal(pixels, reset_less=True), Signal(pixels, reset_less=True)
        m.d[optional] += [
            activations.eq(self._offset(self.activations)),
            weights.eq(self.weights if self._config.compact else self._chosen_weights()),
            inside.eq(self.step.p.inside),
            extend.eq(self.step.p.inside & self.signed.replicate(pixels)),
        ]

        row = self.rows[0]
        words = [
            self._staggered(m, f"activations{index}", word, row.activation_delays, lane_bits=8)
            for index, word in enumerate(of_pixels(self._config, activations))
        ]
        positive, negative = (
            [
                self._staggered(m, f"{name}{index}", lanes, row.weight_delays, lane_bits=1)
                for index, lanes in enumerate(weights[name])
            ]
            for name in ("positive", "negative")
        )

        # Down to the clock in which the rows are told, and that in which the line is added.
        step, valid = self.step.p, self.step.valid
        for _ in range(self._row_latency - row.control_lead):
            step, valid = self._later(m, step, valid)
        accumulate, clears, added = valid, step.last, step
        for _ in range(row.control_lead):
            step, valid = self._later(m, step, valid)

        clear = ResetSignal(allow_reset_less=True) | self.clear
        complete = valid & step.last
        if self._config.compact:
            # The sums show a clock later, in which no line comes: then the rows are cleared.
            step, complete = self._later(m, step, complete)
            accumulate, clears = valid | complete, complete

        sums = of_pixels(self._config, self.sums.p.values)
        for index, row in enumerate(self.rows):
            m.submodules[f"row{index}"] = row
            pixel, channel = divmod(index, self._config.rows)
            m.d.comb += [
                row.port.activations.eq(words[pixel]),
                row.port.inside.eq(inside[pixel]),
                row.port.extend.eq(extend[pixel]),
                row.port.positive.eq(positive[channel]),
                row.port.negative.eq(negative[channel]),
                row.port.accumulate.eq(accumulate | clear),
                row.port.clear.eq(clears | clear),
                sums[pixel][channel].eq(row.port.total),
            ]
            if self._config.planes > 1:
                m.d.comb += row.port.more.eq(accumulate & added.more & ~clear)

        m.d.comb += [
            self.sums.valid.eq(complete),
            self.sums.p.count.eq(step.count),
            self.sums.p.new_group.eq(step.new_group),
            self.sums.p.end.eq(step.end),
            *window_from(self._config, self.sums.p, step),
        ]
        return m

    def _chosen_weights(self):
        """Those of a convolution, or of sums over lanes: behind a register that is its reset."""
        lanes, summed = self._config.lanes, self._config.average_lanes
        mine = [1]
        if summed < lanes:
            part = self.step.p.part // (summed // part_lanes(self._config))
            mine = [part == index for index in range(lanes // summed)]
        positive = (
            Mux(self.sums_lanes, mine[lane // summed] if lane % summed == row else 0, weight)
            for row, weights in enumerate(self.weights.positive)
            for lane, weight in enumerate(weights)
        )
        negative = self.weights.negative.as_value()
        return Cat(*positive, Mux(self.sums_lanes, 0, negative))

    def _offset(self, activations):
        if self._config.unsigned_sums:
            words = zip(of_pixels(self._config, activations), self.step.p.inside, strict=True)
            counts = (Mux(inside, byte, 0) for word, inside in words for byte in word)
            return Cat(byte ^ (self.signed << 7) for byte in counts)
        if not self._config.compact:
            return activations
        # Adding 128 to a byte or subtracting it turns its top bit over, also outside the input.
        tops = ((byte[-1] & self.step.p.inside) ^ ~self.signed for byte in activations)
        return Cat(Cat(byte[:-1], top) for byte, top in zip(activations, tops, strict=True))

    def _staggered(self, m, name, word, delays, *, lane_bits):
        if not any(delays):
            return word
        m.submodules[f"stagger_{name}"] = stagger = Stagger(delays, lane_bits=lane_bits)
        m.d.comb += stagger.word.eq(word)
        return stagger.staggered

    def _later(self, m, step, valid):
        later, later_valid = Signal.like(step, reset_less=True), Signal()
        m.d.sync += [later.eq(step), later_valid.eq(valid)]
        return later, later_valid
