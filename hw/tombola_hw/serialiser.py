"""From all the sums of an output position at once to one value a clock, a pixel."""

from functools import reduce
from operator import or_

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import (
    each_pixel,
    maxima_layout,
    of_pixels,
    sums_layout,
    window_from,
    window_members,
)


def place_layout(config: EngineConfig) -> data.StructLayout:
    """Where a value stands: `first` of its position, in a `new_group`, the layer's `end`."""
    return data.StructLayout({
        "first": unsigned(1),
        "new_group": unsigned(1),
        "end": unsigned(1),
        **window_members(config),
    })


def result_value_layout(config: EngineConfig) -> data.StructLayout:
    """A requantised value a pixel and where they stand."""
    return data.StructLayout({
        "value": each_pixel(config, signed(LOGIT_BITS)),
        "place": place_layout(config),
    })


def value_layout(config: EngineConfig) -> data.StructLayout:
    """One sum a pixel and where they stand."""
    return data.StructLayout({
        "value": each_pixel(config, signed(config.accumulator_bits)),
        "place": place_layout(config),
    })


class Serialiser(wiring.Component):
    """Sends the first `count + 1` values of a position, channel after channel, all pixels at once.

    The rows of the array hold them, or a register those of the pooling unit, and a second one
    behind that holds those of one channel and 0 for all others: that is its reset, and costs no
    cells. What leaves is the `or` of them all, a third of a LUT4 a bit and channel, where a
    multiplexer takes two thirds and a shift register one.

    Latency: `latency` clocks. Throughput: a channel a clock, no back-pressure; the source leaves at
    least `count + 1` clocks from one position to the next. Golden model: iteration.

    Parameters
    ----------
    config : EngineConfig
        Not `compact`.

    Members
    -------
    mac : In(stream.Signature(sums_layout(config), always_ready=True))
    pool : In(stream.Signature(maxima_layout(config), always_ready=True))
        Neither comes while values of the other are still to leave. Values of `mac` come a clock
        after it is valid, and stay.
    values : Out(stream.Signature(value_layout(config), always_ready=True))
    """

    latency = 2
    """One register that holds all values, there or here, one with that which leaves."""

    def __init__(self, config: EngineConfig):
        check_config("Serialiser", config)
        self._config = config
        super().__init__({
            "mac": In(stream.Signature(sums_layout(config), always_ready=True)),
            "pool": In(stream.Signature(maxima_layout(config), always_ready=True)),
            "values": Out(stream.Signature(value_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()

        remaining = Signal(range(max(2, self._config.sum_channels)))
        m.d.sync += remaining.eq(remaining - 1)
        sent = [[] for _ in range(self._config.pixels)]
        for source in (self.mac, self.pool):
            held = source.p.values
            if source is self.pool:
                held = Signal.like(source.p.values, reset_less=True)
                with m.If(source.valid):
                    m.d.sync += held.eq(source.p.values)
            of_each = of_pixels(self._config, held)
            turn = Signal(len(of_each[0]))  # bit i: channel i is next
            m.d.sync += turn.eq(Mux(source.valid, 1, Mux(remaining == 0, 0, turn << 1)))
            for gated, channels in zip(sent, of_each, strict=True):
                for channel, value in enumerate(channels):
                    here = Signal.like(value, reset_less=True)
                    m.d.sync += here.eq(Mux(turn[channel], value, 0))
                    gated.append(here)

        place = Signal(place_layout(self._config))
        busy = Signal()
        m.d.sync += place.first.eq(0)
        with m.If(remaining == 0):
            m.d.sync += busy.eq(0)
        for source in (self.mac, self.pool):
            with m.If(source.valid):
                m.d.sync += [
                    busy.eq(1),
                    remaining.eq(source.p.count),
                    place.first.eq(1),
                    place.new_group.eq(source.p.new_group),
                    place.end.eq(source.p.end),
                    *window_from(self._config, place, source.p),
                ]

        m.d.sync += [
            self.values.valid.eq(busy),
            self.values.p.place.eq(place),
            self.values.p.place.end.eq(place.end & (remaining == 0)),
        ]
        values = of_pixels(self._config, self.values.p.value)
        for value, gated in zip(values, sent, strict=True):
            m.d.comb += value.eq(reduce(or_, gated))
        return m
