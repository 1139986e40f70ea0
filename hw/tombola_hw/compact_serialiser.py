"""From all the sums of an output position at once to one value a clock, in a shift register."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import sums_layout, window_members
from tombola_hw.serialiser import value_layout


class CompactSerialiser(wiring.Component):
    """Sends the first `count + 1` sums of a position, channel after channel.

    It takes each value together with that of the other source, which must then be 0: one LUT4
    loads and shifts a bit, and shares its cell with the register.

    Latency: `latency` clocks. Throughput: a channel a clock, no back-pressure; the source leaves at
    least `count + 1` clocks from one position to the next. Golden model: iteration.

    Parameters
    ----------
    config : EngineConfig
        `compact`.

    Members
    -------
    mac, pool : In(stream.Signature(sums_layout(config), always_ready=True))
        Never both valid. The array owns values below `rows`, the pooling unit those below `lanes`.
    values : Out(stream.Signature(value_layout(config), always_ready=True))
    """

    latency = 1
    """The shift register."""

    def __init__(self, config: EngineConfig):
        check_config("CompactSerialiser", config)
        self._config = config
        super().__init__({
            "mac": In(stream.Signature(sums_layout(config), always_ready=True)),
            "pool": In(stream.Signature(sums_layout(config), always_ready=True)),
            "values": Out(stream.Signature(value_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()

        # The shift register never holds: between positions it shifts what nobody looks at.
        waiting = Signal(self.mac.p.values.shape(), reset_less=True)
        both = zip(self.mac.p.values, self.pool.p.values, strict=True)
        for index, (summed, pooled) in enumerate(both):
            following = min(index + 1, len(waiting) - 1)
            m.d.sync += waiting[index].eq(waiting[following])
            with m.If(self.mac.valid | self.pool.valid):
                m.d.sync += waiting[index].eq(summed | pooled)

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
            self.values.p.value.eq(waiting[0]),
            self.values.p.place.first.eq(first),
            self.values.p.place.new_group.eq(new_group),
            self.values.p.place.end.eq(end & (remaining == 0)),
            *(self.values.p.place[name].eq(held) for name, held in window.items()),
        ]
        return m
