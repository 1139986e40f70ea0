"""Where a channel's stream starts: the Speck round of the contract, once a clock."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.start_state import (
    HALF_BITS,
    ROTATE_LEFT,
    ROTATE_RIGHT,
    ROUNDS,
    ZERO_STATE,
)


def seed_layout() -> data.StructLayout:
    """A write of one half of the seed; the one who mixes keeps both."""
    return data.StructLayout({"write": 1, "half": 1, "word": HALF_BITS})


class StartStateMixer(wiring.Component):
    """Mixes seed, weight set, channel and stream kind into a 64-bit start state.

    `start` takes `high` and `channel` in that clock, whatever went on before, and drops `done`;
    12 clocks later `done` rises and stays with `state` until the next `start`. The seed must not be
    written meanwhile. Golden model: `tombola.spec.start_state.start_state`.

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

        halves = [Signal(HALF_BITS, name=f"seed{half}", reset_less=True) for half in range(2)]
        chosen = Signal(HALF_BITS, reset_less=True)
        key = chosen ^ index
        next_x = Signal(HALF_BITS)
        m.d.comb += [
            next_x.eq((x.rotate_right(ROTATE_RIGHT) + y) ^ key),
            # At the output, where it shares the cells of what chooses a half.
            self.state.eq(mixed | Mux(mixed == 0, ZERO_STATE, 0)),
            self.done.eq(index == ROUNDS),
        ]

        for half, register in enumerate(halves):
            with m.If(self.seed.write & (self.seed.half == half)):
                m.d.sync += register.eq(self.seed.word)
        # Of the next round: the low one after `start`, then in turn.
        m.d.sync += chosen.eq(Mux(index[0] | self.start, *halves))

        with m.If(self.start):
            m.d.sync += [x.eq(self.high), y.eq(self.channel), index.eq(0)]
        with m.Elif(~self.done):
            m.d.sync += [x.eq(next_x), y.eq(y.rotate_left(ROTATE_LEFT) ^ next_x)]
            m.d.sync += index.eq(index + 1)

        return m
