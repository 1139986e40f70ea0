"""The registers that say what an engine is: there and back, and in the order of the map."""

from dataclasses import replace

import pytest

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola.spec.identity import NAMES, SWITCHES, config_of, fingerprint, identity_words
from tombola.spec.registers import ADDRESS

CONFIGS = [
    EngineConfig(),
    EngineConfig(rows=256, lanes=32, construction=32, accumulator_bits=32, activation_banks=2),
    EngineConfig(rows=1, lanes=1, construction=1, accumulator_bits=12, weight_lines=64,
                 activation_words=1 << 20, ticket_words=1 << 20, table_entries=1 << 20,
                 result_words=1 << 20, count_bits=10, compact=True),
    EngineConfig(unsigned_sums=True),
    EngineConfig(compact=True, accumulator_bits=16, short_totals=True),
    EngineConfig(rows=16, lanes=32, pixels=8, planes=7, stored=True, residual=True, grouped=True,
                 packing=True, fused_pooling=True),
    *(replace(EngineConfig(), **{name: True}) for name in SWITCHES),
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.geometry)
def test_there_and_back(config):
    words = identity_words(config)
    assert tuple(words) == NAMES
    assert all(0 <= word < 1 << 32 for word in words.values())
    assert config_of(words) == config


def test_cells_of_its_own_are_not_told():
    config = replace(CONFIGS[2], layer_rams=2)
    assert config_of(identity_words(config)) == CONFIGS[2]


def test_the_names_follow_the_addresses():
    assert [ADDRESS[name] for name in NAMES] == list(range(len(NAMES)))


def test_registers_that_describe_no_engine():
    words = identity_words(EngineConfig()) | {"geometry": 4 | 5 << 16}
    with pytest.raises(ConfigError, match="^lanes must be a power of two up to 32, not 5$"):
        config_of(words)


def crc16_xmodem(content: bytes) -> int:
    """Bit by bit: polynomial 0x1021, from 0, highest bit first."""
    crc = 0
    for byte in content:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc >> 15 else 0)) & 0xFFFF
    return crc


def test_the_fingerprint_is_the_crc_of_the_registers():
    assert crc16_xmodem(b"123456789") == 0x31C3  # the check value of the CRC catalogues
    for config in CONFIGS:
        content = b"".join(word.to_bytes(4, "little") for word in identity_words(config).values())
        assert fingerprint(config) == crc16_xmodem(content)


OTHER_VALUES = {
    "rows": range(1, 257),
    "lanes": [1 << bits for bits in range(6)],
    "construction": [1 << bits for bits in range(6)],
    "accumulator_bits": range(18, 33),
    "weight_lines": [1 << bits for bits in range(6, 21)],
    "activation_words": [1 << bits for bits in range(4, 21)],
    "activation_banks": [1, 2],
    "ticket_words": [1 << bits for bits in range(6, 21)],
    "table_entries": [1 << bits for bits in range(4, 21)],
    "result_words": [1 << bits for bits in range(4, 21)],
    "count_bits": range(8, 17),
    "compact": [False, True],
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_engines_that_differ_in_one_parameter_differ_in_the_fingerprint(name):
    configs = [replace(EngineConfig(lanes=4), **{name: value}) for value in OTHER_VALUES[name]]
    assert len({fingerprint(config) for config in configs}) == len(configs)
