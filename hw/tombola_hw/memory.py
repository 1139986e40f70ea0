"""The activation memory: one word read and some bytes of one word written each clock."""

from collections.abc import Callable

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from tombola.spec.engine import ACTIVATION_BITS, EngineConfig
from tombola.spec.errors import ConfigError
from tombola_hw.compute_checks import check_bool, check_config
from tombola_hw.interfaces import NO_COLLISIONS, activation_layout, address_bits
from tombola_hw.memory_half import BlockHalf, SpramHalf


def write_layout(config: EngineConfig) -> data.StructLayout:
    """A write of the bytes of one word whose bits in `lanes` are set.

    It goes to `address` if `apart`, else to the memory's `read_address`: that saves a user who
    never reads and writes at once a second choice of addresses.
    """
    return data.StructLayout({
        "apart": unsigned(1),
        "address": unsigned(address_bits(config.activation_words)),
        "lanes": unsigned(config.lanes),
        "data": activation_layout(config),
    })


def memory_members(config: EngineConfig) -> dict[str, wiring.Member]:
    """What a memory of activations offers, however many banks it has.

    `read_data` is the word at the address of the clock before.
    """
    return {
        "read_address": In(unsigned(address_bits(config.activation_words))),
        "read_data": Out(activation_layout(config)),
        "write": In(stream.Signature(write_layout(config), always_ready=True)),
    }


class OneBank(wiring.Component):
    """A block RAM that reads and writes in the same clock, though never the same word.

    Parameters
    ----------
    config : EngineConfig

    Members
    -------
    As `memory_members` says.
    """

    def __init__(self, config: EngineConfig):
        check_config("OneBank", config)
        word = unsigned(ACTIVATION_BITS * config.lanes)
        self._memory = Memory(
            shape=word, depth=config.activation_words, init=[], attrs=NO_COLLISIONS
        )
        super().__init__(memory_members(config))

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self._memory
        write = memory.write_port(granularity=ACTIVATION_BITS)
        read = memory.read_port()

        m.d.comb += [
            write.addr.eq(
                Mux(self.write.p.apart, self.write.p.address, self.read_address)
            ),
            write.en.eq(Mux(self.write.valid, self.write.p.lanes, 0)),
            write.data.eq(self.write.p.data),
            read.addr.eq(self.read_address),
            self.read_data.eq(read.data),
        ]
        return m


class TwoBanks(wiring.Component):
    """Two single-port halves that the top address bit selects; in each a write comes first.

    Parameters
    ----------
    config : EngineConfig
    half : callable
        Makes a half of `depth` and `lanes`: a component with a `HalfSignature` as `port`.

    Members
    -------
    As `memory_members` says.
    """

    def __init__(self, config: EngineConfig, *, half: Callable[..., wiring.Component] = BlockHalf):
        check_config("TwoBanks", config)
        depth = config.activation_words // 2
        self._halves = [half(depth=depth, lanes=config.lanes) for _ in range(2)]
        super().__init__(memory_members(config))

    def elaborate(self, platform):
        m = Module()

        write = self.write.p
        bank = Mux(write.apart, write.address[-1], self.read_address[-1])
        for index, half in enumerate(self._halves):
            m.submodules[f"half{index}"] = half
            chosen = self.write.valid & (bank == index)
            m.d.comb += [
                half.port.address.eq(
                    Mux(chosen & write.apart, write.address[:-1], self.read_address[:-1])
                ),
                half.port.write_enable.eq(Mux(chosen, write.lanes, 0)),
                half.port.write_data.eq(write.data),
            ]

        read_half = Signal()
        first, second = self._halves
        m.d.sync += read_half.eq(self.read_address[-1])
        m.d.comb += self.read_data.eq(Mux(read_half, second.port.read_data, first.port.read_data))
        return m


class ActivationMemory(wiring.Component):
    """Words of `lanes` bytes, in as many banks as the configuration has.

    A word is there one clock after its address. Throughput: a read of a word and a write of some
    bytes of a word each clock, no back-pressure. Golden model: an array of words.

    With one bank, a read of the word that is written in the same clock gives unknown bytes. With
    two, the top address bit selects a bank, and a bank that writes does not read: `read_data` is
    then unknown too. The compiler never lets a layer read what it writes.

    Parameters
    ----------
    config : EngineConfig
    spram : bool
        True: the banks are single-port blocks of an iCE40 UP5K. Needs two banks, of 2 or 4 lanes
        and at most 16384 words each; for synthesis, as no simulation knows the vendor's cells.

    Members
    -------
    read_address : In(address_bits(activation_words))
    read_data : Out(activation_layout(config))
    write : In(stream.Signature(write_layout(config), always_ready=True))
    """

    def __init__(self, config: EngineConfig, *, spram: bool = False):
        check_config("ActivationMemory", config)
        check_bool("ActivationMemory", "spram", spram)
        if spram and config.activation_banks != 2:
            raise ConfigError(
                f"ActivationMemory activation_banks must be 2 with spram, "
                f"not {config.activation_banks}"
            )
        if config.activation_banks == 1:
            self._banks = OneBank(config)
        else:
            self._banks = TwoBanks(config, half=SpramHalf if spram else BlockHalf)
        super().__init__(memory_members(config))

    def elaborate(self, platform):
        m = Module()
        m.submodules.banks = banks = self._banks
        connect(m, flipped(self), banks)
        return m
