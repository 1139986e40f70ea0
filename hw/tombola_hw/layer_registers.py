"""The layer in force: descriptor words as they arrive, held for the cores to read."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec import descriptor
from tombola.spec.descriptor import ADDRESS_BITS, WORD_BITS, Field
from tombola.spec.engine import EngineConfig
from tombola_hw.compute_checks import check_config
from tombola_hw.interfaces import NO_COLLISIONS, address_bits, layer_layout

HALF_BITS = WORD_BITS // 2
LATENCY = 2
"""Clocks from the last word to a whole `layer`."""


def kept_bits(field: Field, config: EngineConfig) -> int:
    """Low bits of a field that an engine needs; the others stay 0 and cost nothing."""
    if field.is_count:
        return config.count_bits
    if field.name == "starts_base":
        return address_bits(config.ticket_words)
    if field.bits == ADDRESS_BITS:
        return max(address_bits(config.activation_words), address_bits(config.result_words))
    return field.bits


def ram_halves(config: EngineConfig) -> tuple[tuple[int, int], ...]:
    """The (word, half) pairs that `layer_rams` block RAMs hold: those with most bits in use."""
    used: dict[tuple[int, int], int] = {}
    for field in descriptor.FIELDS:
        word, low = descriptor.PLACES[field.name]
        for bit in range(low, low + kept_bits(field, config)):
            half = (word, bit // HALF_BITS)
            used[half] = used.get(half, 0) + 1
    return tuple(sorted(used, key=lambda half: (-used[half], half))[: config.layer_rams])


class LayerRegisters(wiring.Component):
    """Holds the fields of one descriptor.

    `layer` is whole `LATENCY` clocks after the last word; one word a clock. Halves of words lie in
    flip-flops, or at the output of a block RAM that is read at one address all the time: a small
    FPGA has those to spare. Golden model: `tombola.spec.descriptor.unpack`.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    write : In(1)
    word : In
        Index of the word in the descriptor.
    data : In(32)
    layer : Out(layer_layout())
        Bits that the engine does not need are 0.
    """

    def __init__(self, config: EngineConfig):
        check_config("LayerRegisters", config)
        self._config = config
        super().__init__({
            "write": In(1),
            "word": In(range(descriptor.WORDS)),
            "data": In(WORD_BITS),
            "layer": Out(layer_layout()),
        })

    def elaborate(self, platform):
        m = Module()
        in_ram = ram_halves(self._config)
        words = []
        for word in range(descriptor.WORDS):
            write = self.write & (self.word == word)
            halves = []
            for half in range(2):
                arriving = self.data.word_select(half, HALF_BITS)
                if (word, half) in in_ram:
                    held = self._ram(m, f"word{word}_{half}", write, arriving)
                else:
                    held = Signal(HALF_BITS, name=f"word{word}_{half}")
                    with m.If(write):
                        m.d.sync += held.eq(arriving)
                halves.append(held)
            words.append(Cat(halves))
        for field in descriptor.FIELDS:
            word, low = descriptor.PLACES[field.name]
            value = words[word][low : low + kept_bits(field, self._config)]
            m.d.comb += self.layer[field.name].eq(value.as_signed() if field.signed else value)
        return m

    def _ram(self, m, name, write, arriving):
        # Block RAM by decree: so shallow a memory would become flip-flops.
        m.submodules[name] = memory = Memory(
            shape=unsigned(HALF_BITS), depth=2, init=[],
            attrs={**NO_COLLISIONS, "ram_style": "block"},
        )
        writer, reader = memory.write_port(), memory.read_port()
        m.d.comb += [writer.data.eq(arriving), writer.en.eq(write)]
        return reader.data
