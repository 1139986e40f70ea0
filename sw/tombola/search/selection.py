"""Which weights go: an exact number of the smallest keys, ties broken by stream order."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tombola.spec.errors import ConfigError


def drop_count(weights: int, sparsity: float) -> int:
    """Weights that go: ``int(sparsity * weights)``, so that ``weights - int(..)`` are kept."""
    if not 0 <= sparsity <= 1:
        raise ConfigError(f"sparsity must be between 0 and 1, not {sparsity:g}")
    return int(sparsity * weights)


def keep_largest(keys: Tensor, *, drop: int) -> Tensor:
    """Bool tensor (n,): False at the `drop` smallest of `keys`, of equal keys at the first ones.

    Parameters
    ----------
    keys : float tensor (n,)
        In stream order.
    drop : int
        0 to n.
    """
    if not 0 <= drop <= keys.numel():
        raise ConfigError(f"drop must be between 0 and {keys.numel()}, not {drop}")
    if drop == 0:
        return torch.ones_like(keys, dtype=torch.bool)
    threshold = keys.kthvalue(drop).values
    kept = keys > threshold
    spared = keys.numel() - drop - int(kept.sum())
    if spared:  # several keys are equal to the threshold; the last ones of them stay
        equal = (keys == threshold).nonzero().flatten()
        kept[equal[equal.numel() - spared :]] = True
    return kept


def keep_layerwise(keys: Sequence[Tensor], *, sparsity: float) -> list[Tensor]:
    """Each layer keeps exactly ``n - int(sparsity * n)`` of its n weights; bool tensors (n,)."""
    return [keep_largest(x, drop=drop_count(x.numel(), sparsity)) for x in keys]


def keep_networkwide(keys: Sequence[Tensor], *, sparsity: float) -> list[Tensor]:
    """The network keeps exactly ``n - int(sparsity * n)`` of all its weights; bool tensors.

    One threshold for all layers; stream order runs through the layers in turn.
    """
    together = torch.cat(list(keys))
    kept = keep_largest(together, drop=drop_count(together.numel(), sparsity))
    return list(kept.split([x.numel() for x in keys]))
