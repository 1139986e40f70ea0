"""Spreading one ratio over the layers: uniform, EPL, ERK or IGQ."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from tombola.spec.errors import ConfigError


class Allocation(enum.Enum):
    """How a ratio for the network becomes one for each layer."""

    UNIFORM = "uniform"
    EPL = "epl"
    ERK = "erk"
    IGQ = "igq"


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """Channels (of one group on the input side) and kernel of one layer."""

    out_channels: int
    in_channels: int
    kernel: tuple[int, int]

    @property
    def weights(self) -> int:
        """Weights of the layer."""
        return self.out_channels * self.in_channels * self.kernel[0] * self.kernel[1]


def densities(layers: Sequence[LayerSize], *, total: float, allocation: Allocation) -> list[float]:
    """Density of each layer, such that the network's is `total`; none exceeds 1.

    EPL (edges per layer) gives every layer the same number of edges; ERK (Erdos-Renyi-Kernel) a
    number in proportion to the sum of its channels and kernel sides (Evci et al., "Rigging the
    lottery", 2020). What a full layer cannot take is spread over the others in the same
    proportions. IGQ (ideal gas quotas) gives a layer of n weights the density ``1 / (1 + F n)``, as
    one force F compresses columns of gas (Vysogorets and Kempe, "Connectivity matters", 2023).

    Raises
    ------
    ConfigError
        If `total` is not between 0 and 1.
    """
    if not 0 <= total <= 1:
        raise ConfigError(f"density must be between 0 and 1, not {total:g}")
    if allocation is Allocation.UNIFORM:
        return [total] * len(layers)
    if allocation is Allocation.IGQ:
        return _compressed([layer.weights for layer in layers], total)
    if allocation is Allocation.EPL:
        shares = [1.0] * len(layers)
    else:
        shares = [float(x.out_channels + x.in_channels + sum(x.kernel)) for x in layers]
    return _shared_out(layers, total, shares)


def _shared_out(layers: Sequence[LayerSize], total: float, shares: list[float]) -> list[float]:
    """Edges in proportion to the shares, until a layer is full."""
    full: set[int] = set()
    while True:
        edges = total * sum(x.weights for x in layers) - sum(layers[i].weights for i in full)
        left = sum(share for i, share in enumerate(shares) if i not in full)
        unit = max(edges, 0.0) / left if left else 0.0
        result = [
            1.0 if i in full else unit * share / layer.weights
            for i, (share, layer) in enumerate(zip(shares, layers, strict=True))
        ]
        over = {i for i, density in enumerate(result) if density > 1}
        if not over:
            return result
        full |= over


def _compressed(weights: list[int], total: float) -> list[float]:
    """Densities ``1 / (1 + F n)``, with ``1 / (1 + F)`` found between 0 and 1 by halving."""

    def compressed(part: float) -> list[float]:
        return [part / (part + (1 - part) * n) for n in weights]

    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        edges = sum(d * n for d, n in zip(compressed(middle), weights, strict=True))
        low, high = (low, middle) if edges > total * sum(weights) else (middle, high)
    return compressed(high)


def freeze_ratios(
    layers: Sequence[LayerSize],
    *,
    prune: float,
    lock: float,
    allocation: Allocation,
    jointly: bool = True,
) -> list[tuple[float, float]]:
    """For each layer its ratios (p, r): ``p = 1 - dist(1 - prune)``, ``r = F - p``.

    Jointly, F is what the layer freezes in all, ``1 - dist(1 - (prune + lock))``. A layer's density
    grows with the total, so r is never negative. Independently, ``r = 1 - dist(1 - lock)``.

    Raises
    ------
    ConfigError
        If a ratio is negative or both exceed 1 together, in the network or in a layer.
    """
    if prune < 0 or lock < 0 or prune + lock > 1:
        raise ConfigError(
            f"prune and lock must be at least 0 and at most 1 together, not {prune:g} and {lock:g}"
        )
    unpruned = densities(layers, total=1 - prune, allocation=allocation)
    if jointly:
        free = densities(layers, total=1 - (prune + lock), allocation=allocation)
        locked = [dense - open_ for dense, open_ in zip(unpruned, free, strict=True)]
    else:
        locked = [1 - dense for dense in densities(layers, total=1 - lock, allocation=allocation)]
    ratios = [(max(0.0, 1 - x), max(0.0, r)) for x, r in zip(unpruned, locked, strict=True)]
    for index, (p, r) in enumerate(ratios):
        if not jointly and p + r > 1:
            raise ConfigError(
                f"layer {index} would be pruned to {p:.3f} and locked to {r:.3f}, more than all of "
                "it; allocate the two jointly, or lower prune or lock"
            )
    return ratios
