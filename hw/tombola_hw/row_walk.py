"""Where construction stands in a row: which positions are real, where a chunk and the row end."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout


class RowWalk(wiring.Component):
    """Counts steps, words and chunks of the rows of a layer.

    A turn is one chunk of one row: as many `step` as it takes until `last` goes with one, then
    `turn`. `next_chunk` with it says that every row had its turn: the chunk after it is next, or
    after the `final` one the first chunk of new rows. Outputs are combinational from registers, a
    step a clock; no step in the 2 clocks after `begin` and `turn`. Golden model:
    `tombola.spec.layout.RowLayout.real`.

    Parameters
    ----------
    config : EngineConfig
        `construction` positions are a step. A chunk has at most `weight_lines` words, since each
        word makes a line at least.

    Members
    -------
    layer : In(layer_layout(config))
    begin : In(1)
        Back to the first chunk; once before each layer.
    step, turn, next_chunk : In(1)
    real : Out(construction)
        Positions of this step that are weights, not padding.
    last : Out(1)
        This is the turn's last step.
    final : Out(1)
        This chunk ends the row.
    """

    def __init__(self, config: EngineConfig):
        check_config("RowWalk", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "begin": In(1),
            "step": In(1),
            "turn": In(1),
            "next_chunk": In(1),
            "real": Out(config.construction),
            "last": Out(1),
            "final": Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        layer = self.layer
        bits = self._config.count_bits
        row_words, chunk_words, period = (
            layer[name][:bits] for name in ("row_words", "chunk_words", "period")
        )
        steps_a_word = WORD // self._config.construction
        # Words from this chunk to the row's end, complemented: adding needs no inverters.
        left = Signal(bits)
        following = Signal(bits + 1)
        final = Signal()
        part = Signal(range(steps_a_word))   # step in the word
        phase = Signal(bits, init=1)   # word in the period, from 1
        chunk_phase = Signal.like(phase)     # ... at the start of the chunk
        word = Signal(range(min(self._config.weight_lines, (1 << bits) - 1) + 1), init=1)
        limit = Signal.like(word)            # words of this chunk

        word_end = part == steps_a_word - 1
        tail = phase == period
        # The masks of a compact engine turn with each step.
        at = 0 if self._config.compact else part
        masks = (layer.word_mask, layer.tail_mask)
        ordinary, cut = (mask.word_select(at, self._config.construction) for mask in masks)
        m.d.comb += [
            following.eq(left + chunk_words),
            self.real.eq(Mux(tail, cut, ordinary)),
            self.last.eq(word_end & (word == limit)),
            self.final.eq(final),
        ]
        # Settled long before a turn's first step, which comes clocks after `begin` or `turn`.
        m.d.sync += final.eq(following[-1] | following[:-1].all())
        m.d.sync += limit.eq(Mux(final, ~left, chunk_words))

        # Each register has one enable and one reset: on iCE40 that halves its cells.
        word_step = self.step & word_end
        rewind = self.turn & ~self.next_chunk
        advance = self.turn & self.next_chunk
        with m.If(self.begin):
            m.d.sync += part.eq(0)
        with m.Elif(self.step):
            m.d.sync += part.eq(part + 1)
        with m.If(self.begin | self.turn):
            m.d.sync += word.eq(1)
        with m.Elif(word_step):
            m.d.sync += word.eq(word + 1)
        with m.If(self.begin | (word_step & tail)):
            m.d.sync += phase.eq(1)
        with m.Elif(word_step | rewind):
            m.d.sync += phase.eq(Mux(self.turn, chunk_phase, phase + 1))
        with m.If(self.begin):
            m.d.sync += chunk_phase.eq(1)
        with m.Elif(advance):
            m.d.sync += chunk_phase.eq(phase)
        with m.If(self.begin | advance):
            m.d.sync += left.eq(Mux(self.begin | final, ~row_words, following))

        return m
