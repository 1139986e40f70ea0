"""Where construction stands in a row: which positions are real, where a chunk and the row end."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import COUNT_BITS
from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout


class RowWalk(wiring.Component):
    """Counts steps, words and chunks of the rows of a layer.

    A turn is one chunk of one row: as many `step` as it takes until `last` goes with one, then
    `turn`. `next_chunk` with it says that every row had its turn: the chunk after it is next, or
    after the `final` one the first chunk of new rows. Outputs are combinational from registers; a
    step a clock. Golden model: `tombola.spec.layout.RowLayout.real`.

    Parameters
    ----------
    config : EngineConfig
        `construction` positions are a step. A chunk has at most `weight_lines` words, since each
        word makes a line at least.

    Members
    -------
    layer : In(layer_layout())
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
            "layer": In(layer_layout()),
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
        steps_a_word = WORD // self._config.construction
        # Words from this chunk to the row's end, complemented: adding needs no inverters.
        left = Signal(COUNT_BITS)
        following = Signal(COUNT_BITS + 1)
        part = Signal(range(steps_a_word))       # step in the word
        word = Signal(range(min(self._config.weight_lines, 1 << COUNT_BITS)))  # in the chunk
        phase = Signal(COUNT_BITS)               # word in the period
        chunk_phase = Signal(COUNT_BITS)         # ... at the start of the chunk

        next_word = Signal(len(word) + 1)
        next_phase = Signal(COUNT_BITS + 1)
        word_end = part == steps_a_word - 1
        tail = next_phase == layer.period
        m.d.comb += [
            following.eq(left + layer.chunk_words),
            self.final.eq(following[-1] | following[:-1].all()),
            next_word.eq(word + 1),
            next_phase.eq(phase + 1),
            self.last.eq(
                word_end
                & (next_word == Mux(self.final, ~left, layer.chunk_words)[: len(next_word)])
            ),
            self.real.eq(
                Mux(tail, layer.tail_mask, layer.word_mask).word_select(
                    part, self._config.construction
                )
            ),
        ]

        # Each register has one enable and one reset: on iCE40 that halves its cells.
        word_step = self.step & word_end
        rewind = self.turn & ~self.next_chunk
        advance = self.turn & self.next_chunk
        with m.If(self.begin):
            m.d.sync += part.eq(0)
        with m.Elif(self.step):
            m.d.sync += part.eq(part + 1)
        with m.If(self.begin | self.turn):
            m.d.sync += word.eq(0)
        with m.Elif(word_step):
            m.d.sync += word.eq(next_word)
        with m.If(self.begin | (word_step & tail)):
            m.d.sync += phase.eq(0)
        with m.Elif(word_step | rewind):
            m.d.sync += phase.eq(Mux(self.turn, chunk_phase, next_phase))
        with m.If(self.begin):
            m.d.sync += chunk_phase.eq(0)
        with m.Elif(advance):
            m.d.sync += chunk_phase.eq(phase)
        with m.If(self.begin | advance):
            m.d.sync += left.eq(Mux(self.begin | self.final, ~layer.row_words, following))

        return m
