"""The sequencer: reads one descriptor after the other and runs its layer."""

from amaranth import Cat, Module, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec import descriptor
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.identity import fingerprint
from tombola_hw.interfaces import address_bits, layer_layout
from tombola_hw.layer_registers import LATENCY, LayerRegisters
from tombola_hw.start_state import seed_layout


class SequencerState(enum.Enum, shape=2):
    """What the sequencer is about."""

    IDLE = 0
    READ = 1
    BEGIN = 2
    RUN = 3


class Sequencer(wiring.Component):
    """Takes the layers of a program in turn, each from its descriptor to the end of its results.

    The first descriptor is at ticket word `descriptor.FIRST`; the run ends with the one that says
    so. A descriptor takes one clock a word and three more. One without a known operation, or
    compiled for another engine, ends the run with `unknown` or `foreign` high for one clock.
    Golden model: `tombola.spec.descriptor.Format.unpack`.

    Parameters
    ----------
    config : EngineConfig
    layer_dsps : int
        As `dsps` of `LayerRegisters`.

    Members
    -------
    run : In(1)
        Starts a run; ignored while busy.
    read_address, read_data
        Ticket memory; data one clock after the address. Read only while `loading`.
    loading : Out(1)
        A descriptor is being read.
    layer : Out(layer_layout(config))
        The layer in force.
    seed : Out(seed_layout())
        The seed of the layer, as its words arrive.
    turn : In(1)
        As in `LayerRegisters`.
    start : Out(1)
        High for one clock when `layer` is complete.
    layer_done : In(1)
        High for one clock when all results of the layer are stored.
    busy : Out(1)
    finished, unknown, foreign : Out(1)
        One clock at the end of a run: all layers done, or stopped at a descriptor that is none, or
        none for this engine.
    """

    def __init__(self, config: EngineConfig, *, layer_dsps: int = 0):
        if not isinstance(config, EngineConfig):
            raise TypeError(f"Sequencer config must be an EngineConfig, not {config!r}")
        self._config, self._layer_dsps = config, layer_dsps
        width = address_bits(config.ticket_words)
        super().__init__({
            "run": In(1),
            "read_address": Out(width),
            "read_data": In(descriptor.WORD_BITS),
            "loading": Out(1),
            "layer": Out(layer_layout(config)),
            "seed": Out(seed_layout()),
            "turn": In(1),
            "start": Out(1),
            "layer_done": In(1),
            "busy": Out(1),
            "finished": Out(1),
            "unknown": Out(1),
            "foreign": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.registers = registers = LayerRegisters(
            self._config, dsps=self._layer_dsps
        )

        form = self._config.descriptor
        seed_word, _ = form.places["seed_low"]
        _, engine_bit = form.places["engine"]
        state = Signal(SequencerState)
        # A block RAM's data come late in the clock, and the layer is all over a large part.
        data, late = self.read_data, 0
        if not self._config.compact:
            data, late = Signal.like(self.read_data, reset_less=True), 1
            m.d.sync += data.eq(self.read_data)
        # A bit runs through here with the words: bit n of `arrives` says that word n is at hand.
        course = Signal(form.words + LATENCY + late)
        arrives = course[1 + late :]
        reads = Signal()
        address = Signal.like(self.read_address)
        known = Signal()
        fits = Signal()
        begins = Signal()

        m.d.comb += [
            self.read_address.eq(address),
            self.loading.eq(state == SequencerState.READ),
            begins.eq(state == SequencerState.BEGIN),
            known.eq((self.layer.operation != 0) & (self.layer.operation <= max(Operation))),
            self.start.eq(begins & known & fits),
            self.unknown.eq(begins & ~known),
            self.foreign.eq(begins & known & ~fits),
            self.finished.eq((state == SequencerState.RUN) & self.layer_done & self.layer.last),
        ]

        m.d.comb += [
            registers.write.eq(arrives),
            registers.data.eq(data),
            registers.turn.eq(self.turn),
            self.layer.eq(registers.layer),
            self.seed.write.eq(arrives[seed_word] | arrives[seed_word + 1]),
            self.seed.half.eq(arrives[seed_word + 1]),
            self.seed.word.eq(data),
        ]
        m.d.sync += course.eq(Cat(reads, course))
        with m.If(arrives[form.words - 1]):
            m.d.sync += fits.eq(data[engine_bit:] == fingerprint(self._config))

        with m.Switch(state):
            with m.Case(SequencerState.IDLE):
                m.d.sync += address.eq(descriptor.FIRST)
                m.d.comb += reads.eq(self.run)
            with m.Case(SequencerState.READ):
                with m.If(course[-1]):
                    m.d.sync += state.eq(SequencerState.BEGIN)
                with m.If(~course[-LATENCY - late :].any()):
                    m.d.sync += address.eq(address + 1)
            with m.Case(SequencerState.BEGIN):
                m.d.sync += state.eq(SequencerState.RUN)
                with m.If(~self.start):
                    m.d.sync += [state.eq(SequencerState.IDLE), self.busy.eq(0)]
            with m.Case(SequencerState.RUN):
                m.d.comb += reads.eq(self.layer_done & ~self.layer.last)
                with m.If(self.finished):
                    m.d.sync += [state.eq(SequencerState.IDLE), self.busy.eq(0)]
        with m.If(reads):
            m.d.sync += [state.eq(SequencerState.READ), self.busy.eq(1)]
        return m
