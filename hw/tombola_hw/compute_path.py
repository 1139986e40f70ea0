"""The compute path: activations and weights in, requantised results out."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.fetch import Fetch
from tombola_hw.interfaces import (
    activation_layout,
    address_bits,
    layer_layout,
    result_layout,
    table_layout,
    weights_layout,
)
from tombola_hw.mac import MacArray
from tombola_hw.output import OutputUnit
from tombola_hw.pool import PoolUnit


class ComputePath(wiring.Component):
    """Fetch unit, array, pooling unit and output unit of one engine, without back-pressure.

    Parameters
    ----------
    config : EngineConfig
    pipelined : bool
        More registers: measured on an ECP5-25F with 8x16, 126 MHz instead of 75.

    Members
    -------
    layer, start
        The layer in force; `start` begins it.
    available, advance, rewind, release, weights
        The weight buffer; weights come one clock after `advance`.
    activation_address, activations
        Activation memory; the word comes one clock after its address.
    table_address, table_entry
        Requantisation table; the entry comes one clock after its address.
    results : Out(stream.Signature(result_layout(config), always_ready=True))
    takes_line, waits_weights, waits_output : Out(1)
        What the performance counters count.
    """

    def __init__(self, config: EngineConfig, *, pipelined: bool = False):
        self._config, self._pipelined = config, pipelined
        super().__init__({
            "layer": In(layer_layout(config)),
            "start": In(1),
            "available": In(1),
            "advance": Out(1),
            "rewind": Out(1),
            "release": Out(1),
            "weights": In(weights_layout(config)),
            "activation_address": Out(address_bits(config.activation_words)),
            "activations": In(activation_layout(config)),
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
        m.submodules.array = array = MacArray(self._config, pipelined=self._pipelined)
        m.submodules.pool = pool = PoolUnit(self._config, pipelined=self._pipelined)
        m.submodules.output = output = OutputUnit(
            self._config,
            pipelined=self._pipelined,
            ahead=max(array.latency, pool.latency),
        )

        if self._config.residual:
            m.d.comb += [output.push.eq(fetch.residual), output.word.eq(self.activations)]
        convolves = self.layer.operation == Operation.CONVOLVE
        connect(m, array.sums, output.mac)
        connect(m, pool.sums, output.pool)
        if self._config.compact:
            # The compact output unit ends in logic, and memories and argmax begin with it.
            m.d.sync += [
                self.results.valid.eq(output.results.valid),
                self.results.payload.eq(output.results.payload),
            ]
        else:
            connect(m, output.results, flipped(self.results))
        for unit in (fetch, output):
            m.d.comb += [unit.layer.eq(self.layer), unit.start.eq(self.start)]
        m.d.comb += [
            fetch.available.eq(self.available),
            self.advance.eq(fetch.advance),
            self.rewind.eq(fetch.rewind),
            self.release.eq(fetch.release),
            self.activation_address.eq(fetch.address),
            array.step.payload.eq(fetch.steps.payload),
            array.step.valid.eq(fetch.steps.valid & convolves),
            array.signed.eq(self.layer.input_signed),
            array.clear.eq(self.start),
            array.activations.eq(self.activations),
            array.weights.eq(self.weights),
            pool.step.payload.eq(fetch.steps.payload),
            pool.step.valid.eq(fetch.steps.valid & ~convolves),
            pool.signed.eq(self.layer.input_signed),
            pool.maximum.eq(self.layer.operation == Operation.MAX_POOL),
            pool.activations.eq(self.activations),
            self.table_address.eq(output.table_address),
            output.table_entry.eq(self.table_entry),
            self.takes_line.eq(fetch.steps.valid & convolves),
            self.waits_weights.eq(fetch.waits_weights),
            self.waits_output.eq(fetch.waits_output),
        ]
        return m
