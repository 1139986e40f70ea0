"""Cuts words of weights into lines for the array, one for each plane."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.bit_layers import weight_word_layout
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout, line_layout
from tombola_hw.line_packer import pick


class WordCutter(wiring.Component):
    """Makes the lines of a word in the order of its positions, without lines of padding.

    A line comes once for each plane of the layer, the most significant first. It is real if its
    first position is, since padding ends what it pads. A line a clock, also one of padding between
    others, the first 2 clocks after its word; lines that are not taken stall the words. Golden
    model: rows reshaped to (lines, lanes), padding lines left out, the bits of their magnitudes.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    line_positions : In(3)
        Of the layer; both constant from a clock before the first word on.
    words : In(stream.Signature(weight_word_layout(config)))
    lines : Out(stream.Signature(line_layout(config)))
    pending : Out(1)
        A line was not taken.
    """

    def __init__(self, config: EngineConfig):
        check_config("WordCutter", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "line_positions": In(layer_layout(config)["line_positions"].shape),
            "words": In(stream.Signature(weight_word_layout(config))),
            "lines": Out(stream.Signature(line_layout(config))),
            "pending": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self._config.lanes
        lanes_log = exact_log2(lanes)
        word, line = Signal(weight_word_layout(self._config)), self.lines.p
        held = Signal()
        at = Signal(exact_log2(WORD))
        following = Signal(len(at))
        behind = Signal(WORD)  # of each position: whether a real one is behind it
        plane = Signal(range(self._config.planes))
        top = self.layer.planes - 1 if self._config.planes > 1 else 0

        # What the size of a line decides, in registers.
        spans = Signal(lanes_log + 1)
        size = Signal(lanes_log + 1)
        rest = Signal(len(at))  # of a line's positions beside the first
        m.d.sync += [
            spans[log].eq(self.line_positions >= log) for log in range(lanes_log + 1)
        ] + [
            size.eq(1 << self.line_positions),
            rest.eq(Cat(self.line_positions > log for log in range(len(at)))),
        ]

        take = self.words.valid & self.words.ready
        real = word.real.bit_select(at, 1)
        cut = held & real & (~self.lines.valid | self.lines.ready)
        ends = (plane == 0) & ~behind.bit_select(at | rest, 1)
        m.d.comb += [
            following.eq(at + size),
            self.words.ready.eq(~held | (cut & ends)),
            self.pending.eq(held | self.lines.valid),
        ]

        with m.If(self.lines.ready):
            m.d.sync += self.lines.valid.eq(0)
        with m.If(cut):
            m.d.sync += [
                self.lines.valid.eq(1),
                line.row.eq(word.row),
                line.last_row.eq(word.last_row),
                line.chunk_end.eq(ends & word.last),
                plane.eq(Mux(plane == 0, top, plane - 1)),
            ]
            with m.If(ends):
                m.d.sync += held.eq(0)
            bits = Array(word.planes)[plane]
            for lane in range(lanes):
                log = ceil_log2(lane + 1)
                kept = pick(bits, at, lane, log) & spans[log]
                negative = pick(word.negative, at, lane, log)
                m.d.sync += [
                    line.positive[lane].eq(kept & ~negative),
                    line.negative[lane].eq(kept & negative),
                ]
        with m.If((cut & (plane == 0)) | ~real):
            m.d.sync += at.eq(following)
        with m.If(take):
            m.d.sync += [
                word.eq(self.words.p),
                behind.eq(Cat(self.words.p.real[index + 1 :].any() for index in range(WORD))),
                held.eq(1),
                at.eq(0),
                plane.eq(top),
            ]

        return m
