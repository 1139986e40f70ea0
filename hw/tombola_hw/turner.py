"""The turner: gives each pixel the word of the memory that holds its strip."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import pixels_layout


class Turner(wiring.Component):
    """Pixel p gets the word of memory ``(p + turn) % pixels``.

    Latency: `LATENCY` clocks, none and no cells with one pixel. Throughput: words of all memories
    a clock, no back-pressure. Golden model: `numpy.roll`. It takes log2(pixels) two-way choices a
    bit, behind registers, so that the way out of the block RAMs has a clock for itself.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    words : In(pixels_layout(config))
    turn : In(log2(pixels))
        Of the same clock as `words`.
    activations : Out(pixels_layout(config))
    """

    def __init__(self, config: EngineConfig):
        check_config("Turner", config)
        self._config = config
        super().__init__({
            "words": In(pixels_layout(config)),
            "turn": In(unsigned(config.turn_bits)),
            "activations": Out(pixels_layout(config)),
        })

    @staticmethod
    def latency(config: EngineConfig) -> int:
        """Clocks from `words` to `activations`."""
        return int(config.pixels > 1)

    def elaborate(self, platform):
        m = Module()
        words = Signal.like(self.words, reset_less=True)
        turn = Signal.like(self.turn, reset_less=True)
        m.d.sync += [words.eq(self.words), turn.eq(self.turn)]

        width = len(words.as_value()) // self._config.pixels
        turned = words.as_value()
        for stage in range(self._config.turn_bits):
            away = width << stage
            chosen = Signal.like(turned, name=f"stage{stage}")
            for pixel in range(self._config.pixels):
                here = chosen.word_select(pixel, width)
                there = Cat(turned[away:], turned[:away]).word_select(pixel, width)
                with m.If(turn[stage]):
                    m.d.comb += here.eq(there)
                with m.Else():
                    m.d.comb += here.eq(turned.word_select(pixel, width))
            turned = chosen
        m.d.comb += self.activations.eq(turned)
        return m
