"""The clock domain of a board with an ECP5, on top of its Amaranth platform."""

from amaranth.build import Platform

from tombola_boards.clock import BoardClock, Ecp5Loop
from tombola_boards.pll import Ecp5Pll


def clocked(platform: type[Platform], *, clock_hz: int) -> type[Platform]:
    """The same platform with domain `sync` at `clock_hz`, made from its default clock.

    Its `at_clock` makes one with another clock.
    """

    class Clocked(platform):
        def create_missing_domain(self, name):
            if name != "sync":
                return super().create_missing_domain(name)
            pad = self.request(self.default_clk, dir="-")
            pll = Ecp5Pll.for_clock(input_hz=int(self.default_clk_frequency), output_hz=clock_hz)
            return BoardClock(Ecp5Loop(pad, pll=pll), clock_hz=clock_hz)

        @staticmethod
        def at_clock(clock_hz: int) -> type[Platform]:
            return clocked(platform, clock_hz=clock_hz)

    return Clocked
