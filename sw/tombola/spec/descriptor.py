"""The layer descriptor: what one layer tells the engine, as 32-bit words in the ticket memory.

Fields are declared once, in order; a field never straddles two words. The hardware derives its
registers from this table and the compiler packs by it. An engine that lacks a feature has none of
the feature's fields.
"""

import enum
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache, cached_property

from tombola.spec.errors import ConfigError

WORD_BITS = 32
ADDRESS_BITS = 20
COUNT_BITS = 16
STRIP_BITS = 8


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
    is_count : bool
        An engine may hold fewer bits of it: `EngineConfig.count_bits`.
    is_small : bool
        It is a side of a kernel, a stride or a padding: fewer bits still.
    feature : str
        Parameters of `EngineConfig` without which the field is left out; empty for those of all.
    """

    name: str
    bits: int
    meaning: str
    signed: bool = False
    is_count: bool = False
    feature: str = ""
    is_small: bool = False


def _count(name: str, meaning: str, *, feature: str = "") -> Field:
    return Field(name, COUNT_BITS, meaning, is_count=True, feature=feature)


def _small(name: str, meaning: str, *, signed: bool = False) -> Field:
    return Field(name, COUNT_BITS, meaning, signed=signed, is_count=True, is_small=True)


FIELDS = (
    # What is done
    Field("operation", 3, "`Operation`"),
    Field("input_signed", 1, "1: input activations are two's complement"),
    Field("logits", 1, "1: results go to the result memory as 32 bits, unclamped"),
    Field("last", 1, "1: the run ends with this layer"),
    Field("shift", 5, "requantisation shift"),
    Field("clamp_low", 9, "least output value", signed=True),
    Field("clamp_high", 9, "greatest output value", signed=True),
    # Loops: groups x out_height x out_width x kernel_height x kernel_width x inner x planes
    _count("groups", "channel groups, of `EngineConfig.group_size` channels"),
    _count("channels", "output channels"),
    _count("group_channels", "output channels of a channel group", feature="grouped"),
    _count("group_repeats", "channel groups that read the same words", feature="grouped"),
    _count("lane_channels", "output channels with their weights in the same lanes",
           feature="grouped"),
    Field("lane_step", 5, "lanes from these to those of the next channels", feature="grouped"),
    _count("out_height", "output rows"),
    _count("out_width", "output columns"),
    _small("kernel_height", "kernel rows"),
    _small("kernel_width", "kernel columns"),
    _count("inner", "activation words read at one kernel position"),
    Field("planes", 3, "binary planes of its weights", feature="planes"),
    _count("lines", "kernel_height x kernel_width x inner x planes: weight lines of a group"),
    # Positions of a window of the output, one after the other: only their maximum is written
    _count("pool_height", "rows of output positions to one written", feature="fused_pooling"),
    _count("pool_width", "columns of output positions to one written", feature="fused_pooling"),
    # Where the window stands in the input, for padding
    _count("in_height", "input rows"),
    _count("in_width", "input columns"),
    _small("stride_y", "rows from one output row to the next"),
    _small("stride_x", "columns from one output column to the next"),
    _small("first_y", "input row of the first window's top: minus the padding", signed=True),
    _small("first_x", "input column of the first window's left edge", signed=True),
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
    _count("pool_stride_y", "input rows from one of these rows to the next",
           feature="fused_pooling"),
    _count("pool_stride_x", "input columns from one of these columns to the next",
           feature="fused_pooling"),
    Field("pool_row_step", ADDRESS_BITS, "from one of these rows to the next",
          feature="fused_pooling"),
    Field("pool_column_step", ADDRESS_BITS, "from one of these columns to the next",
          feature="fused_pooling"),
    Field("group_step", ADDRESS_BITS, "from the words of channel groups to the next: 0, pooling 1"),
    Field("output_base", ADDRESS_BITS, "word (logits: result) of the first output"),
    Field(
        "output_step", ADDRESS_BITS, "words (logits: results) from one output position to the next"
    ),
    Field("output_lane", 5, "lane of the first output channel", feature="packing"),
    # Strips of an engine of several pixels: `tombola.compiler.strips` says what they are
    Field(
        "parallel", 1, "1: each unit computes its own strip of the output; 0: unit 0 computes all",
        feature="pixels",
    ),
    Field("first_strip", STRIP_BITS, "input strip of the first window's top", feature="pixels"),
    Field("stride_strips", STRIP_BITS, "input strips in stride_y rows", feature="pixels"),
    Field("whole_strips", STRIP_BITS, "input strips that are full of rows", feature="pixels"),
    _count("rest_rows", "rows of the input strip after these", feature="pixels"),
    _count("first_row", "row in its strip of the first window's top", feature="pixels"),
    _count("stride_rows", "rows in stride_y beyond whole strips", feature="pixels"),
    _count("last_row", "last row of an input strip", feature="pixels"),
    _count(
        "window_limit", "from this row on the next window's top is a strip further",
        feature="pixels",
    ),
    Field(
        "kernel_row_wrap", ADDRESS_BITS, "as `kernel_row_step`, into the next strip",
        feature="pixels",
    ),
    Field("line_wrap", ADDRESS_BITS, "as `line_step`, into the next strip", feature="pixels"),
    Field("pool_strips", STRIP_BITS, "input strips in pool_stride_y rows",
          feature="pixels fused_pooling"),
    _count("pool_rows", "rows in pool_stride_y beyond whole strips",
           feature="pixels fused_pooling"),
    _count("pool_limit", "from this row on the window's next row is a strip further",
           feature="pixels fused_pooling"),
    Field("pool_row_wrap", ADDRESS_BITS, "as `pool_row_step`, into the next strip",
          feature="pixels fused_pooling"),
    _count("strip_positions", "output positions of a strip", feature="pixels"),
    # Requantisation
    _count("table_base", "first entry of the requantisation table"),
    Field("table_step", 1, "1: an entry a channel, 0: one entry for all"),
    # The further tensor that is added, laid out as the output
    Field("residual", 1, "1: it is added", feature="residual"),
    Field("residual_signed", 1, "1: its activations are two's complement", feature="residual"),
    Field("residual_scale", 16, "what they are multiplied by", signed=True, feature="residual"),
    Field("residual_base", ADDRESS_BITS, "word of its first value", feature="residual"),
    Field(
        "residual_step",
        ADDRESS_BITS,
        "words from one output position to the next",
        feature="residual",
    ),
    # Weight construction
    Field("weight_set", 24, "id that the streams are drawn for", is_count=True),
    Field("seed_low", WORD_BITS, "bits 31..0 of the seed that the streams are drawn from"),
    Field("seed_high", WORD_BITS, "bits 63..32"),
    Field("prune", 9, "draws below this prune"),
    Field("frozen", 9, "draws below this and not below `prune` lock"),
    Field("starts_base", ADDRESS_BITS, "ticket word of the channel starts, one word a channel"),
    Field("line_positions", 3, "log2 of the positions that make one line"),
    Field("stored", 1, "1: the bits are masks, signs, magnitudes; 0: coats", feature="stored"),
    Field("bit_layers", 7, "layers of bits in a word of the mask, less 1", feature="planes"),
    _count("row_words", "words of 32 positions in a row"),
    _count("chunk_words", "words built for one row before the next row's turn"),
    Field("word_mask", WORD_BITS, "real positions of a word"),
    Field("tail_mask", WORD_BITS, "real positions of the last word of each period"),
    _count("period", "words from one use of `tail_mask` to the next"),
    # In the last word, so that hardware has seen it when all have arrived
    Field("engine", 16, "`tombola.spec.identity.fingerprint` of the engine it was compiled for"),
)


FIRST = 2
"""Ticket word of the first descriptor; before it stands the digest of what is loaded."""


@dataclass(frozen=True)
class Format:
    """The descriptor of an engine with some features.

    Parameters
    ----------
    features : frozenset of str
        As `EngineConfig.features` has them.
    """

    features: frozenset[str] = frozenset()

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """In order."""
        return tuple(x for x in FIELDS if self.features.issuperset(x.feature.split()))

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """Word and lowest bit of each field."""
        places, word, bit = {}, 0, 0
        for field in self.fields:
            if bit + field.bits > WORD_BITS:
                word, bit = word + 1, 0
            places[field.name] = (word, bit)
            bit += field.bits
        return places

    @cached_property
    def words(self) -> int:
        """Words of one descriptor."""
        return max(word for word, _ in self.places.values()) + 1

    def pack(self, values: Mapping[str, int]) -> list[int]:
        """Field values to the words of one descriptor.

        Raises
        ------
        ConfigError
            If a field is missing, unknown or out of its range.
        """
        words = [0] * self.words
        if set(values) != set(self.places):
            wrong = sorted(set(values) ^ set(self.places))
            raise ConfigError(f"descriptor fields missing or unknown: {', '.join(wrong)}")
        for field in self.fields:
            value = values[field.name]
            low = -(1 << (field.bits - 1)) if field.signed else 0
            high = low + (1 << field.bits) - 1
            if not low <= value <= high:
                raise ConfigError(f"descriptor {field.name} must be {low} to {high}, not {value}")
            word, bit = self.places[field.name]
            words[word] |= (value & ((1 << field.bits) - 1)) << bit
        return words

    def unpack(self, words: list[int]) -> dict[str, int]:
        """The words of one descriptor to field values."""
        values = {}
        for field in self.fields:
            word, bit = self.places[field.name]
            value = (words[word] >> bit) & ((1 << field.bits) - 1)
            if field.signed and value >> (field.bits - 1):
                value -= 1 << field.bits
            values[field.name] = value
        return values


@cache
def format_of(features: Set[str] = frozenset()) -> Format:
    """The one descriptor format of engines with these features."""
    return Format(frozenset(features))
