"""From all the sums of an output position at once to one value a clock, a pixel."""

from itertools import product

from amaranth import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import each_pixel, of_pixels, sums_layout, window_members


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
    """Sends the first `count + 1` sums of a position, channel after channel, all pixels at once.

    Latency: 1 clock. Throughput: a channel a clock, no back-pressure; the source leaves at least
    `count + 1` clocks from one position to the next. Golden model: iteration.

    With `config.compact` it takes each value together with that of the other source, which must
    then be 0: one LUT4 loads and shifts a bit, and shares its cell with the register.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    mac, pool : In(stream.Signature(sums_layout(config), always_ready=True))
        Never both valid. The array owns values below `rows`, the pooling unit those below `lanes`.
    values : Out(stream.Signature(value_layout(config), always_ready=True))
    """

    def __init__(self, config: EngineConfig):
        check_config("Serialiser", config)
        self._config = config
        super().__init__({
            "mac": In(stream.Signature(sums_layout(config), always_ready=True)),
            "pool": In(stream.Signature(sums_layout(config), always_ready=True)),
            "values": Out(stream.Signature(value_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()

        # The shift register never holds: between positions it shifts what nobody looks at.
        waiting = Signal(sums_layout(self._config)["values"].shape, reset_less=True)
        pixels = of_pixels(self._config, waiting)
        macs = of_pixels(self._config, self.mac.p.values)
        pools = of_pixels(self._config, self.pool.p.values)
        for pixel, index in product(range(self._config.pixels), range(self._config.sum_channels)):
            waits, summed, pooled = pixels[pixel], macs[pixel][index], pools[pixel][index]
            following = min(index + 1, self._config.sum_channels - 1)
            m.d.sync += waits[index].eq(waits[following])
            if self._config.compact:
                with m.If(self.mac.valid | self.pool.valid):
                    m.d.sync += waits[index].eq(summed | pooled)
                continue
            if index < self._config.rows:
                with m.If(self.mac.valid):
                    m.d.sync += waits[index].eq(summed)
            if index < self._config.lanes:
                with m.If(self.pool.valid):
                    m.d.sync += waits[index].eq(pooled)

        busy, first, new_group, end = Signal(), Signal(), Signal(), Signal()
        window = {name: Signal(name=name) for name in window_members(self._config)}
        remaining = Signal.like(self.mac.p.count)
        m.d.sync += [remaining.eq(remaining - 1), first.eq(0)]
        with m.If(remaining == 0):
            m.d.sync += busy.eq(0)
        for source in (self.mac, self.pool):
            with m.If(source.valid):
                m.d.sync += [
                    busy.eq(1),
                    first.eq(1),
                    remaining.eq(source.p.count),
                    new_group.eq(source.p.new_group),
                    end.eq(source.p.end),
                    *(held.eq(source.p[name]) for name, held in window.items()),
                ]

        m.d.comb += [
            self.values.valid.eq(busy),
            self.values.p.value.eq(Cat(waits[0] for waits in pixels)),
            self.values.p.place.first.eq(first),
            self.values.p.place.new_group.eq(new_group),
            self.values.p.place.end.eq(end & (remaining == 0)),
            *(self.values.p.place[name].eq(held) for name, held in window.items()),
        ]
        return m
