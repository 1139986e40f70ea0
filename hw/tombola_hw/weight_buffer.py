"""The weight buffer: a ring of lines that replays a channel group or lets it pass as a FIFO."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import NO_COLLISIONS, line_layout, weights_layout

RAM_BITS = 16
"""Width of an iCE40 block RAM, which writes any part of a word; wider rows have their own."""


class WeightBuffer(wiring.Component):
    """Holds `weight_lines` lines of rows x lanes weights.

    A row's lines of a chunk go to successive slots from the committed ones on, the next row's to
    the same slots; `chunk_end` of the `last_row` commits them all. A line is taken with `advance`,
    which needs `available`; `weights` come one clock later, for one clock. Lines taken without
    `release` stay and come again after `rewind`; released ones make room. One line written and one
    taken a clock. A line waits at the input until its slot is free, so a chunk must not have more
    lines than the buffer, nor a group that is rewound. Golden model: a list of committed lines.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    lines : In(stream.Signature(line_layout(config)))
    flush : In(1)
        Forgets all lines; before each layer, while no line comes.
    available : Out(1)
        The next line is committed; if not `config.compact`, since a clock at least.
    advance : In(1)
        Takes it.
    rewind : In(1)
        With `advance`, without `release`: the oldest line that is not released is next.
    release : In(1)
        With `advance`: this line and those before it are not needed again.
    weights : Out(weights_layout(config))
        Rows beyond the group's last keep what they had.
    """

    def __init__(self, config: EngineConfig):
        check_config("WeightBuffer", config)
        self._config = config
        super().__init__({
            "lines": In(stream.Signature(line_layout(config))),
            "flush": In(1),
            "available": Out(1),
            "advance": In(1),
            "rewind": In(1),
            "release": In(1),
            "weights": Out(weights_layout(config)),
        })

    def elaborate(self, platform):
        m = Module()

        line = self.lines.p
        lanes = self._config.lanes
        index_bits = exact_log2(self._config.weight_lines)
        # One bit more than a slot has tells a full ring from an empty one.
        base, read, commit, slot = (
            Signal(index_bits + 1, name=name) for name in ("base", "read", "commit", "slot")
        )
        next_read, next_slot = Signal.like(read), Signal.like(slot)
        used = Signal.like(slot)
        write = self.lines.valid & self.lines.ready
        # A line is written in the clock after it is taken, where the array comes later still.
        stored, at, stores = line, slot, write
        if not self._config.compact:
            stored, at, stores = Signal.like(line, reset_less=True), Signal.like(slot), Signal()
            m.d.sync += [stored.eq(line), at.eq(slot), stores.eq(write)]

        # Each row is written by itself; narrow rows share a block RAM, whose words are 16 bits.
        sharing = max(1, RAM_BITS // (2 * lanes))
        for first in range(0, self._config.rows, sharing):
            rows = range(first, min(first + sharing, self._config.rows))
            m.submodules[f"row{first}"] = memory = Memory(
                shape=unsigned(2 * lanes * len(rows)),
                depth=self._config.weight_lines,
                init=[],
                attrs=NO_COLLISIONS,
            )
            writer, reader = memory.write_port(granularity=2 * lanes), memory.read_port()
            m.d.comb += [
                writer.addr.eq(at),
                writer.data.eq(Cat(stored.positive, stored.negative).replicate(len(rows))),
                writer.en.eq(Cat(stores & (stored.row == row) for row in rows)),
                reader.addr.eq(read),
            ]
            for index, row in enumerate(rows):
                held = reader.data.word_select(index, 2 * lanes)
                m.d.comb += [
                    self.weights.positive[row].eq(held[:lanes]),
                    self.weights.negative[row].eq(held[lanes:]),
                ]

        m.d.comb += [
            next_read.eq(read + 1),
            next_slot.eq(slot + 1),
            used.eq(slot - base),
            self.lines.ready.eq(~used[-1]),
        ]
        with m.If(write):
            m.d.sync += slot.eq(Mux(line.chunk_end & ~line.last_row, commit, next_slot))
            with m.If(line.chunk_end & line.last_row):
                m.d.sync += commit.eq(next_slot)
        with m.If(self.advance):
            m.d.sync += read.eq(Mux(self.rewind & ~self.release, base, next_read))
            with m.If(self.release):
                m.d.sync += base.eq(next_read)
        if self._config.compact:
            m.d.comb += self.available.eq(read != commit)
        else:
            # A register, since all that a line moves on hangs on it.
            m.d.sync += self.available.eq(read != commit)
            with m.If(self.advance):
                again = self.rewind & ~self.release
                m.d.sync += self.available.eq(again | (next_read != commit))
            with m.If(self.flush):
                m.d.sync += self.available.eq(0)
        with m.If(self.flush):
            m.d.sync += [pointer.eq(0) for pointer in (base, read, commit, slot)]

        return m
