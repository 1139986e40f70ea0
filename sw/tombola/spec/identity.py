"""The registers that say what an engine is, from its parameters and back to them."""

import binascii
import struct
from collections.abc import Mapping

from tombola.spec.engine import EngineConfig
from tombola.spec.registers import IDENTITY, VERSION

NAMES = (
    "identity", "version", "geometry", "construction", "weight_lines", "activation_words",
    "ticket_words", "table_entries", "result_words",
)  # fmt: skip
"""In the order of their addresses, from 0 on."""
SWITCHES = {"stored": 27, "residual": 28, "grouped": 29, "packing": 30, "fused_pooling": 31}
"""Bits of `geometry`."""


def identity_words(config: EngineConfig) -> dict[str, int]:
    """The content of these registers in an engine, by name."""
    return {
        "identity": IDENTITY,
        "version": VERSION,
        "geometry": config.rows
        | (config.pixels.bit_length() - 1) << 12
        | config.lanes << 16
        | (config.planes - 1) << 24
        | sum(getattr(config, name) << bit for name, bit in SWITCHES.items()),
        "construction": config.construction
        | config.count_bits << 8
        | config.short_totals << 13
        | config.unsigned_sums << 14
        | config.compact << 15
        | config.accumulator_bits << 16,
        "weight_lines": config.weight_lines,
        "activation_words": config.activation_words | config.activation_banks << 24,
        "ticket_words": config.ticket_words,
        "table_entries": config.table_entries,
        "result_words": config.result_words,
    }


def fingerprint(config: EngineConfig) -> int:
    """16 bits that tell this engine from others: CRC-16/XMODEM over `identity_words`.

    Words lie lowest byte first, in the order of their addresses. This CRC tells apart what differs
    in 16 neighbouring bits at most, or in two bits: so all engines that differ in one parameter.
    """
    words = identity_words(config)
    return binascii.crc_hqx(struct.pack(f"<{len(words)}I", *words.values()), 0)


def config_of(words: Mapping[str, int]) -> EngineConfig:
    """The engine that these registers describe, as far as a compiler needs to know it.

    What only its own cells know, such as `layer_rams`, is at its default.

    Raises
    ------
    ConfigError
        If they describe none.
    """
    geometry, construction = words["geometry"], words["construction"]
    return EngineConfig(
        rows=geometry & 0xFFF,
        pixels=1 << (geometry >> 12 & 0xF),
        lanes=geometry >> 16 & 0xFF,
        planes=(geometry >> 24 & 7) + 1,
        **{name: bool(geometry >> bit & 1) for name, bit in SWITCHES.items()},
        construction=construction & 0xFF,
        count_bits=construction >> 8 & 0x1F,
        short_totals=bool(construction >> 13 & 1),
        unsigned_sums=bool(construction >> 14 & 1),
        compact=bool(construction >> 15 & 1),
        accumulator_bits=construction >> 16,
        weight_lines=words["weight_lines"],
        activation_words=words["activation_words"] & 0xFFFFFF,
        activation_banks=words["activation_words"] >> 24,
        ticket_words=words["ticket_words"],
        table_entries=words["table_entries"],
        result_words=words["result_words"],
    )
