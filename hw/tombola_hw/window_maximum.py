"""Pooling before the write: the maximum of each channel over a window of output positions."""

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import OPERAND_BITS, EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import of_pixels
from tombola_hw.serialiser import result_value_layout


class WindowMaximum(wiring.Component):
    """Lets the last position of each window pass, with the maxima of all its positions.

    The positions of a window follow each other, each with its channels in order. A window of one
    position passes as it is, so that logits do.

    Latency: 1 clock. Throughput: a value a clock, no back-pressure. Golden model: `max`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    values, results : In, Out(stream.Signature(result_value_layout(config), always_ready=True))
        Of values that are to be compared the low 9 bits count, as two's complement. What comes out
        is in a new group if its window is the first of a group.
    """

    def __init__(self, config: EngineConfig):
        check_config("WindowMaximum", config)
        self._config = config
        values = stream.Signature(result_value_layout(config), always_ready=True)
        super().__init__({"values": In(values), "results": Out(values)})

    def elaborate(self, platform):
        m = Module()
        width = OPERAND_BITS * self._config.pixels
        m.submodules.kept = memory = Memory(
            shape=unsigned(width), depth=max(2, self._config.sum_channels), init=[]
        )
        writer, reader = memory.write_port(), memory.read_port(domain="comb")

        place = self.values.p.place
        channel, following = Signal.like(reader.addr), Signal.like(reader.addr)
        new_group, group_begins = Signal(), Signal()
        fresh = place.window_first
        m.d.comb += [
            channel.eq(Mux(place.first, 0, following)),
            group_begins.eq(Mux(fresh, place.new_group, new_group)),
            reader.addr.eq(channel),
            writer.addr.eq(channel),
            writer.en.eq(self.values.valid),
        ]
        with m.If(self.values.valid):
            m.d.sync += [following.eq(channel + 1), new_group.eq(group_begins)]

        result = self.results.p
        m.d.sync += [
            self.results.valid.eq(self.values.valid & place.window_last),
            result.place.eq(place),
            result.place.new_group.eq(group_begins),
        ]
        values, results = (of_pixels(self._config, x) for x in (self.values.p.value, result.value))
        for pixel in range(self._config.pixels):
            kept = reader.data.word_select(pixel, OPERAND_BITS).as_signed()
            short, best = Signal(signed(OPERAND_BITS)), Signal(signed(OPERAND_BITS))
            m.d.comb += [
                short.eq(values[pixel]),
                best.eq(Mux(fresh | (short > kept), short, kept)),
                writer.data.word_select(pixel, OPERAND_BITS).eq(best),
            ]
            m.d.sync += results[pixel].eq(Mux(fresh, values[pixel], best))
        return m
