"""The memories of an engine, and the block RAMs that synthesis makes of them."""

from dataclasses import dataclass

from tombola.spec.engine import ACTIVATION_BITS, EngineConfig
from tombola.spec.lfsr import WORD
from tombola.spec.registers import ADDRESS

STATE_WORDS = 8
"""Words in which construction keeps a row's state."""
LINK_BYTES = 512
"""Buffer of the serial link."""
SHARED_BITS = 16
"""Rows of the weight buffer share a memory up to this width."""
SCALE_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One memory, or several alike.

    Parameters
    ----------
    name : str
        ``activations``, ``ticket``, ``table``, ``weights``, ``results`` or ``control``.
    width, depth : int
        Bits of a word, and words.
    part : int
        Bits that are written by themselves; a divisor of the width.
    copies : int
    """

    name: str
    width: int
    depth: int
    part: int = 0
    copies: int = 1

    @property
    def bits(self) -> int:
        """All that is stored."""
        return self.width * self.depth * self.copies


@dataclass(frozen=True, kw_only=True)
class RamKind:
    """The block RAM of an FPGA family.

    Parameters
    ----------
    name : str
        For people.
    shapes : tuple of (depth, width)
        That one block can take.
    bits : int
        Of words of 8, 16 or 32 bits that one block holds.
    """

    name: str
    shapes: tuple[tuple[int, int], ...]
    bits: int

    def blocks(self, memory: Memory) -> int:
        """Block RAMs of a memory, as Yosys maps it: a block costs 64, a 2:1 multiplexer a half."""
        return memory.copies * self._cheapest(memory)[1]

    def multiplexed(self, memory: Memory) -> int:
        """Two-way choices between the bits of blocks that make a memory deeper."""
        return memory.copies * memory.width * (self._cheapest(memory)[2] - 1)

    def _cheapest(self, memory: Memory) -> tuple[float, int, int]:
        return min(self._cost(memory, depth, width) for depth, width in self.shapes)

    def _cost(self, memory: Memory, depth: int, width: int) -> tuple[float, int, int]:
        """What Yosys weighs, blocks, and how many make the depth."""
        if memory.part and width % 9 == 0:
            width = width // 9 * 8  # of bytes written by themselves the ninth bit is of no use
        deep, wide = -(-memory.depth // depth), -(-memory.width // width)
        return 64 * deep * wide + memory.width * (deep - 1) / 2, deep * wide, deep


ECP5_RAM = RamKind(
    name="block RAM of 18 kbit",
    shapes=((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)),
    bits=1 << 14,
)
GOWIN_RAM = ECP5_RAM
ICE40_RAM = RamKind(
    name="block RAM of 4 kbit", shapes=((2048, 2), (1024, 4), (512, 8), (256, 16)), bits=1 << 12
)


def memories(config: EngineConfig, *, spram: bool = False) -> tuple[Memory, ...]:
    """Every memory of an engine and its serial link that lies in block RAM.

    Parameters
    ----------
    config : EngineConfig
    spram : bool
        Activations lie in other RAM.
    """
    banks, lanes = config.activation_banks, config.lanes
    row = 2 * lanes
    shared = max(1, min(config.rows, SHARED_BITS // row))
    full, rest = divmod(config.rows, shared)
    registers = max(len(ADDRESS).bit_length(), (config.result_words - 1).bit_length())
    found = [
        Memory(name="ticket", width=WORD, depth=config.ticket_words),
        Memory(name="table", width=WORD, depth=config.table_entries),
        Memory(
            name="table",
            width=SCALE_BITS if config.short_totals else WORD,
            depth=config.table_entries,
        ),
        Memory(
            name="weights", width=row * shared, depth=config.weight_lines, part=row, copies=full
        ),
        Memory(name="results", width=WORD, depth=4 << registers),
        Memory(name="control", width=WORD, depth=(config.rows + 1) * STATE_WORDS),
        Memory(name="control", width=WORD, depth=2),
        Memory(name="control", width=8, depth=LINK_BYTES),
    ]
    if rest:
        found.append(
            Memory(name="weights", width=row * rest, depth=config.weight_lines, part=row)
        )
    if config.layer_rams:
        found.append(Memory(name="control", width=16, depth=2, copies=config.layer_rams))
    if not spram:
        found.append(
            Memory(
                name="activations",
                width=ACTIVATION_BITS * lanes,
                depth=config.activation_words // banks,
                part=ACTIVATION_BITS,
                copies=banks * config.pixels,
            )
        )
    return tuple(found)
