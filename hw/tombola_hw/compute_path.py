"""The compute path: activations and weights in, requantised results out."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.compact_pool import CompactPoolUnit
from tombola_hw.fetch import Fetch
from tombola_hw.interfaces import (
    address_bits,
    layer_layout,
    pixels_layout,
    result_layout,
    table_layout,
    weights_layout,
)
from tombola_hw.mac import MacArray, MakeRow
from tombola_hw.mac_row import MacRow
from tombola_hw.max_pool import MaxPoolUnit
from tombola_hw.output import OutputUnit
from tombola_hw.stores import ActivationStore


class ComputePath(wiring.Component):
    """Fetch unit, array, pooling unit and output unit of one engine, without back-pressure.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        More registers: measured on an ECP5-25F with 8x16, 126 MHz instead of 75.
    row : callable
        See `MacArray`.

    Members
    -------
    layer, start
        The layer in force; `start` begins it.
    available, advance, rewind, release, weights
        The weight buffer; weights come one clock after `advance`.
    activation_address, turn, activations
        Activation memories; the words come `ActivationStore.latency` clocks after their address.
        `turn` is there with several pixels.
    table_address, table_entry
        Requantisation table; the entry comes one clock after its address.
    results : Out(stream.Signature(result_layout(config), always_ready=True))
    takes_line, waits_weights, waits_output : Out(1)
        What the performance counters count.
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False, row: MakeRow = MacRow):
        self._config, self._pipelined, self._row = config, pipelined, row
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "available": In(1),
            "advance": Out(1),
            "rewind": Out(1),
            "release": Out(1),
            "weights": In(weights_layout(config)),
            "activation_address": Out(address_bits(config.activation_words)),
            **({"turn": Out(config.turn_bits)} if config.pixels > 1 else {}),
            "activations": In(pixels_layout(config)),
            "table_address": Out(address_bits(config.table_entries)),
            "table_entry": In(table_layout()),
            "results": Out(stream.Signature(result_layout(config), always_ready=True)),
            "takes_line": Out(1),
            "waits_weights": Out(1),
            "waits_output": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.fetch = fetch = Fetch(self._config)
        m.submodules.array = array = MacArray(
            self._config, row=self._row, pipelined=self._pipelined
        )
        compact = self._config.compact
        m.submodules.pool = pool = (CompactPoolUnit if compact else MaxPoolUnit)(self._config)
        m.submodules.output = output = OutputUnit(
            self._config,
            pipelined=self._pipelined,
            ahead=max(array.latency, pool.latency),
        )

        if self._config.residual:
            pushed = self._late(m, fetch.residual)
            m.d.comb += [output.push.eq(pushed), output.word.eq(self.activations)]
        convolves = self.layer.operation == Operation.CONVOLVE
        connect(m, array.sums, output.mac)
        maximum = self.layer.operation == Operation.MAX_POOL
        if compact:
            pools = ~convolves
            connect(m, pool.sums, output.pool)
            m.d.comb += pool.maximum.eq(maximum)
        else:
            pools = maximum
            connect(m, pool.maxima, output.pool)
            # All weights of the array hear of it; it is known long before a layer's first line.
            m.d.sync += array.sums_lanes.eq(~convolves)
        connect(m, output.results, flipped(self.results))
        if self._config.pixels > 1:
            m.d.comb += self.turn.eq(fetch.turn)
        step, valid = self._late(m, fetch.steps.payload), self._late(m, fetch.steps.valid)
        for unit in (fetch, output):
            m.d.comb += [unit.layer.eq(self.layer), unit.start.eq(self.start)]
        m.d.comb += [
            fetch.available.eq(self.available),
            self.advance.eq(fetch.advance),
            self.rewind.eq(fetch.rewind),
            self.release.eq(fetch.release),
            self.activation_address.eq(fetch.address),
            array.step.payload.eq(step),
            array.step.valid.eq(valid & ~pools),
            array.signed.eq(self.layer.input_signed),
            array.clear.eq(self.start),
            array.activations.eq(self.activations),
            array.weights.eq(self._late(m, self.weights)),
            pool.step.payload.eq(step),
            pool.step.valid.eq(valid & pools),
            pool.signed.eq(self.layer.input_signed),
            pool.activations.eq(self.activations),
            self.table_address.eq(output.table_address),
            output.table_entry.eq(self.table_entry),
            self.takes_line.eq(fetch.steps.valid & convolves),
            self.waits_weights.eq(fetch.waits_weights),
            self.waits_output.eq(fetch.waits_output),
        ]
        return m

    def _late(self, m, value):
        """What comes a clock after the address, as late as the activations."""
        for _ in range(ActivationStore.latency(self._config) - 1):
            later = Signal.like(value)
            m.d.sync += later.eq(value)
            value = later
        return value
