"""The programmable engine: one bus in, one network out, tickets loaded at run time."""

from amaranth import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.power_up import PowerUp
from tombola_hw.argmax import ArgMax
from tombola_hw.bus import request_layout, response_shape
from tombola_hw.compute_path import ComputePath
from tombola_hw.host_access import HostAccess
from tombola_hw.mac import MakeRow
from tombola_hw.mac_row import MacRow
from tombola_hw.register_file import ERROR_BITS, RegisterFile
from tombola_hw.sequencer import Sequencer
from tombola_hw.stores import ActivationStore, HostWords, TableStore
from tombola_hw.weight_path import WeightPath
from tombola_hw.word_memory import WordMemory


class Engine(wiring.Component):
    """Runs the layers of a compiled ticket over the activations in its memory.

    All that a ticket is lies in two memories, so that an engine which has it at power-up runs
    straight after reset.

    Throughput: rows x lanes x pixels masked additions a clock while weights and output units keep
    up; the counters tell. Latency: `tombola.compiler.Program.cycles` estimates it. The host sees
    the address map of `tombola.spec.registers`. Golden model: `tombola.spec.reference.infer`.

    Parameters
    ----------
    config : EngineConfig
    spram : bool
        Keep activations in the single-port RAM of an iCE40 UP5K.
    pipelined : bool
        More registers in the compute path: for 100 MHz on an ECP5.
    layer_dsps : int
        Multiplier blocks of an iCE40 UP5K that hold registers of the layer in force.
    row : callable
        Makes the rows of the array; see `MacArray`.
    power_up : PowerUp, optional
        Contents of ticket memory and table at power-up, as `Program.power_up` has them; else 0.

    Members
    -------
    requests : In(stream.Signature(request_layout()))
    responses : Out(stream.Signature(response_shape()))
    busy, done : Out(1)
        A run is under way; the last one has ended.
    error : Out(8)
        `tombola.spec.registers.ErrorCode`.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        spram: bool = False,
        pipelined: bool = False,
        layer_dsps: int = 0,
        row: MakeRow = MacRow,
        power_up: PowerUp | None = None,
    ):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"Engine config must be an EngineConfig, not {config!r}")
        self._config, self._spram, self._pipelined = config, spram, pipelined
        self._layer_dsps, self._row = layer_dsps, row
        self._power_up = power_up or PowerUp()
        super().__init__({
            "requests": In(stream.Signature(request_layout())),
            "responses": Out(stream.Signature(response_shape())),
            "busy": Out(1),
            "done": Out(1),
            "error": Out(ERROR_BITS),
        })

    @property
    def config(self) -> EngineConfig:
        """The parameters it was made with."""
        return self._config

    def elaborate(self, platform):
        m = Module()
        m.submodules.host = host = HostAccess(self._config)
        m.submodules.registers = registers = RegisterFile(self._config)
        stop = Signal()
        sequencer = Sequencer(self._config, layer_dsps=self._layer_dsps)
        weights = WeightPath(self._config)
        compute = ComputePath(
            self._config, pipelined=self._pipelined, row=self._row
        )
        # A forged program may never come to its end: then all that runs it starts afresh.
        m.submodules.sequencer = ResetInserter(stop)(sequencer)
        m.submodules.weights = ResetInserter(stop)(weights)
        m.submodules.compute = ResetInserter(stop)(compute)
        m.d.sync += stop.eq(registers.stop)
        m.submodules.argmax = argmax = ArgMax(self._config)
        m.submodules.ticket = ticket = WordMemory(
            32, depth=self._config.ticket_words, init=self._power_up.ticket
        )
        m.submodules.table = table = TableStore(self._config, init=self._power_up.table)
        m.submodules.activations = activations = ActivationStore(
            self._config, spram=self._spram
        )
        m.submodules.logits = logits = HostWords(self._config)

        connect(m, flipped(self.requests), host.requests)
        connect(m, host.responses, flipped(self.responses))
        self._wire_control(m, host, registers, sequencer, compute, argmax)
        self._wire_layer(m, sequencer, weights, compute)

        # The ticket memory has one reader at a time: descriptors, then weights; else the host.
        m.d.comb += [
            ticket.read_address.eq(
                Mux(
                    sequencer.loading,
                    sequencer.read_address,
                    Mux(sequencer.busy, weights.read_address, host.address),
                )
            ),
            ticket.write_address.eq(host.address),
            ticket.write_data.eq(host.write_data),
            ticket.write.eq(host.ticket_write),
            host.ticket_data.eq(ticket.read_data),
            sequencer.read_data.eq(ticket.read_data),
            weights.read_data.eq(ticket.read_data),
            weights.seed.eq(sequencer.seed),
            sequencer.turn.eq(weights.turn),
        ]
        m.d.comb += [
            table.host_address.eq(host.address),
            table.host_data.eq(host.write_data),
            table.host_write.eq(host.table_write),
            table.address.eq(compute.table_address),
            compute.table_entry.eq(table.entry),
        ]
        m.d.comb += [
            activations.busy.eq(sequencer.busy),
            activations.window.eq(host.window),
            activations.host_address.eq(host.address),
            activations.host_data.eq(host.write_data),
            activations.host_write.eq(host.activation_write),
            host.activation_data.eq(activations.host_read_data),
            activations.address.eq(compute.activation_address),
            compute.activations.eq(activations.activations),
            logits.busy.eq(sequencer.busy),
            logits.window.eq(host.window),
            logits.host_address.eq(host.address),
            logits.host_data.eq(host.write_data),
            logits.keep.eq(registers.keep),
            host.stored_data.eq(logits.host_read_data),
        ]
        if self._config.pixels > 1:
            m.d.comb += activations.turn.eq(compute.turn)
        for taker in (activations, logits, argmax):
            m.d.comb += taker.results.valid.eq(compute.results.valid)
            m.d.comb += taker.results.payload.eq(compute.results.payload)
        return m

    def _wire_control(self, m, host, registers, sequencer, compute, argmax):
        m.d.comb += [
            host.busy.eq(sequencer.busy),
            registers.address.eq(host.address),
            registers.read.eq(host.register_read),
            registers.write.eq(host.register_write),
            registers.write_data.eq(host.write_data),
            host.live_data.eq(registers.live_data),
            registers.refused.eq(host.refused),
            registers.astray.eq(host.astray),
            registers.busy.eq(sequencer.busy),
            registers.finished.eq(sequencer.finished),
            registers.unknown.eq(sequencer.unknown),
            registers.foreign.eq(sequencer.foreign),
            registers.winner.eq(argmax.index),
            registers.counting.eq(
                Cat(
                    sequencer.busy,
                    compute.takes_line,
                    compute.waits_weights,
                    compute.waits_output,
                )
            ),
            sequencer.run.eq(registers.run),
            argmax.start.eq(registers.run),
            self.busy.eq(sequencer.busy),
            self.done.eq(registers.done),
            self.error.eq(registers.error),
        ]

    def _wire_layer(self, m, sequencer, weights, compute):
        convolves = sequencer.layer.operation == Operation.CONVOLVE
        m.d.comb += [
            weights.layer.eq(sequencer.layer),
            weights.flush.eq(sequencer.start),
            weights.start.eq(sequencer.start & convolves),
            compute.layer.eq(sequencer.layer),
            compute.start.eq(sequencer.start),
            compute.available.eq(weights.available),
            compute.weights.eq(weights.weights),
            weights.advance.eq(compute.advance),
            weights.rewind.eq(compute.rewind),
            weights.release.eq(compute.release),
        ]
        # The memories take a result in the clock in which it appears.
        end = compute.results.valid & compute.results.payload.end
        m.d.sync += sequencer.layer_done.eq(end)
