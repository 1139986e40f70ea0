"""Masks of several coats: nested thresholds on one score, counted into values 0 .. N."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tombola.spec.errors import ConfigError

Keep = Callable[[Sequence[Tensor], float], list[Tensor]]
"""Chooses among the keys of all layers, at a sparsity."""


def uniform_coats(first: float, coats: int) -> tuple[float, ...]:
    """Sparsities ``s_i = s_0 + i (1 - s_0) / N``: each coat thins what is left by the same number.

    Source: Okoshi et al., "Multicoated supermasks enhance hidden networks", 2022.
    """
    if coats < 1:
        raise ConfigError(f"coats must be at least 1, not {coats}")
    return tuple(first + index * (1 - first) / coats for index in range(coats))


def check_ascending(sparsities: Sequence[float]) -> None:
    """Coats are nested, so each drops at least what the coat before it drops.

    Raises
    ------
    ConfigError
        If a sparsity is not a ratio, or smaller than the one before.
    """
    least = 0.0
    for index, sparsity in enumerate(sparsities):
        if not least <= sparsity <= 1:
            raise ConfigError(
                f"sparsity of coat {index + 1} must be between {least:g} and 1, not {sparsity:g}; "
                "coats are nested, so give their sparsities in ascending order"
            )
        least = sparsity


def count_coats(
    keys: Sequence[Tensor], *, sparsities: Sequence[float], keeps: Sequence[Keep]
) -> list[Tensor]:
    """For each layer a float tensor of 0 .. N: the number of coats a weight is kept in.

    What one coat drops takes no part in the next, so coats are nested whatever chooses them.

    Parameters
    ----------
    keys : sequence of float tensors
        One a layer.
    sparsities : sequence of float
        One a coat, ascending, each counting what the coats before it dropped.
    keeps : sequence of Keep
        One a coat.
    """
    check_ascending(sparsities)
    counts = [torch.zeros_like(x) for x in keys]
    for coat, (sparsity, keep) in enumerate(zip(sparsities, keeps, strict=True)):
        kept = keep(keys, sparsity)
        for count, part in zip(counts, kept, strict=True):
            count += part
        if coat < len(sparsities) - 1:
            keys = [x.masked_fill(~part, -math.inf) for x, part in zip(keys, kept, strict=True)]
    return counts
