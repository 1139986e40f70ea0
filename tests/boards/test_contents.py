"""Contents of block RAM exchanged in placed designs: made up here, and made by the tools."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ToolError
from tombola.spec.power_up import PowerUp
from tombola_boards import contents
from tombola_boards.board import Family
from tombola_boards.build import find_tools, prepare
from tombola_boards.flow import NETLIST, Flow
from tombola_boards.registry import board_named
from tombola_hw.stores import TableStore
from tombola_hw.word_memory import WordMemory

CONFIG = EngineConfig(ticket_words=1024, table_entries=256)


def random_contents(seed: int, config: EngineConfig = CONFIG, *, share: float = 0.7) -> PowerUp:
    """A ticket that does not fill its memories."""
    rng = np.random.default_rng(seed)
    words, entries = int(share * config.ticket_words), int(share * config.table_entries)
    table = rng.integers(0, 1 << 63, entries, dtype=np.uint64)
    return PowerUp(
        ticket=rng.integers(0, 1 << 32, words, dtype=np.uint64).tolist(), table=table.tolist()
    )


def ice40_rams(words, depth: int, bits: int, port: int) -> list[np.ndarray]:
    """Block RAMs (256, 16) of a memory: ports of `port` bits, 16 / port words in a row."""
    words = np.pad(np.array(words, np.uint64), (0, depth - len(words)))
    inside = 16 // port
    rams = []
    for first in range(0, bits, port):
        for start in range(0, depth, 256 * inside):
            ram = np.zeros((256, 16), np.uint8)
            for bit in range(port):
                for offset in range(inside):
                    column = words[start + offset : start + 256 * inside : inside]
                    ram[: column.size, bit * inside + offset] = column >> np.uint64(
                        first + bit
                    ) & np.uint64(1)
            rams.append(ram)
    return rams


def ice40_design(power_up: PowerUp, ports: tuple[int, int], *, others: int = 3) -> str:
    """A placed design with these memories, and others, in some order."""
    rams = ice40_rams(power_up.ticket, CONFIG.ticket_words, 32, ports[0])
    rams += ice40_rams(power_up.table, CONFIG.table_entries, 64, ports[1])
    rng = np.random.default_rng(5)
    rams += [np.zeros((256, 16), np.uint8)]
    rams += [rng.integers(0, 2, (256, 16)).astype(np.uint8) for _ in range(others)]
    text = [".comment a design", ".device 5k"]
    for place in rng.permutation(len(rams)):
        text += ["", f".ram_data 6 {place}"]
        values = rams[place] @ (1 << np.arange(16))
        for line in values.reshape(16, 16):
            text.append("".join(f"{word:04x}" for word in line[::-1]))
    return "\n".join([*text, "", ".sym 1 clock", ""])


@pytest.mark.parametrize("ports", [(16, 16), (8, 16), (4, 8), (2, 16)])
def test_a_design_becomes_that_with_the_other_contents(ports):
    placed = ice40_design(contents.placeholder(CONFIG), ports)
    for seed in range(2):
        power_up = random_contents(seed)
        exchanged = contents.exchange(placed, Family.ICE40, CONFIG, power_up)
        assert exchanged == ice40_design(power_up, ports)
    empty = contents.exchange(placed, Family.ICE40, CONFIG, PowerUp())
    assert empty == ice40_design(PowerUp(), ports)


def test_a_design_that_holds_less_or_more_is_refused():
    whole = ice40_design(contents.placeholder(CONFIG), (4, 16), others=0)
    blocks = whole.split("\n\n")
    index = next(i for i, block in enumerate(blocks) if ".ram_data" in block and "f" in block[20:])
    for damaged, bits in (
        (blocks[:index] + blocks[index + 1 :], 45056),
        ([*blocks, blocks[index]], 45056),
        ([whole.replace(blocks[index][-40:], "0" * 40)], None),
    ):
        with pytest.raises(ToolError) as caught:
            contents.exchange("\n\n".join(damaged), Family.ICE40, CONFIG, random_contents(1))
        message = str(caught.value)
        assert message.startswith(
            "the placed design must hold the 49152 bits of a ticket's memories once, not "
        )
        assert message.endswith(" of them; build without a ticket and load it")
        assert bits is None or f"not {bits} of them" in message


def test_the_placeholder_is_always_the_same_and_fills_the_memories():
    first, again = contents.placeholder(CONFIG), contents.placeholder(CONFIG)
    assert first == again
    assert (len(first.ticket), len(first.table)) == (1024, 256)


class Memories(wiring.Component):
    """The memories of a ticket and hardly more, behind the pins of a serial engine."""

    rx: In(1)
    tx: Out(1)
    ready: Out(1)
    busy: Out(1)
    error: Out(1)

    def __init__(self, config: EngineConfig, power_up: PowerUp):
        self._config, self._power_up = config, power_up
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.ticket = ticket = WordMemory(
            32, depth=self._config.ticket_words, init=self._power_up.ticket
        )
        m.submodules.table = table = TableStore(self._config, init=self._power_up.table)
        shifted = Signal(64)
        m.d.sync += shifted.eq(Cat(self.rx, shifted))
        m.d.comb += [
            ticket.read_address.eq(shifted),
            ticket.write_address.eq(shifted[16:]),
            ticket.write_data.eq(shifted[32:]),
            ticket.write.eq(shifted[63]),
            table.address.eq(shifted),
            table.host_address.eq(shifted[16:]),
            table.host_data.eq(shifted[32:]),
            table.host_write.eq(shifted[62]),
        ]
        m.d.sync += self.tx.eq(Cat(ticket.read_data, table.entry).xor())
        return m


def place(flow: Flow, tools, folder: Path) -> str:
    """The memories alone, placed."""
    folder.mkdir()
    for name, text in flow.files.items():
        (folder / name).write_text(text)
    for step in (flow.synthesis, flow.place_route_with(1)):
        subprocess.run([*tools[step.tool].argv, *step.arguments], cwd=folder, check=True)
        if step is flow.synthesis and flow.contents is not None:
            netlist = folder / NETLIST
            other = (folder / flow.contents).read_text()
            netlist.write_text(contents.fill(netlist.read_text(), other))
    (placed,) = (*folder.glob("top.asc"), *folder.glob("top.config"))
    return placed.read_text()


def blocks(design: str, layout: contents.Layout) -> tuple[list[list[list[int]]], str]:
    """The words of all block RAMs, wherever they are, and the design without them."""
    lines = design.split("\n")
    starts = [at + 1 for at, line in enumerate(lines) if line.startswith(layout.header)]
    words = [[layout.read(line) for line in lines[at : at + layout.lines]] for at in starts]
    for at in starts:
        lines[at : at + layout.lines] = [""] * layout.lines
    return sorted(words), "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["icebreaker", "ice40-hx8k", "ulx3s-25f"])
def test_what_the_tools_place_with_a_ticket_is_what_is_exchanged(name, tmp_path):
    board = board_named(name)
    config, layout, tools = board.config, contents.LAYOUTS[board.family], find_tools(board)
    power_up = random_contents(3, config)

    def flow(power_up):
        return prepare(board, Memories(config, power_up))

    filled = contents.placed_with(flow(PowerUp()), flow(contents.placeholder(config)))
    placed = place(filled, tools, tmp_path / "placed")
    exchanged = contents.exchange(placed, board.family, config, power_up)
    found, design = blocks(exchanged, layout)
    assert found == blocks(place(flow(power_up), tools, tmp_path / "direct"), layout)[0]
    # The design is that without a ticket, cell by cell and wire by wire.
    empty = contents.exchange(placed, board.family, config, PowerUp())
    plain = place(flow(PowerUp()), tools, tmp_path / "plain")
    assert blocks(empty, layout) == blocks(plain, layout)
    assert blocks(empty, layout)[1] == design
