"""Where each channel's stream starts: a nonlinear mix of seed, weight set, channel and kind.

The mix is the Speck64 round (Beaulieu et al., "The SIMON and SPECK families of lightweight block
ciphers", 2013), twelve times, with the halves of the seed as alternating round keys. It needs
additions, rotations and XORs only, and for a fixed seed it is a bijection of the 64-bit block, so
no two streams of a ticket share a start state. Measured avalanche: every output bit depends on
every seed and block bit after 8 rounds; 12 leaves half as many again.
"""

import enum

import numpy as np

from tombola.spec.errors import ConfigError

ROUNDS = 12
ROTATE_RIGHT = 8
ROTATE_LEFT = 3
HALF_BITS = 32
HALF_MASK = (1 << HALF_BITS) - 1
ZERO_STATE = 0x9E3779B97F4A7C15
"""Stands in for the one mixed value that an LFSR cannot start from: zero."""

MAX_WEIGHT_SET = (1 << 24) - 1
MAX_CHANNEL = (1 << 32) - 1
MAX_SEED = (1 << 64) - 1


class StreamKind(enum.IntEnum):
    """What a stream is drawn for; the top byte of the block that is mixed."""

    SIGN = 0
    FREEZE = 1


def speck_round(x: int, y: int, key: int) -> tuple[int, int]:
    """One Speck64 round on the halves `x` (high) and `y` (low) under a 32-bit `key`."""
    x = ((x >> ROTATE_RIGHT) | (x << (HALF_BITS - ROTATE_RIGHT))) & HALF_MASK
    x = ((x + y) & HALF_MASK) ^ key
    y = ((y << ROTATE_LEFT) | (y >> (HALF_BITS - ROTATE_LEFT))) & HALF_MASK
    return x, y ^ x


def round_key(seed: int, index: int) -> int:
    """Key of round `index`: low seed half in even rounds, high half in odd ones, XOR the index."""
    return ((seed >> (HALF_BITS * (index & 1))) & HALF_MASK) ^ index


def high_half(weight_set: int, kind: StreamKind) -> int:
    """The high half of the block: kind in the top byte, weight-set id below."""
    return (int(kind) << 24) | weight_set


def start_state(seed: int, *, weight_set: int, channel: int, kind: StreamKind) -> int:
    """The 64-bit LFSR state at the first draw of one channel of one stream.

    Raises
    ------
    ConfigError
        If a number is outside its field: seed 64 bits, weight set 24, channel 32.
    """
    for name, value, limit in (
        ("seed", seed, MAX_SEED),
        ("weight_set", weight_set, MAX_WEIGHT_SET),
        ("channel", channel, MAX_CHANNEL),
    ):
        if not 0 <= value <= limit:
            raise ConfigError(f"{name} must be between 0 and {limit}, not {value}")
    x, y = high_half(weight_set, kind), channel
    for index in range(ROUNDS):
        x, y = speck_round(x, y, round_key(seed, index))
    return ((x << HALF_BITS) | y) or ZERO_STATE


def start_states(seed: int, *, weight_set: int, channels: int, kind: StreamKind) -> np.ndarray:
    """`start_state` of channels 0 .. channels - 1 as a uint64 array (channels,)."""
    if channels > 0:  # the checks of the scalar, once
        start_state(seed, weight_set=weight_set, channel=channels - 1, kind=kind)
    y = np.arange(channels, dtype=np.uint32)
    x = np.full(channels, high_half(weight_set, kind), dtype=np.uint32)
    for index in range(ROUNDS):
        key = np.uint32(round_key(seed, index))
        x = (x >> np.uint32(ROTATE_RIGHT)) | (x << np.uint32(HALF_BITS - ROTATE_RIGHT))
        x = (x + y) ^ key
        y = ((y << np.uint32(ROTATE_LEFT)) | (y >> np.uint32(HALF_BITS - ROTATE_LEFT))) ^ x
    states = (x.astype(np.uint64) << np.uint64(HALF_BITS)) | y
    states[states == 0] = ZERO_STATE
    return states
