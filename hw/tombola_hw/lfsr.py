"""The 64-bit LFSR of the weight streams, many bits a clock, with a word-wide path for its state."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError
from tombola.spec.lfsr import RECURRENCE, STATE_BITS, WORD

MAX_LEAP = 8 * WORD
"""Freeze draws of the widest construction: eight bits for each of 32 positions."""


def sequence_terms(length: int) -> list[tuple[int, ...]]:
    """For each bit x[0] .. x[length - 1] the bits whose XOR it is; the state's own bits have none.

    Squaring the recurrence gives x[n + 128] = x[n] ^ x[n + 2] ^ x[n + 6] ^ x[n + 8], squaring once
    more x[n + 256], and so on. Of these, each bit takes the one that makes the shallowest XOR:
    every bit is one four-input XOR of earlier ones, and of these at most two lie behind each other,
    but three for x[244] to x[255].
    """
    terms: list[tuple[int, ...]] = [()] * min(length, STATE_BITS)
    depth = [0] * STATE_BITS
    for bit in range(STATE_BITS, length):
        choices = []
        power = 1
        while STATE_BITS * power <= bit:
            choices.append(tuple(bit - power * (STATE_BITS - tap) for tap in RECURRENCE))
            power *= 2
        best = min(choices, key=lambda choice: max(depth[index] for index in choice))
        terms.append(best)
        depth.append(1 + max(depth[index] for index in best))
    return terms


class LeapLfsr(wiring.Component):
    """Shows the next bits of a stream and leaps over them in one clock.

    `bits` follows the state at once; `step` leaps by their number, `shift` moves the state down by
    32 bits and takes `word` in at the top, so two shifts load a state, low half first, and show the
    old one in `low`, low half first. One operation a clock; with both, the shift wins. Golden
    model: `tombola.spec.lfsr.words`.

    Parameters
    ----------
    count : int
        Bits a clock, 1 to 256.

    Members
    -------
    step : In(1)
    shift : In(1)
    word : In(32)
    bits : Out(count)
        Bit 0 is the first in time.
    low : Out(32)
    """

    def __init__(self, count: int):
        if type(count) is not int:
            raise TypeError(f"LeapLfsr count must be an int, not {count!r}")
        if not 1 <= count <= MAX_LEAP:
            raise ConfigError(f"LeapLfsr count must be between 1 and {MAX_LEAP}, not {count}")
        self._count = count
        super().__init__({
            "step": In(1),
            "shift": In(1),
            "word": In(WORD),
            "bits": Out(count),
            "low": Out(WORD),
        })

    @property
    def count(self) -> int:
        """Bits a clock."""
        return self._count

    def elaborate(self, platform):
        m = Module()

        state = Signal(STATE_BITS, init=1)
        ahead = Signal(self._count)  # x[64] and what follows, as far as a leap needs it
        window: list[Value] = [*state, *ahead]
        for index, terms in enumerate(sequence_terms(STATE_BITS + self._count)):
            if terms:
                first, second, third, fourth = (window[term] for term in terms)
                m.d.comb += window[index].eq(first ^ second ^ third ^ fourth)

        m.d.comb += [
            self.bits.eq(Cat(window[: self._count])),
            self.low.eq(state[:WORD]),
        ]
        with m.If(self.shift):
            m.d.sync += state.eq(Cat(state[WORD:], self.word))
        with m.Elif(self.step):
            m.d.sync += state.eq(Cat(window[self._count :]))

        return m
