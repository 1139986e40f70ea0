"""Partial freezing: keys that hold frozen weights in place, and the bounds they put on sparsity."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tombola.search.selection import drop_count
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass


def key_offsets(classes: np.ndarray) -> Tensor:
    """What is added to abs(score): +inf where locked, -inf where pruned, 0 where searchable.

    Parameters
    ----------
    classes : uint8 array of `FreezeClass`, without padding
    """
    offsets = np.zeros(classes.shape, dtype=np.float32)
    offsets[classes == FreezeClass.LOCKED] = math.inf
    offsets[classes == FreezeClass.PRUNED] = -math.inf
    return torch.from_numpy(offsets)


@dataclass(frozen=True, kw_only=True)
class DrawnCounts:
    """Weights of one layer, and how many of them the seed pruned and locked."""

    weights: int
    pruned: int
    locked: int

    @classmethod
    def of(cls, classes: np.ndarray) -> "DrawnCounts":
        """Counts the classes of one layer, padding left out."""
        return cls(
            weights=int((classes != FreezeClass.PADDING).sum()),
            pruned=int((classes == FreezeClass.PRUNED).sum()),
            locked=int((classes == FreezeClass.LOCKED).sum()),
        )


def check_bounds(counts: Sequence[DrawnCounts], *, sparsity: float, layerwise: bool) -> None:
    """``pruned <= dropped <= weights - locked``, on the counts that the seed really drew.

    The target sparsity counts frozen weights, so it must leave room for all of them (Otsuka et
    al., "Partially frozen random networks contain compact strong lottery tickets", 2024).

    Raises
    ------
    ConfigError
        With the ratio to change.
    """
    groups = {f"layer {index}": [x] for index, x in enumerate(counts)}
    if not layerwise:
        groups = {"the network": list(counts)}
    for where, group in groups.items():
        total = sum(x.weights for x in group)
        pruned, locked = sum(x.pruned for x in group), sum(x.locked for x in group)
        drop = drop_count(total, sparsity)
        if pruned > drop:
            raise ConfigError(
                f"sparsity {sparsity:g} drops {drop} of the {total} weights of {where}, but the "
                f"seed prunes {pruned}; lower prune or raise sparsity above {pruned / total:.4f}"
            )
        if drop > total - locked:
            raise ConfigError(
                f"sparsity {sparsity:g} drops {drop} of the {total} weights of {where}, but the "
                f"seed locks {locked}; lower lock or sparsity, to {1 - locked / total:.4f} at most"
            )
