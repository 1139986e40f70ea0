"""The turner: gives each pixel the word of the memory that holds its strip."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import pixels_layout


class Turner(wiring.Component):
    """Pixel p gets the word of memory ``(p + turn) % pixels``.

    Latency: `LATENCY` clocks, none and no cells with one pixel. Throughput: words of all memories
    a clock, no back-pressure. Golden model: `numpy.roll`. A pixel chooses one of `pixels` words,
    behind registers, so that the way out of the block RAMs has a clock for itself.

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
        m.d.sync += words.eq(self.words)
        pixels = self._config.pixels
        width = len(words.as_value()) // pixels
        for pixel in range(pixels):
            # One register for all pixels would be at the end of long wires.
            memory = Signal(self._config.turn_bits, name=f"memory{pixel}", reset_less=True)
            m.d.sync += memory.eq(self.turn + pixel)
            m.d.comb += self.activations.as_value().word_select(pixel, width).eq(
                words.as_value().word_select(memory, width)
            )
        return m
