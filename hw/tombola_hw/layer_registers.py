"""The layer in force: descriptor words as they arrive, held for the cores to read."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.descriptor import ADDRESS_BITS, STRIP_BITS, WORD_BITS, Field
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config, check_range
from tombola_hw.dsp_registers import DspRegisters
from tombola_hw.interfaces import NO_COLLISIONS, STRIP_MARGIN, address_bits, layer_layout

HALF_BITS = WORD_BITS // 2
LATENCY = 2
"""Clocks from the last word to a whole `layer`."""


MASKS = ("word_mask", "tail_mask")
"""Fields that turn in a compact engine, each a word of its own."""
ELSEWHERE = ("seed_low", "seed_high", "engine")
"""Fields that the sequencer takes as they arrive."""


def kept_bits(field: Field, config: EngineConfig) -> int:
    """Low bits of a field that an engine needs; the others stay 0 and cost nothing."""
    if field.name in ELSEWHERE:
        return 0
    if field.is_count:
        return config.count_width(field)
    if field.bits == STRIP_BITS:
        return config.turn_bits + STRIP_MARGIN
    if field.name == "starts_base":
        return address_bits(config.ticket_words)
    if field.bits == ADDRESS_BITS:
        return max(address_bits(config.activation_words), address_bits(config.result_words))
    return field.bits


def halves(config: EngineConfig) -> tuple[tuple[int, int], ...]:
    """The (word, half) pairs of a descriptor that an engine keeps as they are, fullest first."""
    used: dict[tuple[int, int], int] = {}
    for field in config.descriptor.fields:
        if config.compact and field.name in MASKS:
            continue
        word, low = config.descriptor.places[field.name]
        for bit in range(low, low + kept_bits(field, config)):
            half = (word, bit // HALF_BITS)
            used[half] = used.get(half, 0) + 1
    return tuple(sorted(used, key=lambda half: (-used[half], half)))


class LayerRegisters(wiring.Component):
    """Holds the fields of one descriptor.

    `layer` is whole `LATENCY` clocks after the last word; one word a clock. Halves of words lie in
    flip-flops, or where a small FPGA has bits to spare: at the output of a block RAM that is read
    at one address all the time, or in the input registers of a multiplier block. Those of a compact
    engine's masks turn: flip-flops that do so need no multiplexer behind them. Golden model:
    `tombola.spec.descriptor.Format.unpack`.

    Parameters
    ----------
    config : EngineConfig
        `layer_rams` block RAMs take the halves with most bits.
    dsps : int
        Multiplier blocks of an iCE40 UP5K that take two more halves each; for synthesis only.

    Members
    -------
    write : In
        A bit for each word of the descriptor: whether it is `data`.
    data : In(32)
    turn : In(1)
        In a compact engine, turns both masks down by `construction` bits.
    layer : Out(layer_layout(config))
        Bits that the engine does not need are 0.
    """

    def __init__(self, config: EngineConfig, *, dsps: int = 0):
        check_config("LayerRegisters", config)
        check_range("LayerRegisters", "dsps", dsps, 0, config.descriptor.words)
        self._config, self._dsps = config, dsps
        super().__init__({
            "write": In(config.descriptor.words),
            "data": In(WORD_BITS),
            "turn": In(1),
            "layer": Out(layer_layout(config)),
        })

    def elaborate(self, platform):
        m = Module()
        form = self._config.descriptor
        held = {
            (word, half): Signal(HALF_BITS, name=f"word{word}_{half}")
            for word in range(form.words)
            for half in range(2)
        }
        write = {half: self.write[half[0]] for half in held}
        order = halves(self._config)
        rams = order[: self._config.layer_rams]
        dsps = order[len(rams) : len(rams) + 2 * self._dsps]

        masks = [form.places[name][0] for name in MASKS] if self._config.compact else []
        for half in set(held) - {*rams, *dsps}:
            if half[0] not in masks:
                with m.If(write[half]):
                    m.d.sync += held[half].eq(self.data.word_select(half[1], HALF_BITS))
        for word in masks:
            mask = Cat(held[word, 0], held[word, 1])
            with m.If(self.turn | write[word, 0]):
                turned = mask.rotate_right(self._config.construction)
                m.d.sync += mask.eq(Mux(write[word, 0], self.data, turned))
        for half in rams:
            m.d.comb += held[half].eq(self._ram(m, half, write[half]))
        for index in range(0, len(dsps), 2):
            pair = dsps[index : index + 2]
            m.submodules[f"dsp{index // 2}"] = dsp = DspRegisters()
            for port, half in zip((dsp.low, dsp.high), pair, strict=False):
                m.d.comb += [
                    port.write.eq(write[half]),
                    port.data.eq(self.data.word_select(half[1], HALF_BITS)),
                    held[half].eq(port.held),
                ]

        for field in form.fields:
            word, low = form.places[field.name]
            bits = Cat(held[word, 0], held[word, 1])[low : low + kept_bits(field, self._config)]
            m.d.comb += self.layer[field.name].eq(bits.as_signed() if field.signed else bits)
        return m

    def _ram(self, m, half, write):
        # Block RAM by decree: so shallow a memory would become flip-flops.
        m.submodules[f"ram{half[0]}_{half[1]}"] = memory = Memory(
            shape=unsigned(HALF_BITS), depth=2, init=[],
            attrs={**NO_COLLISIONS, "ram_style": "block"},
        )
        writer, reader = memory.write_port(), memory.read_port()
        m.d.comb += writer.data.eq(self.data.word_select(half[1], HALF_BITS))
        m.d.comb += writer.en.eq(write)
        return reader.data
