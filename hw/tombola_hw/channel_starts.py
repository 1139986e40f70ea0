"""Start states of all channels of a layer, in order, mixed ahead of their use."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import COUNT_BITS
from tombola.spec.lfsr import WORD
from tombola_hw.interfaces import layer_layout
from tombola_hw.start_state import StartStateMixer


class ChannelStarts(wiring.Component):
    """Gives four words a channel: sign state low and high, freeze state low and high.

    The first two are ready 15 clocks after `begin` or after the last word of the channel before,
    the others as long after them. A layer that freezes nothing gets two words of no meaning there,
    at once. Golden model: `tombola.spec.start_state.start_states`.

    Members
    -------
    layer : In(layer_layout())
    seed : In(64)
        Both constant from `begin` on.
    begin : In(1)
        Channel 0 is next.
    words : Out(stream.Signature(32))
    channel : Out(16)
        Channels whose four words were taken.
    """

    layer: In(layer_layout())
    seed: In(64)
    begin: In(1)
    words: Out(stream.Signature(WORD))
    channel: Out(COUNT_BITS)

    def elaborate(self, platform):
        m = Module()
        m.submodules.mixer = mixer = StartStateMixer()

        beat = Signal(2)
        mix = Signal()
        unused = beat[1] & (self.layer.frozen == 0)
        m.d.comb += [
            mixer.seed.eq(self.seed),
            mixer.high.eq(Cat(self.layer.weight_set, beat[1])),  # beat 2: StreamKind.FREEZE
            mixer.channel.eq(self.channel),
            mixer.start.eq(mix),
            self.words.payload.eq(mixer.state.word_select(beat[0], WORD)),
            self.words.valid.eq((mixer.done & ~mix) | unused),
        ]

        m.d.sync += mix.eq(0)
        with m.If(self.words.valid & self.words.ready):
            m.d.sync += beat.eq(beat + 1)
            m.d.sync += self.channel.eq(self.channel + (beat == 3))
            m.d.sync += mix.eq(beat[0])
        with m.If(self.begin):
            m.d.sync += [beat.eq(0), self.channel.eq(0), mix.eq(1)]

        return m
