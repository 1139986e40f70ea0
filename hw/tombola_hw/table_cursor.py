"""Which entry of the requantisation table belongs to each value."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import address_bits, layer_layout
from tombola_hw.serialiser import place_layout


class TableCursor(wiring.Component):
    """Counts table entries along the channels of a group, and from group to group.

    Latency: 0. Throughput: a place a clock, no back-pressure.
    Golden model: ``table_base + table_step * channel``, modulo the table's depth.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
        A layer begins; no later than the clock before its first place.
    places : In(stream.Signature(place_layout(config), always_ready=True))
    address : Out(address_bits(table_entries))
        Of the place of the same clock.
    """

    def __init__(self, config: EngineConfig):
        check_config("TableCursor", config)
        self._bits = address_bits(config.table_entries)
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "places": In(stream.Signature(place_layout(config), always_ready=True)),
            "address": Out(unsigned(self._bits)),
        })

    def elaborate(self, platform):
        m = Module()

        place = self.places.p
        following = Signal(self._bits)  # the entry after the last one used
        group = Signal(self._bits)      # the entry of the group's first channel

        again = place.first & ~place.new_group
        m.d.comb += self.address.eq(Mux(again, group, following))

        with m.If(self.places.valid):
            m.d.sync += following.eq(self.address + self.layer.table_step)
            with m.If(place.first):
                m.d.sync += group.eq(self.address)
        with m.If(self.start):
            m.d.sync += following.eq(self.layer.table_base)

        return m
