"""The states that rows leave until their next turn, and the start states of the channel to come."""

from amaranth import C, Cat, Module, Mux, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola_hw.channel_starts import ChannelStarts
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import NO_COLLISIONS, layer_layout
from tombola_hw.mask_reader import cursor_bits
from tombola_hw.start_state import seed_layout

INDEX_BITS = 3
CURSOR = 6
"""Index of the cursor; stream states are words 0 to 3."""


class RowStates(wiring.Component):
    """A memory of eight words a row, and as many for the next channel's start.

    `word` comes one clock after `fresh`, `row` and `index`. While `save`, the word at hand is
    written: `cursor` at indices from 4 on, `chain` below. In all other clocks the start states
    of the next channel go in as they are mixed; `fresh` words are whole while `complete`. Golden
    model: `tombola.spec.start_state.start_states`, and a dictionary.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer, seed, begin, next, channel, complete
        As in `ChannelStarts`.
    row : In(range(rows))
    fresh : In(1)
        Read the start states of `channel`, not what `row` has saved.
    index : In(3)
    word : Out(32)
    save : In(1)
    chain, cursor : In(32), In(cursor_bits)
    """

    def __init__(self, config: EngineConfig):
        check_config("RowStates", config)
        self._config = config
        super().__init__({
            "layer": In(layer_layout(config)),
            "seed": In(seed_layout()),
            "begin": In(1),
            "next": In(1),
            "channel": Out(range(config.table_entries + 1)),
            "complete": Out(1),
            "row": In(range(config.rows)),
            "fresh": In(1),
            "index": In(INDEX_BITS),
            "word": Out(WORD),
            "save": In(1),
            "chain": In(WORD),
            "cursor": In(cursor_bits(config)),
        })

    def elaborate(self, platform):
        m = Module()
        rows = self._config.rows
        m.submodules.starts = starts = ChannelStarts(self._config)
        m.submodules.memory = memory = Memory(
            shape=unsigned(WORD), depth=(rows + 1) << INDEX_BITS, init=[], attrs=NO_COLLISIONS
        )
        reader, writer = memory.read_port(), memory.write_port()

        # Bits of the chain above the cursor's are written with it and never looked at.
        cursor = Cat(self.cursor, self.chain[len(self.cursor) :])
        m.d.comb += [
            starts.layer.eq(self.layer),
            starts.seed.eq(self.seed),
            starts.begin.eq(self.begin),
            starts.next.eq(self.next),
            starts.words.ready.eq(~self.save),
            self.channel.eq(starts.channel),
            self.complete.eq(starts.complete),
            reader.addr.eq(Cat(self.index, Mux(self.fresh, rows, self.row))),
            self.word.eq(reader.data),
            writer.en.eq(self.save | starts.words.valid),
        ]
        with m.If(self.save):
            m.d.comb += writer.addr.eq(Cat(self.index, self.row))
            m.d.comb += writer.data.eq(Mux(self.index[-1], cursor, self.chain))
        with m.Else():
            m.d.comb += writer.addr.eq(Cat(starts.index, C(0, 1), C(rows, len(reader.addr))))
            m.d.comb += writer.data.eq(starts.words.payload)

        return m
