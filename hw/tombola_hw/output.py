"""From sums to results: serialise, requantise, address."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.engine import EngineConfig
from tombola_hw.compact_requantiser import CompactRequantiser
from tombola_hw.compact_serialiser import CompactSerialiser
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.interfaces import (
    address_bits,
    layer_layout,
    of_pixels,
    pixels_layout,
    pooled_layout,
    result_layout,
    sums_layout,
    table_layout,
)
from tombola_hw.placement import Placement
from tombola_hw.requantiser import Requantiser
from tombola_hw.residual import ResidualQueue
from tombola_hw.serialiser import Serialiser
from tombola_hw.table_cursor import TableCursor
from tombola_hw.window_maximum import WindowMaximum


class OutputUnit(wiring.Component):
    """Turns the sums of each output position into results with their addresses.

    The values of all pixels for a channel leave together, at one address: each for its own memory
    if the layer is `parallel`, else that of pixel 0 for the memory that holds the position.

    The first result of a position leaves `latency` clocks after its sums, one more each clock, no
    back-pressure; the source leaves at least `count + 1` clocks from one position to the next.
    Golden models: `tombola.spec.arithmetic.requantise`, `Placement`, `TableCursor`.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        As in `Scaler`; False: fewer cells. Without effect if `config.compact`.
    ahead : int
        Clocks by which the first residual word of a position may be ahead of its sums.

    Members
    -------
    layer : In(layer_layout(config))
    start : In(1)
        A layer begins; no later than the clock of its first sums, and after the `end` of the last.
    mac : In(stream.Signature(sums_layout(config), always_ready=True))
    pool : In(stream.Signature(pooled_layout(config), always_ready=True))
        See `Serialiser` for when they come.
    table_address : Out(address_bits(table_entries))
    table_entry : In(table_layout())
        What `table_address` selected a clock before.
    push, word : In(1), In(pixels_layout(config))
        If `config.residual`: the words of a position's residual, the first no earlier than the
        clock of its sums less `ahead`, the next ones before the channels they belong to.
    results : Out(stream.Signature(result_layout(config), always_ready=True))
        `end` accompanies the last value of the layer.
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False, ahead: int = 8):
        check_config("OutputUnit", config)
        check_bool("OutputUnit", "pipelined", pipelined)
        self._config, self._ahead = config, ahead
        self._requantisers = [
            CompactRequantiser(config) if config.compact
            else Requantiser(config, pipelined=pipelined, makes_logits=pixel == 0)
            for pixel in range(config.pixels)
        ]
        self._serialiser = (CompactSerialiser if config.compact else Serialiser)(config)
        residual = {"push": In(1), "word": In(pixels_layout(config))}
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "mac": In(stream.Signature(sums_layout(config), always_ready=True)),
            "pool": In(stream.Signature(pooled_layout(config), always_ready=True)),
            "table_address": Out(unsigned(address_bits(config.table_entries))),
            "table_entry": In(table_layout()),
            "results": Out(stream.Signature(result_layout(config), always_ready=True)),
            **(residual if config.residual else {}),
        })

    @property
    def latency(self) -> int:
        """Clocks from a position's sums to its first result."""
        return (
            self._serialiser.latency
            + self._requantisers[0].latency
            + self._config.fused_pooling
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.serialiser = serialiser = self._serialiser
        m.submodules.cursor = cursor = TableCursor(self._config)
        m.submodules.requantiser = requantiser = self._requantisers[0]
        m.submodules.placement = placement = Placement(self._config)
        m.submodules += self._requantisers[1:]

        connect(m, flipped(self.mac), serialiser.mac)
        connect(m, flipped(self.pool), serialiser.pool)

        values = serialiser.values
        m.d.comb += [
            cursor.places.valid.eq(values.valid),
            cursor.places.p.eq(values.p.place),
            self.table_address.eq(cursor.address),
        ]
        sums = of_pixels(self._config, values.p.value)
        for value, each in zip(sums, self._requantisers, strict=True):
            m.d.comb += [each.value.eq(value), each.entry.eq(self.table_entry)]
        for core in (cursor, *self._requantisers, placement):
            m.d.comb += core.layer.eq(self.layer)
        for core in (cursor, placement):
            m.d.comb += core.start.eq(self.start)

        if self._config.residual:
            m.submodules.residual = residual = ResidualQueue(
                self._config, ahead=self._ahead + serialiser.latency
            )
            m.d.comb += [
                residual.layer.eq(self.layer),
                residual.start.eq(self.start),
                residual.push.eq(self.push),
                residual.word.eq(self.word),
                residual.places.valid.eq(values.valid),
                residual.places.p.eq(values.p.place),
            ]
            added = of_pixels(self._config, residual.value)
            for value, each in zip(added, self._requantisers, strict=True):
                m.d.comb += each.residual.eq(value)

        # Only the place travels with a value: its address is made where the value arrives.
        place, valid = values.p.place, values.valid
        for _ in range(requantiser.latency):
            later, later_valid = Signal.like(place, reset_less=True), Signal()
            m.d.sync += [later.eq(place), later_valid.eq(valid)]
            place, valid = later, later_valid

        computed = [each.result for each in self._requantisers]
        if self._config.fused_pooling:
            m.submodules.maximum = maximum = WindowMaximum(self._config)
            m.d.comb += [maximum.values.valid.eq(valid), maximum.values.p.place.eq(place)]
            values = of_pixels(self._config, maximum.values.p.value)
            m.d.comb += [value.eq(each) for value, each in zip(values, computed, strict=True)]
            valid, place = maximum.results.valid, maximum.results.p.place
            computed = of_pixels(self._config, maximum.results.p.value)

        results = of_pixels(self._config, self.results.p.value)
        m.d.comb += [
            placement.places.valid.eq(valid),
            placement.places.p.eq(place),
            self.results.valid.eq(valid),
            results[0].eq(computed[0]),
            self.results.p.address.eq(placement.address),
            self.results.p.lane.eq(placement.lane),
            self.results.p.logits.eq(self.layer.logits),
            self.results.p.end.eq(place.end),
        ]
        if self._config.pixels > 1:
            every, one = (1 << self._config.pixels) - 1, 1 << placement.bank
            m.d.comb += self.results.p.banks.eq(Mux(self.layer.parallel, every, one))
            for result, own in zip(results[1:], computed[1:], strict=True):
                m.d.comb += result.eq(Mux(self.layer.parallel, own, computed[0]))
        return m
