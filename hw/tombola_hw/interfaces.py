"""What the cores of the engine say to each other: layouts of streams and of the layer in force."""

from typing import Any

from amaranth import ShapeLike, signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2

from tombola.spec import descriptor
from tombola.spec.engine import OPERAND_BITS, EngineConfig

NO_COLLISIONS = {"no_rw_check": 1}
"""Attribute of a memory in which nobody reads a word while it is written: without it yosys adds
cells that give the old content then, 44 LUT4 and 78 flip-flops for 32 bits on an iCE40."""
STRIP_MARGIN = 2
"""Bits of a strip's number beyond those of a pixel: strips before and behind the map have numbers
too, up to three times as many as there are pixels."""


def layer_layout(config: EngineConfig) -> data.StructLayout:
    """The fields of one descriptor, unpacked; `tombola.spec.descriptor.FIELDS` explains each.

    Those of features that the engine lacks are not there.
    """
    return data.StructLayout({
        field.name: signed(field.bits) if field.signed else unsigned(field.bits)
        for field in config.descriptor.fields
    })


def line_layout(config: EngineConfig) -> data.StructLayout:
    """One row's share of one weight line, from the constructor to the weight buffer.

    A chunk is built row after row: all lines of row 0, all lines of row 1, and so on. `chunk_end`
    marks a row's last line of the chunk, `last_row` every line of the channel group's last row.
    A lane is at most one of positive and negative; a dropped weight is neither.
    """
    return data.StructLayout({
        "positive": unsigned(config.lanes),
        "negative": unsigned(config.lanes),
        "row": range(config.rows),
        "chunk_end": unsigned(1),
        "last_row": unsigned(1),
    })


def window_members(config: EngineConfig) -> dict[str, ShapeLike]:
    """What is said of a position if maxima over windows of positions may be written.

    `window_first` and `window_last`: it is its window's first, its last; both if it is written
    alone.
    """
    names = ("window_first", "window_last") if config.fused_pooling else ()
    return {name: unsigned(1) for name in names}


def window_from(config: EngineConfig, target, source) -> list:
    """Assignments of these members to `target`."""
    return [target[name].eq(source[name]) for name in window_members(config)]


def step_layout(config: EngineConfig) -> data.StructLayout:
    """What the fetch unit says of one line, beside the activations and weights of that line.

    Members: `first` and `last` line of an output position; `inside`, whether the window position
    lies in the input (else the activations count as 0, and a pooling maximum passes them over), a
    bit a pixel; `count`, channels of this group minus 1, right in the last line; `new_group`, first
    output position of a channel group; `end`, last line of the layer. With several planes a line
    comes once for each, and `more` says that a further one follows. `part`, where it takes several
    channel groups of a pooling to pool a word, says which `part_lanes` of its lanes the group
    begins with.
    """
    parts = config.lanes // part_lanes(config)
    return data.StructLayout({
        "first": unsigned(1),
        "last": unsigned(1),
        "inside": unsigned(config.pixels),
        "new_group": unsigned(1),
        "end": unsigned(1),
        "count": range(max(2, config.sum_channels)),
        **({"part": range(parts)} if parts > 1 else {}),
        **({"more": unsigned(1)} if config.planes > 1 else {}),
        **window_members(config),
    })


def part_lanes(config: EngineConfig) -> int:
    """Lanes with whose multiples the channel groups of poolings begin."""
    return min(config.maximum_lanes, config.average_lanes)


def activation_layout(config: EngineConfig) -> data.ArrayLayout:
    """One word of the activation memory: a byte a lane, lane 0 lowest."""
    return data.ArrayLayout(unsigned(8), config.lanes)


def each_pixel(config: EngineConfig, shape: ShapeLike) -> ShapeLike:
    """An array of `shape`, one a pixel; with one pixel `shape` itself."""
    return shape if config.pixels == 1 else data.ArrayLayout(shape, config.pixels)


def of_pixels(config: EngineConfig, value: Any) -> list[Any]:
    """The parts of a value whose shape is of `each_pixel`."""
    return [value] if config.pixels == 1 else list(value)


def pixels_layout(config: EngineConfig) -> ShapeLike:
    """A word of activations for each pixel."""
    return each_pixel(config, activation_layout(config))


def weights_layout(config: EngineConfig) -> data.StructLayout:
    """One line of the weight buffer: for each row the lanes that add and those that subtract."""
    rows = data.ArrayLayout(unsigned(config.lanes), config.rows)
    return data.StructLayout({"positive": rows, "negative": rows})


def sums_layout(config: EngineConfig) -> data.StructLayout:
    """The sums of one output position a pixel, for the rows or, if compact, `sum_channels`."""
    channels = config.sum_channels if config.compact else config.rows
    return _position_layout(config, data.ArrayLayout(signed(config.accumulator_bits), channels))


def maxima_layout(config: EngineConfig) -> data.StructLayout:
    """The maxima of one output position a pixel, with 128 added to those of signed activations."""
    return _position_layout(config, data.ArrayLayout(unsigned(8), config.maximum_lanes))


def pooled_layout(config: EngineConfig) -> data.StructLayout:
    """What the pooling unit says of one output position a pixel."""
    return sums_layout(config) if config.compact else maxima_layout(config)


def _position_layout(config: EngineConfig, channels: data.ArrayLayout) -> data.StructLayout:
    return data.StructLayout({
        "values": each_pixel(config, channels),
        "count": range(max(2, config.sum_channels)),
        "new_group": unsigned(1),
        "end": unsigned(1),
        **window_members(config),
    })


def result_layout(config: EngineConfig) -> data.StructLayout:
    """One requantised value for each memory and where it goes.

    `address` is a word of the activation memories and `lane` a byte in it, or for `logits` the
    entry of the result memory, for the first value. `banks`, in an engine of several pixels, are
    the memories that take theirs.
    """
    banks = {"banks": unsigned(config.pixels)} if config.pixels > 1 else {}
    return data.StructLayout({
        "value": each_pixel(config, signed(32)),
        "address": unsigned(descriptor.ADDRESS_BITS),
        "lane": range(max(2, config.lanes)),
        "logits": unsigned(1),
        "end": unsigned(1),
        **banks,
    })


def table_layout() -> data.StructLayout:
    """One entry of the requantisation table; bias lowest, as `registers.Window.TABLE` packs it."""
    return data.StructLayout({"bias": signed(48), "scale": signed(16)})


def address_bits(depth: int) -> int:
    """Bits that address `depth` words, at least one."""
    return max(1, ceil_log2(depth))


__all__ = [
    "NO_COLLISIONS", "OPERAND_BITS", "STRIP_MARGIN", "activation_layout", "address_bits",
    "each_pixel", "layer_layout", "line_layout", "maxima_layout", "of_pixels", "part_lanes",
    "pixels_layout", "pooled_layout", "result_layout", "step_layout", "sums_layout",
    "table_layout", "weights_layout", "window_from", "window_members",
]
