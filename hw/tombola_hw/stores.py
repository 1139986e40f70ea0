"""The engine's memories, each shared between the host and the unit that uses it during a run."""

from amaranth import C, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.arithmetic import SCALE_BITS
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS_BITS, DATA_BITS, WINDOW_BITS, Window
from tombola_hw.interfaces import (
    address_bits,
    of_pixels,
    pixels_layout,
    result_layout,
    table_layout,
)
from tombola_hw.memory import ActivationMemory
from tombola_hw.register_file import REGISTER_BITS, stored_words
from tombola_hw.turner import Turner
from tombola_hw.word_memory import WordMemory

BYTE = 8


class TableStore(wiring.Component):
    """The requantisation table: the host writes entries word by word, the engine reads them.

    Members
    -------
    host_address, host_data, host_write
        Words of the window: entry i is words 2i and 2i + 1.
    address, entry
        The engine's read; the entry comes one clock after the address.
    """

    def __init__(self, config: EngineConfig, *, init=()):
        self._config, self._init = config, init
        super().__init__({
            "host_address": In(WINDOW_BITS),
            "host_data": In(DATA_BITS),
            "host_write": In(1),
            "address": In(address_bits(config.table_entries)),
            "entry": Out(table_layout()),
        })

    def elaborate(self, platform):
        m = Module()
        halves = []
        # A bias of 32 bits leaves the low half of every other word unused.
        unused = SCALE_BITS if self._config.short_totals else 0
        for odd, first in enumerate((0, unused)):
            init = [int(entry) >> (odd * DATA_BITS + first) for entry in self._init]
            bits = DATA_BITS - first
            m.submodules[f"half{odd}"] = half = WordMemory(
                bits, depth=self._config.table_entries, init=[x % (1 << bits) for x in init]
            )
            m.d.comb += [
                half.write.eq(self.host_write & (self.host_address[0] == odd)),
                half.write_address.eq(self.host_address[1:]),
                half.write_data.eq(self.host_data[first:]),
                half.read_address.eq(self.address),
            ]
            halves.append(Cat(Const(0, first), half.read_data))
        m.d.comb += self.entry.eq(Cat(halves))
        return m


class ActivationStore(wiring.Component):
    """The activation memories, whose users are the host between runs, fetch and results in one.

    There is one a pixel, all with the same address; a `Turner` gives each pixel its word.

    Members
    -------
    busy : In(1)
        The engine owns the memory.
    window, host_address, host_data, host_write
        Words of the window: bytes of min(4, lanes) neighbouring lanes, lane by lane.
    host_read_data : Out(32)
        One clock after the address, or two if not `compact`; 0 for other windows.
    address, turn, activations
        The fetch unit's read; the words come `latency` clocks after the address.
    results : In(stream.Signature(result_layout(config), always_ready=True))
        Results other than logits are stored.
    """

    def __init__(self, config: EngineConfig, *, spram: bool = False):
        self._config, self._spram = config, spram
        super().__init__({
            "busy": In(1),
            "window": In(ADDRESS_BITS - WINDOW_BITS),
            "host_address": In(WINDOW_BITS),
            "host_data": In(DATA_BITS),
            "host_write": In(1),
            "host_read_data": Out(DATA_BITS),
            "address": In(address_bits(config.activation_words)),
            **({"turn": In(config.turn_bits)} if config.pixels > 1 else {}),
            "activations": Out(pixels_layout(config)),
            "results": In(stream.Signature(result_layout(config), always_ready=True)),
        })

    @staticmethod
    def latency(config: EngineConfig) -> int:
        """Clocks from an address to its `activations`."""
        return 1 + Turner.latency(config)

    def elaborate(self, platform):
        m = Module()
        unit = min(4, self._config.lanes)
        units = self._config.lanes // unit
        select_bits = (units - 1).bit_length()
        host_unit = self.host_address[:select_bits]
        host_word = self.host_address[select_bits:]
        host_bank = host_word[len(self.address) :][: self._config.turn_bits]
        memories = [
            ActivationMemory(self._config, spram=self._spram) for _ in range(self._config.pixels)
        ]
        m.submodules.memory = memories[0]
        m.submodules += memories[1:]
        for memory in memories:
            m.d.comb += memory.read_address.eq(Mux(self.busy, self.address, host_word))
        if self._config.pixels > 1:
            m.submodules.turner = turner = Turner(self._config)
            m.d.sync += turner.turn.eq(Mux(self.busy, self.turn, host_bank))
            m.d.comb += turner.words.eq(Cat(memory.read_data for memory in memories))
            m.d.comb += self.activations.eq(turner.activations)
        else:
            m.d.comb += self.activations.eq(memories[0].read_data)

        for bank, memory in enumerate(memories):
            stores = self.results.valid & ~self.results.payload.logits
            host_writes = self.host_write
            if self._config.pixels > 1:
                stores &= self.results.payload.banks[bank]
                host_writes &= host_bank == bank
            self._write(m, bank, memory.write, stores, host_writes, host_unit)

        self._read(m, host_unit, units)
        return m

    def _read(self, m, host_unit, units):
        latency = self.latency(self._config)
        asks = self.window == Window.ACTIVATIONS
        asked = Cat(asks & (host_unit == index) for index in range(units))
        for _ in range(latency):
            earlier, asked = asked, Signal(units)
            m.d.sync += asked.eq(earlier)
        word = Cat(of_pixels(self._config, self.activations)[0])
        shown = C(0, DATA_BITS)
        for index in range(units):
            part = Mux(asked[index], word.word_select(index, len(word) // units), 0)
            if latency == 1 and not self._config.compact:
                # A block RAM's data come late in the clock, and a register that is held at 0
                # chooses for nothing.
                late = Signal(len(part), name=f"late{index}", reset_less=True)
                m.d.sync += late.eq(part)
                part = late
            shown |= part
        m.d.comb += self.host_read_data.eq(shown)

    def _write(self, m, bank, write, stores, host_writes, host_unit):
        lanes = self._config.lanes
        unit = min(4, lanes)
        result = self.results.payload
        value = of_pixels(self._config, result.value)[bank]
        # Either is low while the other may be high.
        m.d.comb += [
            write.valid.eq(stores | host_writes),
            write.payload.address.eq(result.address),
            write.payload.apart.eq(self.busy),
        ]
        for lane in range(lanes):
            mine = write.payload.lanes[lane]
            m.d.comb += mine.eq(
                (stores & (result.lane == lane)) | (host_writes & (host_unit == lane // unit))
            )
            own, other = value[:BYTE], self.host_data.word_select(lane % unit, BYTE)
            m.d.comb += write.payload.data[lane].eq(Mux(self.busy, own, other))


class HostWords(wiring.Component):
    """What the host reads word by word: logits of the last run, and registers.

    One memory for the results and for all registers that the engine does not change, so that no
    register is chosen by logic.

    Members
    -------
    busy : In(1)
        The engine writes; else the host does.
    window, host_address, host_read_data
        The host's read; data one clock after the address, 0 for windows other than these two.
    host_data, keep : In(32), In(1)
        `keep` stores `host_data` in the register at `host_address`.
    results : In(stream.Signature(result_layout(config), always_ready=True))
        Logits are stored at their address.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({
            "busy": In(1),
            "window": In(ADDRESS_BITS - WINDOW_BITS),
            "host_address": In(WINDOW_BITS),
            "host_read_data": Out(DATA_BITS),
            "host_data": In(DATA_BITS),
            "keep": In(1),
            "results": In(stream.Signature(result_layout(config), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        # Four regions, chosen by the window's bits: registers, nothing, results, nothing.
        bits = max(REGISTER_BITS, address_bits(self._config.result_words))
        m.submodules.words = words = WordMemory(
            DATA_BITS, depth=4 << bits, init=stored_words(self._config)
        )
        result = self.results.payload
        m.d.comb += [
            words.read_address.eq(
                Cat(self.host_address[:bits], self.window[:2].any(), self.window[2])
            ),
            self.host_read_data.eq(words.read_data),
        ]
        with m.If(self.busy):
            m.d.comb += [
                words.write.eq(self.results.valid & result.logits),
                words.write_address.eq(Cat(result.address[:bits], C(0b10, 2))),
                words.write_data.eq(of_pixels(self._config, result.value)[0]),
            ]
        with m.Else():
            m.d.comb += [
                words.write.eq(self.keep),
                words.write_address.eq(self.host_address[:REGISTER_BITS]),
                words.write_data.eq(self.host_data),
            ]
        return m
