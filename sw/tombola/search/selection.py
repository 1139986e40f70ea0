"""Which weights go: an exact number of the smallest keys, ties broken by stream order."""

from collections.abc import Sequence

import numpy as np
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
    threshold = _smallest(keys, drop)
    kept = keys > threshold
    spared = keys.numel() - drop - int(kept.count_nonzero())
    if spared:  # several keys are equal to the threshold; the last ones of them stay
        equal = (keys == threshold).nonzero().flatten()
        kept[equal[equal.numel() - spared :]] = True
    return kept


def _smallest(keys: Tensor, rank: int) -> Tensor:
    """The key of that rank from below, counted from 1.

    On a CPU by NumPy, whose partition of two million keys took 1.8 ms where `kthvalue` took 24.
    """
    if keys.device.type != "cpu":
        return keys.sort().values[rank - 1]
    return keys.new_tensor(np.partition(keys.numpy(), rank - 1)[rank - 1])


def keep_layerwise(
    keys: Sequence[Tensor], *, sparsity: float | Sequence[float]
) -> list[Tensor]:
    """Each layer keeps exactly ``n - int(sparsity * n)`` of its n weights.

    Parameters
    ----------
    keys : sequence of float tensors
        One a layer, of any shape, in stream order; the masks have their shapes.
    sparsity : float or sequence of float
        For all layers, or for each.
    """
    each = [sparsity] * len(keys) if isinstance(sparsity, float | int) else sparsity
    drops = [drop_count(x.numel(), part) for x, part in zip(keys, each, strict=True)]
    return keep_counted(keys, drops=drops)


def keep_counted(keys: Sequence[Tensor], *, drops: Sequence[int]) -> list[Tensor]:
    """Each layer drops a number of its own; otherwise as `keep_layerwise`."""
    return [
        keep_largest(x.flatten(), drop=drop).view_as(x) for x, drop in zip(keys, drops, strict=True)
    ]


def keep_networkwide(
    keys: Sequence[Tensor], *, sparsity: float = 0.0, drop: int | None = None
) -> list[Tensor]:
    """The network keeps exactly ``n - int(sparsity * n)`` of all its weights.

    One threshold for all layers; stream order runs through the layers in turn.

    Parameters
    ----------
    keys : sequence of float tensors
    sparsity : float
    drop : int or None
        Number of weights that go, in place of the sparsity.
    """
    together = torch.cat([x.flatten() for x in keys])
    count = drop_count(together.numel(), sparsity) if drop is None else drop
    kept = keep_largest(together, drop=count)
    parts = kept.split([x.numel() for x in keys])
    return [part.view_as(x) for part, x in zip(parts, keys, strict=True)]


def keep_groups(keys: Sequence[Tensor], *, sparsity: float, group: int) -> list[Tensor]:
    """N:M: of each `group` consecutive outputs, ``group - int(sparsity * group)`` stay.

    The groups are taken at each position of a row by itself. The outputs left over at the end of a
    layer make a smaller group, of which ``int(sparsity * size)`` go; of equal keys the lower output
    goes.

    Parameters
    ----------
    keys : sequence of float tensors (out, ...)
    sparsity : float
    group : int
        M, at least 1.
    """
    if group < 1:
        raise ConfigError(f"group must be at least 1, not {group}")
    return [_keep_in_groups(x, sparsity=sparsity, group=group) for x in keys]


def _keep_in_groups(keys: Tensor, *, sparsity: float, group: int) -> Tensor:
    kept = torch.ones_like(keys, dtype=torch.bool)
    whole = len(keys) // group * group
    for begin, end, size in ((0, whole, group), (whole, len(keys), len(keys) - whole)):
        drop = drop_count(size, sparsity)
        if begin == end or drop == 0:
            continue
        part = keys[begin:end].reshape((end - begin) // size, size, -1)
        order = part.argsort(dim=1, stable=True)
        chosen = torch.ones_like(part, dtype=torch.bool).scatter_(1, order[:, :drop], False)
        kept[begin:end] = chosen.view_as(kept[begin:end])
    return kept


def keep_above(keys: Sequence[Tensor], *, level: float = 0.5) -> list[Tensor]:
    """Whatever lies above the level stays: a probability that rounds to 1, halves to 0."""
    return [x > level for x in keys]
