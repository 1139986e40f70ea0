"""Start states of the channels of a layer, in order, each mixed while another channel is built."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.compact_start_state import CompactStartStateMixer
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import layer_layout
from tombola_hw.start_state import StartStateMixer, seed_layout


class ChannelStarts(wiring.Component):
    """Mixes the start states of one channel ahead of its turn, as words for a memory.

    Words 0 to 3 are sign state low and high, freeze state low and high; a layer that freezes
    nothing has no words 2 and 3. Word 0 comes 14 clocks after `begin` or `next`, 26 if compact,
    word 2 as long after word 1; then `complete` is high until `next`. A word that is not taken
    stalls the mixing. Golden model: `tombola.spec.start_state.start_states`.

    Parameters
    ----------
    config : EngineConfig
        A layer has at most `table_entries` channels, since each owns one.

    Members
    -------
    layer : In(layer_layout(config))
    seed : In(seed_layout())
        The layer is constant, the seed not written from `begin` on.
    begin : In(1)
        Channel 0 is next.
    words : Out(stream.Signature(32))
    index : Out(2)
        Of the word at hand.
    complete : Out(1)
        All words of `channel` were taken.
    channel : Out(range(table_entries + 1))
    next : In(1)
        While `complete`: go on to the next channel, or beyond the last.
    """

    def __init__(self, config: EngineConfig):
        check_config("ChannelStarts", config)
        self._compact = config.compact
        super().__init__({
            "layer": In(layer_layout(config)),
            "seed": In(seed_layout()),
            "begin": In(1),
            "words": Out(stream.Signature(WORD)),
            "index": Out(2),
            "complete": Out(1),
            "channel": Out(range(config.table_entries + 1)),
            "next": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        mixer = CompactStartStateMixer() if self._compact else StartStateMixer()
        m.submodules.mixer = mixer

        mix = Signal()
        m.d.comb += [
            mixer.seed.eq(self.seed),
            mixer.high.eq(Cat(self.layer.weight_set, self.index[1])),  # StreamKind.FREEZE is 1
            mixer.channel.eq(self.channel),
            mixer.start.eq(mix),
            self.words.valid.eq(mixer.done & ~mix & ~self.complete),
        ]
        if self._compact:
            m.d.comb += self.words.payload.eq(mixer.word)
            m.d.comb += mixer.take.eq(self.words.valid & self.words.ready)
        else:
            m.d.comb += self.words.payload.eq(mixer.state.word_select(self.index[0], WORD))

        m.d.sync += mix.eq(0)
        with m.If(self.words.valid & self.words.ready):
            m.d.sync += self.index.eq(self.index + 1)
            with m.If(self.index[0]):
                last = self.index[1] | (self.layer.frozen == 0)
                m.d.sync += [mix.eq(~last), self.complete.eq(last)]
        with m.If(self.next):
            m.d.sync += self.channel.eq(self.channel + 1)
        with m.If(self.begin):
            m.d.sync += self.channel.eq(0)
        with m.If(self.begin | self.next):
            m.d.sync += [self.index.eq(0), mix.eq(1), self.complete.eq(0)]

        return m
