"""Signs and freeze classes of a weight set, regenerated from the seed alone."""

import enum
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tombola.spec.errors import ConfigError
from tombola.spec.layout import RowLayout
from tombola.spec.lfsr import words
from tombola.spec.start_state import MAX_WEIGHT_SET, StreamKind, start_states

DRAW_BITS = 8
DRAWS = 1 << DRAW_BITS
"""Number of values a freeze draw can take; freeze ratios are counted in 1/256."""


class FreezeClass(enum.IntEnum):
    """What the freeze stream decided for a position."""

    PRUNED = 0
    LOCKED = 1
    SEARCHABLE = 2
    PADDING = 3


def freeze_counts(prune: float, lock: float) -> tuple[int, int]:
    """Ratios p, r to counts of draw values: P = round(256 p), P + R = round(256 (p + r)).

    Halves round up, so that the counts do not depend on a language's rounding.

    Raises
    ------
    ConfigError
        If a ratio is negative or both together exceed 1.
    """
    if not (prune >= 0 and lock >= 0 and prune + lock <= 1):  # NaN is refused too
        raise ConfigError(
            "prune and lock ratios must be at least 0 and at most 1 together, "
            f"not {prune} and {lock}"
        )
    pruned = int(np.floor(DRAWS * prune + 0.5))
    frozen = int(np.floor(DRAWS * (prune + lock) + 0.5))
    return pruned, frozen - pruned


@dataclass(frozen=True, kw_only=True)
class WeightSet:
    """The random source of one layer, or of all layers that are folded onto it.

    Parameters
    ----------
    id : int
        Selects the streams; layers that share an id share signs and freeze classes.
    out_channels, in_channels : int
        Output channels, and input channels of one group.
    kernel : (int, int)
        Height and width; a linear layer after a feature map has the map's.
    prune, lock : int
        Draw values out of 256 that prune and that lock a position.
    """

    id: int
    out_channels: int
    in_channels: int
    kernel: tuple[int, int] = (1, 1)
    prune: int = 0
    lock: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.id <= MAX_WEIGHT_SET:
            raise ConfigError(
                f"weight set id must be between 0 and {MAX_WEIGHT_SET}, not {self.id}"
            )
        if self.out_channels < 1:
            raise ConfigError(f"out_channels must be at least 1, not {self.out_channels}")
        if self.prune < 0 or self.lock < 0 or self.prune + self.lock > DRAWS:
            raise ConfigError(
                f"prune and lock counts must be at least 0 and at most {DRAWS} together, "
                f"not {self.prune} and {self.lock}"
            )
        RowLayout(kernel=self.kernel, channels=self.in_channels)

    @cached_property
    def layout(self) -> RowLayout:
        """Where each weight of a channel lies in its row."""
        return RowLayout(kernel=self.kernel, channels=self.in_channels)

    @property
    def weights(self) -> int:
        """Weights of the set, frozen ones included."""
        return self.out_channels * self.layout.weights

    @property
    def frozen(self) -> bool:
        """True when some draw value prunes or locks; otherwise the freeze stream is not drawn."""
        return self.prune + self.lock > 0


def _row_bytes(seed: int, weight_set: WeightSet, kind: StreamKind, words_a_row: int) -> np.ndarray:
    states = start_states(
        seed, weight_set=weight_set.id, channels=weight_set.out_channels, kind=kind
    )
    return words(states, words_a_row).astype("<u4").view(np.uint8)


def negative(seed: int, weight_set: WeightSet) -> np.ndarray:
    """Bool array (out_channels, positions): True where the sign draw makes a weight negative.

    Position p takes bit p of the channel's sign sequence.
    """
    row_bytes = _row_bytes(seed, weight_set, StreamKind.SIGN, weight_set.layout.words)
    return np.unpackbits(row_bytes, axis=1, bitorder="little").astype(bool)


def freeze_draws(seed: int, weight_set: WeightSet) -> np.ndarray:
    """Uint8 array (out_channels, positions): position p takes bits 8p .. 8p+7, lowest first."""
    return _row_bytes(seed, weight_set, StreamKind.FREEZE, weight_set.layout.words * DRAW_BITS)


def freeze_classes(seed: int, weight_set: WeightSet) -> np.ndarray:
    """Uint8 array (out_channels, positions) of `FreezeClass`.

    A draw d prunes if d < prune, locks if prune <= d < prune + lock, else the position is
    searchable; padding is padding whatever was drawn for it.
    """
    shape = (weight_set.out_channels, weight_set.layout.positions)
    classes = np.full(shape, FreezeClass.SEARCHABLE, dtype=np.uint8)
    if weight_set.frozen:
        draws = freeze_draws(seed, weight_set)
        classes[draws < weight_set.prune + weight_set.lock] = FreezeClass.LOCKED
        classes[draws < weight_set.prune] = FreezeClass.PRUNED
    classes[:, ~weight_set.layout.real()] = FreezeClass.PADDING
    return classes
