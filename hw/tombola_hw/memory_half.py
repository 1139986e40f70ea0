"""Single-port memories of bytes: the halves of a banked activation memory."""

from amaranth import Cat, ClockSignal, Const, Instance, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import ACTIVATION_BITS
from tombola.spec.errors import ConfigError
from tombola_hw.compute_checks import check_range
from tombola_hw.interfaces import NO_COLLISIONS, address_bits

SPRAM_WORDS = 1 << 14
SPRAM_BYTES = 2


class HalfSignature(wiring.Signature):
    """The contract of a half: one access a clock, a write as soon as any byte is enabled.

    Parameters
    ----------
    depth : int
        Words.
    lanes : int
        Bytes of a word.

    Members
    -------
    address : Out(address_bits(depth))
    write_enable : Out(lanes)
        One bit a byte.
    write_data : Out(8 * lanes)
    read_data : In(8 * lanes)
        The word at the address of the clock before, if that clock wrote nothing.
    """

    def __init__(self, *, depth: int, lanes: int):
        super().__init__({
            "address": Out(unsigned(address_bits(depth))),
            "write_enable": Out(unsigned(lanes)),
            "write_data": Out(unsigned(ACTIVATION_BITS * lanes)),
            "read_data": In(unsigned(ACTIVATION_BITS * lanes)),
        })


class BlockHalf(wiring.Component):
    """A half in block RAM. Latency of a read: 1 clock. Golden model: an array of words.

    Parameters
    ----------
    depth, lanes : int
        Words, and bytes of a word.

    Members
    -------
    port : In(HalfSignature(depth=depth, lanes=lanes))
    """

    def __init__(self, *, depth: int, lanes: int):
        check_range("BlockHalf", "depth", depth, 1, 1 << 20)
        check_range("BlockHalf", "lanes", lanes, 1, 32)
        word = unsigned(ACTIVATION_BITS * lanes)
        self._memory = Memory(shape=word, depth=depth, init=[], attrs=NO_COLLISIONS)
        super().__init__({"port": In(HalfSignature(depth=depth, lanes=lanes))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self._memory
        write = memory.write_port(granularity=ACTIVATION_BITS)
        read = memory.read_port()

        m.d.comb += [
            write.addr.eq(self.port.address),
            write.en.eq(self.port.write_enable),
            write.data.eq(self.port.write_data),
            read.addr.eq(self.port.address),
            # Never both at once, so that one port of the RAM is enough.
            read.en.eq(self.port.write_enable == 0),
            self.port.read_data.eq(read.data),
        ]
        return m


class SpramHalf(wiring.Component):
    """A half in the single-port blocks of the iCE40 UP5K, two bytes a block side by side.

    Latency of a read: 1 clock. The memory starts with unknown content. It is made of vendor
    cells, which only synthesis knows: simulations take `BlockHalf`, of the same contract.

    Parameters
    ----------
    depth, lanes : int
        Words, up to 16384, and bytes of a word, 2 or 4.

    Members
    -------
    port : In(HalfSignature(depth=depth, lanes=lanes))
    """

    def __init__(self, *, depth: int, lanes: int):
        check_range("SpramHalf", "depth", depth, 1, SPRAM_WORDS)
        if lanes not in (2, 4):
            raise ConfigError(f"SpramHalf lanes must be 2 or 4, not {lanes}")
        self._lanes = lanes
        super().__init__({"port": In(HalfSignature(depth=depth, lanes=lanes))})

    def elaborate(self, platform):
        m = Module()

        address = Signal(range(SPRAM_WORDS))
        m.d.comb += address.eq(self.port.address)

        bits = SPRAM_BYTES * ACTIVATION_BITS
        for block in range(self._lanes // SPRAM_BYTES):
            first = self.port.write_enable[SPRAM_BYTES * block]
            second = self.port.write_enable[SPRAM_BYTES * block + 1]
            m.submodules[f"block{block}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=address,
                i_DATAIN=self.port.write_data.word_select(block, bits),
                # The mask counts half bytes.
                i_MASKWREN=Cat(first, first, second, second),
                i_WREN=first | second,
                i_CHIPSELECT=Const(1),
                i_STANDBY=Const(0),
                i_SLEEP=Const(0),
                i_POWEROFF=Const(1),  # active low
                o_DATAOUT=self.port.read_data.word_select(block, bits),
            )
        return m
