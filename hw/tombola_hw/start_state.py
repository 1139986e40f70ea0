"""Where a channel's stream starts: the Speck round of the contract, once a clock."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.start_state import (
    HALF_BITS,
    HALF_MASK,
    ROTATE_LEFT,
    ROTATE_RIGHT,
    ROUNDS,
    ZERO_STATE,
)


class StartStateMixer(wiring.Component):
    """Mixes seed, weight set, channel and stream kind into a 64-bit start state.

    `start` takes `high` and `channel` in that clock, whatever went on before, and drops `done`;
    13 clocks later `done` rises and stays with `state` until the next `start`. `seed` must not
    change meanwhile. Golden model: `tombola.spec.start_state.start_state`.

    Members
    -------
    seed : In(64)
    start : In(1)
    high : In(32)
        `tombola.spec.start_state.high_half`.
    channel : In(32)
    done : Out(1)
    state : Out(64)
    """

    seed: In(2 * HALF_BITS)
    start: In(1)
    high: In(HALF_BITS)
    channel: In(HALF_BITS)
    done: Out(1)
    state: Out(2 * HALF_BITS)

    def elaborate(self, platform):
        m = Module()

        x = Signal(HALF_BITS)
        y = Signal(HALF_BITS)
        # Counts the rounds; one clock more replaces a mixed zero, on the registers' set inputs.
        index = Signal(range(ROUNDS + 2), init=ROUNDS + 1)

        key = Mux(index[0], self.seed[HALF_BITS:], self.seed[:HALF_BITS]) ^ index
        next_x = Signal(HALF_BITS)
        m.d.comb += [
            next_x.eq((x.rotate_right(ROTATE_RIGHT) + y) ^ key),
            self.state.eq(Cat(y, x)),
            self.done.eq(index == ROUNDS + 1),
        ]

        with m.If(self.start):
            m.d.sync += [x.eq(self.high), y.eq(self.channel), index.eq(0)]
        with m.Elif(index < ROUNDS):
            m.d.sync += [x.eq(next_x), y.eq(y.rotate_left(ROTATE_LEFT) ^ next_x)]
            m.d.sync += index.eq(index + 1)
        with m.Elif(~self.done):
            m.d.sync += index.eq(index + 1)
            with m.If(self.state == 0):
                m.d.sync += [x.eq(ZERO_STATE >> HALF_BITS), y.eq(ZERO_STATE & HALF_MASK)]

        return m
