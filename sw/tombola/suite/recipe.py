"""What the weights of a sample ticket are: frozen by the seed, in coats, or stored."""

import math
from dataclasses import dataclass, field

import numpy as np

from tombola.spec import weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import Coding
from tombola.spec.weight_stream import FreezeClass, WeightSet, freeze_counts

KEPT = 0.5
"""Chance of a searchable weight to be kept, and of a kept one to have its next coat too."""
STREAM = "stream"
STORED = "stored:"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the weights of every layer are made.

    Parameters
    ----------
    frozen : float
        Part of the weights that the seed freezes, one half of it pruned, the other locked.
    coding : Coding
    """

    frozen: float = 0.0
    coding: Coding = field(default_factory=lambda: Coding(coats=1))

    def __post_init__(self) -> None:
        if not (math.isfinite(self.frozen) and 0 <= self.frozen <= 1):
            raise ConfigError(f"frozen must be between 0 and 1, not {self.frozen:g}")
        if self.coding.stored is not None and self.frozen:
            raise ConfigError(
                f"frozen must be 0 for stored weights, not {self.frozen:g}; the seed draws none"
            )

    @classmethod
    def parse(
        cls, *, frozen: float | None = None, coats: int | None = None, weights: str = STREAM
    ) -> "Recipe":
        """A recipe from options as people write them: `weights` is stream, or stored:BITS.

        Raises
        ------
        ConfigError
            If an option is out of range, or two of them disagree.
        """
        if weights == STREAM:
            coding = Coding(coats=1 if coats is None else coats)
        else:
            bits = weights.removeprefix(STORED)
            if not weights.startswith(STORED) or not bits.isdecimal():
                raise ConfigError(
                    f"weights must be stream, or stored:BITS such as stored:4, not {weights}"
                )
            if coats is not None:
                raise ConfigError(
                    f"coats are of weights that the seed draws, not of {weights}; leave one out"
                )
            coding = Coding(stored=int(bits))
        return cls(frozen=0.0 if frozen is None else frozen, coding=coding)

    def weight_set(
        self, number: int, channels: int, *, inputs: int, kernel: tuple[int, int]
    ) -> WeightSet:
        """The random source of one layer."""
        prune, lock = freeze_counts(self.frozen / 2, self.frozen / 2)
        return WeightSet(
            id=number,
            out_channels=channels,
            in_channels=inputs,
            kernel=kernel,
            prune=prune,
            lock=lock,
        )

    def draw(self, seed: int, weight_set: WeightSet, rng: np.random.Generator) -> np.ndarray:
        """Weights with a random mask: int16 (out, positions) in stream order."""
        classes = weight_stream.freeze_classes(seed, weight_set)
        chance = rng.random(classes.shape)
        most = self.coding.magnitude
        if self.coding.coats is not None:
            # Nested: each further coat takes the part `KEPT` of the weights of the one before.
            thresholds = KEPT ** np.arange(1, most + 1)
            values = (chance[..., None] < thresholds).sum(axis=-1).astype(np.int16)
            negative = weight_stream.negative(seed, weight_set)
        else:
            magnitudes = (1 + np.floor(most * rng.random(classes.shape))).astype(np.int16)
            values = np.where(chance < KEPT, magnitudes, np.int16(0))
            negative = rng.random(classes.shape) < 1 / 2
        values[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
        values[classes == FreezeClass.LOCKED] = most
        return np.where(negative, -values, values)
