"""A plain memory of words with one write and one read port, as block RAM has them."""

from amaranth import Module, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.errors import ConfigError
from tombola_hw.interfaces import NO_COLLISIONS, address_bits


class WordMemory(wiring.Component):
    """Stores a word a clock and reads one; read data come one clock after the address.

    Reading the word that is written in the same clock gives either content; nobody here does.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words.
    init : sequence of int
        Content at power-up of the first words; zero beyond.
    """

    def __init__(self, width: int, *, depth: int, init=()):
        if len(init) > depth:
            raise ConfigError(f"init must be at most {depth} words, not {len(init)}")
        self._width, self._depth, self._init = width, depth, list(init)
        super().__init__({
            "read_address": In(address_bits(depth)),
            "read_data": Out(width),
            "write_address": In(address_bits(depth)),
            "write_data": In(width),
            "write": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=unsigned(self._width), depth=self._depth, init=self._init, attrs=NO_COLLISIONS
        )
        reader, writer = memory.read_port(), memory.write_port()
        m.d.comb += [
            reader.addr.eq(self.read_address),
            self.read_data.eq(reader.data),
            writer.addr.eq(self.write_address),
            writer.data.eq(self.write_data),
            writer.en.eq(self.write),
        ]
        return m
