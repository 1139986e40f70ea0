"""What block RAM holds in a placed design, exchanged without placing it again.

A design is placed with contents that are found again, bit column by bit column, whatever block
RAMs they were spread over; then any other contents take their places in a second.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ToolError
from tombola.spec.power_up import PowerUp
from tombola_boards.board import Family
from tombola_boards.flow import NAME, NETLIST, Flow

DESIGN, OTHER_DESIGN = f"{NAME}.il", "filled.il"
SCRIPT, OTHER_NETLIST = f"{NAME}.ys", "filled.json"
CONTENTS = ("INIT_", "INITVAL_")
"""How the parameters of block RAM begin that say what it holds: of iCE40 and of ECP5."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a placed design writes down its block RAMs.

    Attributes
    ----------
    file : str
        Its name.
    header : str
        How the line before the words of a block RAM begins.
    lines : int
        Of words behind it.
    word_bits : int
    read, write : callable
        A line to its words, lowest first, and back.
    columns : int array (columns, depth)
        Bits of the block RAM, counted through its words, that hold one bit of `depth` words.
    strides : tuple of int
        How far apart in their memory those words may be.
    """

    file: str
    header: str
    lines: int
    word_bits: int
    read: Callable[[str], list[int]]
    write: Callable[[list[int]], str]
    columns: np.ndarray
    strides: tuple[int, ...]


def _ice40() -> Layout:
    # 256 words of 16 bits. In narrower ports, the lowest address bits of Yosys choose in a word.
    return Layout(
        file=f"{NAME}.asc",
        header=".ram_data",
        lines=16,
        word_bits=16,
        read=lambda line: [int(line[at : at + 4], 16) for at in range(60, -1, -4)],
        write=lambda words: "".join(f"{word:04x}" for word in reversed(words)),
        columns=np.arange(256) * 16 + np.arange(16)[:, None],
        strides=(1, 2, 4, 8),
    )


def _ecp5() -> Layout:
    # Words of 9 bits, of which ports of 1, 2 and 4 bits use 8.
    columns = []
    for width, used in ((1, 8), (2, 8), (4, 8), (9, 9), (18, 9), (36, 9)):
        for first in range(2048 * used // (512 * width)):
            for bit in range(width):
                at = first * 512 * width + np.arange(512) * width + bit
                columns.append(at // used * 9 + at % used)
    return Layout(
        file=f"{NAME}.config",
        header=".bram_init",
        lines=256,
        word_bits=9,
        read=lambda line: [int(word, 16) for word in line.split()],
        write=lambda words: " ".join(f"{word:03x}" for word in words),
        columns=np.array(columns),
        strides=(1,),
    )


LAYOUTS = {Family.ICE40: _ice40(), Family.ECP5: _ecp5()}
"""Of the families whose placed designs are text."""


def placeholder(config: EngineConfig) -> PowerUp:
    """Contents to place a design with: the same for the same memories, no two columns alike."""
    ticket_bytes = 4 * config.ticket_words
    stream = hashlib.shake_256(b"tombola").digest(ticket_bytes + 8 * config.table_entries)
    ticket = np.frombuffer(stream[:ticket_bytes], "<u4")
    table = np.frombuffer(stream[ticket_bytes:], "<u8")
    return PowerUp(ticket=ticket.tolist(), table=table.tolist())


def placed_with(flow: Flow, other: Flow) -> Flow:
    """The flow of a design with the block RAM of the same design with other contents.

    Synthesis is asked twice, since it numbers its cells otherwise where contents differ, and that
    would change the placement.
    """
    script = flow.files[SCRIPT]
    again = script.replace(DESIGN, OTHER_DESIGN).replace(NETLIST, OTHER_NETLIST)
    files = {
        **flow.files,
        OTHER_DESIGN: other.files[DESIGN],
        SCRIPT: f"{script}design -reset\n{again}",
    }
    return replace(flow, files=files, contents=OTHER_NETLIST)


def fill(netlist: str, other: str) -> str:
    """A netlist with the contents of block RAM of another one, whose block RAMs have its names."""
    design = json.loads(netlist)
    others = json.loads(other)["modules"][NAME]["cells"]
    for name, cell in design["modules"][NAME]["cells"].items():
        for parameter in cell["parameters"]:
            if parameter.startswith(CONTENTS):
                cell["parameters"][parameter] = others[name]["parameters"][parameter]
    return json.dumps(design)


def exchange(placed: str, family: Family, config: EngineConfig, power_up: PowerUp) -> str:
    """A design that was placed with `placeholder(config)`, with other contents.

    Raises
    ------
    ToolError
        If not each bit of the placeholder is found in it once.
    """
    layout = LAYOUTS[family]
    old, new = _bits(placeholder(config), config), _bits(power_up, config)
    places = {old[place].tobytes(): place for place in _places(config, layout)}
    found = np.zeros(old.size, int)
    lines = placed.split("\n")
    for at, line in enumerate(lines):
        if not line.startswith(layout.header):
            continue
        block = slice(at + 1, at + 1 + layout.lines)
        words = np.array([layout.read(each) for each in lines[block]])
        bits = (words.reshape(-1, 1) >> np.arange(layout.word_bits) & 1).astype(np.uint8).ravel()
        here = [(column, places.get(bits[column].tobytes())) for column in layout.columns]
        for column, place in here:
            if place is not None:
                bits[column] = new[place]
                found[place] += 1
        values = bits.reshape(-1, layout.word_bits) @ (1 << np.arange(layout.word_bits))
        if (values != words.ravel()).any():
            lines[block] = map(layout.write, values.reshape(words.shape).tolist())
    found = found[_stored(config)]
    if (found != 1).any():
        raise ToolError(
            f"the placed design must hold the {found.size} bits of a ticket's memories once, "
            f"not {(found == 1).sum()} of them; build without a ticket and load it"
        )
    return "\n".join(lines)


def _bits(power_up: PowerUp, config: EngineConfig) -> np.ndarray:
    """Both memories bit by bit, words in order, lowest bit first, and a 0 for what is beyond."""
    ticket = np.zeros(config.ticket_words, "<u4")
    table = np.zeros(config.table_entries, "<u8")
    ticket[: len(power_up.ticket)] = power_up.ticket
    table[: len(power_up.table)] = power_up.table
    content = np.frombuffer(ticket.tobytes() + table.tobytes(), np.uint8)
    return np.append(np.unpackbits(content, bitorder="little"), np.uint8(0))


def _stored(config: EngineConfig) -> np.ndarray:
    """Which of `_bits` the memories hold: with short totals no bits 47..32 of a table's entry."""
    entry = np.full(64, True)
    entry[32:48] = not config.short_totals
    ticket = np.full(32 * config.ticket_words, True)
    return np.concatenate([ticket, np.tile(entry, config.table_entries), [False]])


def _places(config: EngineConfig, layout: Layout) -> Iterator[np.ndarray]:
    """For every column that may be in a block RAM the bits, of those of `_bits`, that it holds."""
    depth = layout.columns.shape[1]
    beyond = 32 * config.ticket_words + 64 * config.table_entries
    for first, words, bits in (
        (0, config.ticket_words, 32),
        (32 * config.ticket_words, config.table_entries, 64),
    ):
        for stride in layout.strides:
            # As many words as a block RAM holds that far apart; the last ones may not be there.
            for start in range(-(-words // (depth * stride)) * stride):
                block, offset = divmod(start, stride)
                word = block * depth * stride + offset + stride * np.arange(depth)
                for bit in range(bits):
                    yield np.where(word < words, first + word * bits + bit, beyond)
