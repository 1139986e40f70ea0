"""The layer descriptor: what one layer tells the engine, as 32-bit words in the ticket memory.

Fields are declared once, in order; a field never straddles two words. The hardware derives its
registers from this table and the compiler packs by it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from tombola.spec.errors import ConfigError

WORD_BITS = 32
ADDRESS_BITS = 20
COUNT_BITS = 16


class Operation(enum.IntEnum):
    """What a layer does; 0 is no operation, so that empty memory is an error, not a layer."""

    CONVOLVE = 1
    MAX_POOL = 2
    AVERAGE_POOL = 3


@dataclass(frozen=True)
class Field:
    """One field of the descriptor.

    Parameters
    ----------
    name : str
    bits : int
    meaning : str
        With its unit; the reference page prints it.
    signed : bool
    """

    name: str
    bits: int
    meaning: str
    signed: bool = False


    @property
    def is_count(self) -> bool:
        """Whether an engine may hold fewer bits of it: `EngineConfig.count_bits`."""
        return self.bits == COUNT_BITS


FIELDS = (
    # What is done
    Field("operation", 3, "`Operation`"),
    Field("input_signed", 1, "1: input activations are two's complement"),
    Field("logits", 1, "1: results go to the result memory as 32 bits, unclamped"),
    Field("shift", 5, "requantisation shift"),
    Field("clamp_low", 9, "least output value", signed=True),
    Field("clamp_high", 9, "greatest output value", signed=True),
    # Loops: groups x out_height x out_width x kernel_height x kernel_width x inner
    Field("groups", COUNT_BITS, "channel groups, of `rows` channels (pooling: of `lanes`)"),
    Field("channels", COUNT_BITS, "output channels"),
    Field("out_height", COUNT_BITS, "output rows"),
    Field("out_width", COUNT_BITS, "output columns"),
    Field("kernel_height", COUNT_BITS, "kernel rows"),
    Field("kernel_width", COUNT_BITS, "kernel columns"),
    Field("inner", COUNT_BITS, "activation words read at one kernel position"),
    Field("lines", COUNT_BITS, "kernel_height x kernel_width x inner: weight lines of a group"),
    # Where the window stands in the input, for padding
    Field("in_height", COUNT_BITS, "input rows"),
    Field("in_width", COUNT_BITS, "input columns"),
    Field("stride_y", COUNT_BITS, "rows from one output row to the next"),
    Field("stride_x", COUNT_BITS, "columns from one output column to the next"),
    Field(
        "first_y", COUNT_BITS, "input row of the first window's top: minus the padding", signed=True
    ),
    Field("first_x", COUNT_BITS, "input column of the first window's left edge", signed=True),
    # Activation addresses, in words, modulo 2^20
    Field("input_base", ADDRESS_BITS, "word of the first window's first kernel position"),
    Field(
        "column_step",
        ADDRESS_BITS,
        "from a kernel position's last word to the next position's first",
    ),
    Field("kernel_row_step", ADDRESS_BITS, "from one kernel row to the next"),
    Field("pixel_step", ADDRESS_BITS, "from one output column's window to the next"),
    Field("line_step", ADDRESS_BITS, "from one output row's windows to the next"),
    Field("group_step", ADDRESS_BITS, "from one channel group to the next: 0, pooling 1"),
    Field("output_base", ADDRESS_BITS, "word (logits: result) of the first output"),
    Field(
        "output_step", ADDRESS_BITS, "words (logits: results) from one output position to the next"
    ),
    # Requantisation
    Field("table_base", COUNT_BITS, "first entry of the requantisation table"),
    Field("table_step", 1, "1: an entry a channel, 0: one entry for all"),
    # Weight construction
    Field("weight_set", 24, "id that the streams are drawn for"),
    Field("prune", 9, "draws below this prune"),
    Field("frozen", 9, "draws below this and not below `prune` lock"),
    Field("starts_base", ADDRESS_BITS, "ticket word of the channel starts, one word a channel"),
    Field("row_words", COUNT_BITS, "words of 32 positions in a row"),
    Field("chunk_words", COUNT_BITS, "words built for one row before the next row's turn"),
    Field("period", COUNT_BITS, "words from one use of `tail_mask` to the next"),
    Field("line_positions", 3, "log2 of the positions that make one line"),
    Field("word_mask", WORD_BITS, "real positions of a word"),
    Field("tail_mask", WORD_BITS, "real positions of the last word of each period"),
)


def _place() -> dict[str, tuple[int, int]]:
    places, word, bit = {}, 0, 0
    for field in FIELDS:
        if bit + field.bits > WORD_BITS:
            word, bit = word + 1, 0
        places[field.name] = (word, bit)
        bit += field.bits
    return places


PLACES = _place()
"""Word and lowest bit of each field."""
WORDS = max(word for word, _ in PLACES.values()) + 1
"""Words of one descriptor."""


def pack(values: Mapping[str, int]) -> list[int]:
    """Field values to the words of one descriptor.

    Raises
    ------
    ConfigError
        If a field is missing, unknown or out of its range.
    """
    words = [0] * WORDS
    if set(values) != set(PLACES):
        wrong = sorted(set(values) ^ set(PLACES))
        raise ConfigError(f"descriptor fields missing or unknown: {', '.join(wrong)}")
    for field in FIELDS:
        value = values[field.name]
        low = -(1 << (field.bits - 1)) if field.signed else 0
        high = low + (1 << field.bits) - 1
        if not low <= value <= high:
            raise ConfigError(f"descriptor {field.name} must be {low} to {high}, not {value}")
        word, bit = PLACES[field.name]
        words[word] |= (value & ((1 << field.bits) - 1)) << bit
    return words


def unpack(words: list[int]) -> dict[str, int]:
    """The words of one descriptor to field values."""
    values = {}
    for field in FIELDS:
        word, bit = PLACES[field.name]
        value = (words[word] >> bit) & ((1 << field.bits) - 1)
        if field.signed and value >> (field.bits - 1):
            value -= 1 << field.bits
        values[field.name] = value
    return values
