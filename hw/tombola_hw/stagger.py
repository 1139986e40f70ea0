"""Lanes of a word that come one after the other, as a chain of adders takes them."""

from collections.abc import Sequence

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class Stagger(wiring.Component):
    """Delays each lane of a word by its own number of clocks.

    Throughput: a word a clock, no back-pressure. Golden model: lane i of the word of `delays[i]`
    clocks before.

    Parameters
    ----------
    delays : sequence of int
        Clocks, lane 0 first.
    lane_bits : int

    Members
    -------
    word : In(ArrayLayout(unsigned(lane_bits), len(delays)))
    staggered : Out(ArrayLayout(unsigned(lane_bits), len(delays)))
    """

    def __init__(self, delays: Sequence[int], *, lane_bits: int):
        self._delays = tuple(delays)
        word = data.ArrayLayout(unsigned(lane_bits), len(self._delays))
        super().__init__({"word": In(word), "staggered": Out(word)})

    def elaborate(self, platform):
        m = Module()
        for lane, delay in enumerate(self._delays):
            value = self.word[lane]
            for _ in range(delay):
                later = Signal.like(value, name=f"lane{lane}", reset_less=True)
                m.d.sync += later.eq(value)
                value = later
            m.d.comb += self.staggered[lane].eq(value)
        return m
