"""Maximum pooling: the greatest value of a window, for some lanes of a word at a time."""

from functools import reduce
from operator import or_

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import ACTIVATION_BITS, EngineConfig
from tombola_hw.comparison import exceeds
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import (
    maxima_layout,
    of_pixels,
    part_lanes,
    pixels_layout,
    step_layout,
    window_from,
)


class MaxPoolUnit(wiring.Component):
    """Takes the maxima of the lines of each output position, for all pixels at once.

    Of each word it looks at `config.maximum_lanes` lanes, from ``step.part * part_lanes`` on, as
    bytes that are not negative: a signed activation plus 128.

    Latency: 2 clocks, from a position's `last` line to its maxima; the next position may begin in
    the very next clock. Throughput: a line a clock, no back-pressure. Golden model: `numpy.max`
    over the positions that are `inside`; anything where none is.

    Parameters
    ----------
    config : EngineConfig
        Not `compact`.

    Members
    -------
    signed : In(1)
        High: activations are two's complement. Constant while a layer runs.
    step : In(stream.Signature(step_layout(config), always_ready=True))
    activations : In(pixels_layout(config))
    maxima : Out(stream.Signature(maxima_layout(config), always_ready=True))
    """

    latency = 2
    """A register before the comparison, which keeps it apart from the memory, and one behind."""

    def __init__(self, config: EngineConfig):
        check_config("MaxPoolUnit", config)
        self._config = config
        super().__init__({
            "signed": In(1),
            "step": In(stream.Signature(step_layout(config), always_ready=True)),
            "activations": In(pixels_layout(config)),
            "maxima": Out(stream.Signature(maxima_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        pixels, width = self._config.pixels, self._config.maximum_lanes
        step, valid = Signal.like(self.step.p, reset_less=True), Signal()
        m.d.sync += [step.eq(self.step.p), valid.eq(self.step.valid)]

        # Which `width` lanes of a word count.
        parts = self._config.lanes // width
        chosen = [1]
        if parts > 1:
            part = self.step.p.part // (width // part_lanes(self._config))
            chosen = [part == index for index in range(parts)]

        # No line of this position was inside so far.
        empty = Signal(pixels, init=(1 << pixels) - 1)
        with m.If(valid):
            m.d.sync += empty.eq(step.last.replicate(pixels) | (empty & ~step.inside))

        words = of_pixels(self._config, self.activations)
        maxima = of_pixels(self._config, self.maxima.p.values)
        for pixel, lane in ((p, lane) for p in range(pixels) for lane in range(width)):
            # Gated by the reset of flip-flops, which costs no cells as a multiplexer does.
            gated = []
            for index, counts in enumerate(chosen):
                byte = Signal(ACTIVATION_BITS, name=f"byte{index}", reset_less=True)
                m.d.sync += byte.eq(Mux(counts, words[pixel][index * width + lane], 0))
                gated.append(byte)
            operand, greatest = Signal(ACTIVATION_BITS), maxima[pixel][lane]
            m.d.comb += operand.eq(reduce(or_, gated) ^ (self.signed << ACTIVATION_BITS - 1))
            with m.If(valid & step.inside[pixel] & (empty[pixel] | exceeds(operand, greatest))):
                m.d.sync += greatest.eq(operand)

        m.d.sync += [
            self.maxima.valid.eq(valid & step.last),
            self.maxima.p.count.eq(step.count),
            self.maxima.p.new_group.eq(step.new_group),
            self.maxima.p.end.eq(step.end),
            *window_from(self._config, self.maxima.p, step),
        ]
        return m
