"""Weights of several bits: each word of positions meets its layers of mask bits one by one."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.class_drawer import classes_layout
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout
from tombola_hw.line_packer import step_codes_layout

AHEAD = WORD + 8
"""Steps under way at most: those of a whole word, and what the mask applier holds."""


def weight_word_layout(config: EngineConfig) -> data.StructLayout:
    """A word of weights of one row, a bit a position.

    `planes` is the magnitude, least significant plane first; `real` positions are not padding, and
    `negative` counts where the magnitude is not 0. `last` marks the turn's last word.
    """
    return data.StructLayout({
        "planes": data.ArrayLayout(unsigned(WORD), config.planes),
        "negative": unsigned(WORD),
        "real": unsigned(WORD),
        "last": unsigned(1),
        "row": range(config.rows),
        "last_row": unsigned(1),
    })


class BitLayers(wiring.Component):
    """Sends the steps of each word through the mask applier, once for each layer of bits.

    Coats: what is kept by one coat is searchable in the next, what is locked is kept by all, and
    the weight is the number of coats that kept it. Stored: the first layer says what is kept, and
    of that come the signs and then the planes of the magnitude, the most significant first.

    A layer takes 32 / `construction` clocks, but a coat and the signs wait for the bits before them
    as long as the applier takes: 2 clocks with 8 positions a clock, 4 with more. A word takes a
    clock more than its layers. Words that are not taken stall all. Golden model:
    `tombola.spec.mask_code.decode`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    classes : In(stream.Signature(classes_layout(config)))
        Of the drawer.
    asked : Out(stream.Signature(classes_layout(config)))
    codes : In(stream.Signature(step_codes_layout(config)))
        To the mask applier and from it.
    words : Out(stream.Signature(weight_word_layout(config)))
    drained : Out(1)
        No word has further layers to come, and no step waits here for its first one.
    holds : Out(1)
        A word is whole and was not taken.
    """

    def __init__(self, config: EngineConfig):
        check_config("BitLayers", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "classes": In(stream.Signature(classes_layout(config))),
            "asked": Out(stream.Signature(classes_layout(config))),
            "codes": In(stream.Signature(step_codes_layout(config))),
            "words": Out(stream.Signature(weight_word_layout(config))),
            "drained": Out(1),
            "holds": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        width = self._config.construction
        steps = WORD // width
        m.submodules.asking = asking = LayerCount(self._config)
        m.submodules.gatherer = gatherer = BitGatherer(self._config)

        connect(m, flipped(self.codes), gatherer.codes)
        connect(m, gatherer.words, flipped(self.words))
        drawn, ask = self.classes.p, self.asked.p
        asks = self.asked.valid & self.asked.ready
        comes = self.codes.valid & self.codes.ready
        ahead = Signal(range(AHEAD))  # steps under way
        locked = Signal(WORD)         # a step leaves at the low end and enters at the top
        bits = Signal(width)
        turn_last = Signal()
        free = Signal()               # needs no bit that is still under way
        newest = Signal()             # needs the very bits that come in this clock
        kept = gatherer.above.word_select(ahead[: exact_log2(steps)], width)
        m.d.comb += [
            free.eq(asking.index[1:].any() & (self.layer.stored if self._config.stored else 0)),
            newest.eq((ahead == steps) & ~free),
            bits.eq(Mux(newest, self.codes.p.kept, kept)),
            self.asked.valid.eq(
                Mux(asking.first, self.classes.valid, free | (ahead < steps) | (newest & comes))
            ),
            ask.searchable.eq(Mux(asking.first, drawn.searchable, bits & ~locked[:width])),
            ask.locked.eq(Mux(asking.first, drawn.locked, locked[:width])),
            ask.flag.eq(Mux(asking.first, drawn.flag, 0)),
            ask.last.eq(Mux(asking.first, drawn.last, turn_last)),
            self.classes.ready.eq(asking.first & self.asked.ready),
            self.drained.eq(asking.first & ~self.classes.valid),
            self.holds.eq(gatherer.words.valid),
            asking.layer.eq(self.layer),
            asking.step.eq(asks),
            gatherer.layer.eq(self.layer),
        ]
        m.d.sync += ahead.eq(ahead + asks - comes)
        with m.If(asks):
            m.d.sync += [locked.eq(Cat(locked[width:], ask.locked)), turn_last.eq(ask.last)]

        return m


class BitGatherer(wiring.Component):
    """Gathers the bits of a word's layers, step after step, into its weights.

    A word is there a clock after its last step; until it is taken no step is. In all registers a
    step leaves at the low end and enters, renewed, at the top.

    Members
    -------
    layer : In(layer_layout(config))
    codes : In(stream.Signature(step_codes_layout(config)))
    words : Out(stream.Signature(weight_word_layout(config)))
    above : Out(32)
        What the layer before kept; stored: what the mask keeps.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "codes": In(stream.Signature(step_codes_layout(config))),
            "words": Out(stream.Signature(weight_word_layout(config))),
            "above": Out(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        width = self._config.construction
        stored = self.layer.stored if self._config.stored else 0
        m.submodules.coming = coming = LayerCount(self._config)

        code, word = self.codes.p, self.words.p
        comes = self.codes.valid & self.codes.ready
        m.d.comb += [
            self.codes.ready.eq(~self.words.valid),
            coming.layer.eq(self.layer),
            coming.step.eq(comes),
        ]

        def renew(register, part):
            m.d.sync += register.eq(Cat(register[width:], part))

        signs = Mux(stored, coming.index == 1, coming.first)
        with m.If(self.words.ready):
            m.d.sync += self.words.valid.eq(0)
        with m.If(comes):
            renew(self.above, Mux(stored & ~coming.first, self.above[:width], code.kept))
            renew(word.real, Mux(coming.first, code.kept | code.flag, word.real[:width]))
            sign = Mux(stored, code.kept, code.flag)
            renew(word.negative, Mux(signs, sign, word.negative[:width]))
            # Coats are counted; magnitudes, which come from the top, are shifted in.
            carry = shifted = code.kept
            for plane in word.planes:
                old = plane[:width] & ~coming.first.replicate(width)
                magnitude = Mux(coming.index[1:].any(), shifted, old)
                renew(plane, Mux(stored, magnitude, old ^ carry))
                carry, shifted = old & carry, old
            m.d.sync += [
                self.words.valid.eq(coming.last),
                word.last.eq(code.last),
                word.row.eq(code.row),
                word.last_row.eq(code.last_row),
            ]

        return m


class LayerCount(wiring.Component):
    """Counts the steps of a word, layer of bits after layer.

    Members
    -------
    layer : In(layer_layout(config))
    step : In(1)
    index : Out(7)
        Layer of this step, from 0.
    first : Out(1)
        It is the word's first.
    last : Out(1)
        This is the last step of the word's last layer.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "step": In(1),
            "index": Out(7),
            "first": Out(1),
            "last": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        part = Signal(range(WORD // self._config.construction))
        ends = part == WORD // self._config.construction - 1
        # Stored weights of one plane have two layers of bits beside it.
        several = self._config.planes > 1
        final = self.layer.bit_layers if several else self.layer.stored << 1
        m.d.comb += [
            self.first.eq(self.index == 0),
            self.last.eq(ends & (self.index == final)),
        ]
        with m.If(self.step):
            m.d.sync += part.eq(part + 1)
            with m.If(ends):
                m.d.sync += self.index.eq(Mux(self.last, 0, self.index + 1))
        return m
