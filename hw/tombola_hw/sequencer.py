"""The sequencer: reads one descriptor after the other and runs its layer."""

from amaranth import Module, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec import descriptor
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import address_bits, layer_layout
from tombola_hw.layer_registers import LATENCY, LayerRegisters

LAYER_COUNT_BITS = 11
"""Enough for the 1,024 layers a ticket may have."""


class SequencerState(enum.Enum, shape=2):
    """What the sequencer is about."""

    IDLE = 0
    READ = 1
    BEGIN = 2
    RUN = 3


class Sequencer(wiring.Component):
    """Takes the layers of a program in turn, each from its descriptor to the end of its results.

    A descriptor takes one clock a word and three more. A descriptor without a known operation ends
    the run with `unknown` high for one clock. Golden model: `tombola.spec.descriptor.unpack`.

    Parameters
    ----------
    config : EngineConfig
    layer_dsps : int
        As `dsps` of `LayerRegisters`.

    Members
    -------
    run : In(1)
        Starts a run; ignored while busy.
    program : In
        Ticket word of the first descriptor.
    layers : In(11)
        Layers to run, at least one.
    read_address, read_data
        Ticket memory; data one clock after the address. Read only while `loading`.
    loading : Out(1)
        A descriptor is being read.
    layer : Out(layer_layout())
        The layer in force.
    start : Out(1)
        High for one clock when `layer` is complete.
    layer_done : In(1)
        High for one clock when all results of the layer are stored.
    busy : Out(1)
    finished, unknown : Out(1)
        One clock at the end of a run: all layers done, or stopped at an unknown operation.
    """

    def __init__(self, config: EngineConfig, *, layer_dsps: int = 0):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"Sequencer config must be an EngineConfig, not {config!r}")
        self._config, self._layer_dsps = config, layer_dsps
        width = address_bits(config.ticket_words)
        super().__init__({
            "run": In(1),
            "program": In(width),
            "layers": In(LAYER_COUNT_BITS),
            "read_address": Out(width),
            "read_data": In(descriptor.WORD_BITS),
            "loading": Out(1),
            "layer": Out(layer_layout()),
            "start": Out(1),
            "layer_done": In(1),
            "busy": Out(1),
            "finished": Out(1),
            "unknown": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.registers = registers = LayerRegisters(
            self._config, dsps=self._layer_dsps
        )

        state = Signal(SequencerState)
        word = Signal(range(descriptor.WORDS + LATENCY))
        arriving = Signal(range(descriptor.WORDS))
        arrives = Signal()
        layers_left = Signal(LAYER_COUNT_BITS)
        address = Signal.like(self.read_address)
        known = Signal()

        m.d.comb += [
            self.read_address.eq(address),
            self.loading.eq(state == SequencerState.READ),
            self.busy.eq(state != SequencerState.IDLE),
            known.eq((self.layer.operation != 0) & (self.layer.operation <= max(Operation))),
            self.start.eq((state == SequencerState.BEGIN) & known),
            self.unknown.eq((state == SequencerState.BEGIN) & ~known),
            self.finished.eq(
                (state == SequencerState.RUN) & self.layer_done & (layers_left == 0)
            ),
        ]

        m.d.comb += [
            registers.write.eq(arrives),
            registers.word.eq(arriving),
            registers.data.eq(self.read_data),
            self.layer.eq(registers.layer),
        ]
        m.d.sync += [arriving.eq(word), arrives.eq(self.loading & (word < descriptor.WORDS))]

        with m.Switch(state):
            with m.Case(SequencerState.IDLE):
                m.d.sync += [address.eq(self.program), layers_left.eq(self.layers), word.eq(0)]
                with m.If(self.run):
                    m.d.sync += state.eq(SequencerState.READ)
            with m.Case(SequencerState.READ):
                with m.If(word == descriptor.WORDS + LATENCY - 1):
                    m.d.sync += [state.eq(SequencerState.BEGIN), word.eq(0)]
                    m.d.sync += layers_left.eq(layers_left - 1)
                with m.Else():
                    m.d.sync += word.eq(word + 1)
                with m.If(word < descriptor.WORDS):
                    m.d.sync += address.eq(address + 1)
            with m.Case(SequencerState.BEGIN):
                m.d.sync += state.eq(SequencerState.RUN)
                with m.If(~known):
                    m.d.sync += state.eq(SequencerState.IDLE)
            with m.Case(SequencerState.RUN):
                with m.If(self.layer_done):
                    m.d.sync += state.eq(SequencerState.READ)
                with m.If(self.finished):
                    m.d.sync += state.eq(SequencerState.IDLE)
        return m
