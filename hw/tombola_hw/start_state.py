"""Where a channel's stream starts: the Speck round of the contract, once a clock."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.start_state import (
    HALF_BITS,
    ROTATE_LEFT,
    ROTATE_RIGHT,
    ROUNDS,
    ZERO_STATE,
)
from tombola_hw.interfaces import NO_COLLISIONS


def seed_layout() -> data.StructLayout:
    """A write of one half of the seed; the one who mixes keeps both."""
    return data.StructLayout({"write": 1, "half": 1, "word": HALF_BITS})


class StartStateMixer(wiring.Component):
    """Mixes seed, weight set, channel and stream kind into a 64-bit start state.

    `start` takes `high` and `channel` in that clock, whatever went on before, and drops `done`;
    12 clocks later `done` rises and stays with `state` until the next `start`. The seed must not be
    written meanwhile: it lies in a block RAM, which is read half by half. Golden model:
    `tombola.spec.start_state.start_state`.

    Members
    -------
    seed : In(seed_layout())
    start : In(1)
    high : In(32)
        `tombola.spec.start_state.high_half`.
    channel : In(32)
    done : Out(1)
    state : Out(64)
    """

    seed: In(seed_layout())
    start: In(1)
    high: In(HALF_BITS)
    channel: In(HALF_BITS)
    done: Out(1)
    state: Out(2 * HALF_BITS)

    def elaborate(self, platform):
        m = Module()

        x = Signal(HALF_BITS)
        y = Signal(HALF_BITS)
        index = Signal(range(ROUNDS + 1), init=ROUNDS)  # counts the rounds
        mixed = Cat(y, x)

        m.submodules.halves = halves = Memory(
            shape=unsigned(HALF_BITS),
            depth=2,
            init=[],
            attrs=NO_COLLISIONS | {"ram_style": "block"},
        )
        reader, writer = halves.read_port(), halves.write_port()
        key = reader.data ^ index
        next_x = Signal(HALF_BITS)
        m.d.comb += [
            writer.addr.eq(self.seed.half),
            writer.data.eq(self.seed.word),
            writer.en.eq(self.seed.write),
            # Of the next round: 0 after `start`, then in turn.
            reader.addr.eq(~index[0] & ~self.start),
            next_x.eq((x.rotate_right(ROTATE_RIGHT) + y) ^ key),
            # At the output, where it shares the cells of what chooses a half.
            self.state.eq(mixed | Mux(mixed == 0, ZERO_STATE, 0)),
            self.done.eq(index == ROUNDS),
        ]

        with m.If(self.start):
            m.d.sync += [x.eq(self.high), y.eq(self.channel), index.eq(0)]
        with m.Elif(~self.done):
            m.d.sync += [x.eq(next_x), y.eq(y.rotate_left(ROTATE_LEFT) ^ next_x)]
            m.d.sync += index.eq(index + 1)

        return m
