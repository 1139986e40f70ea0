"""How many weights each layer drops: the same part of all, or what one threshold leaves of it."""

from collections.abc import Sequence

from torch import Tensor

from tombola.search.selection import drop_count, keep_networkwide
from tombola.spec.errors import ConfigError

RATES = ("uniform", "magnitude")


def uniform_drops(weights: Sequence[int], *, sparsity: float) -> list[int]:
    """``int(sparsity * n)`` of the n weights of each layer."""
    return [drop_count(count, sparsity) for count in weights]


def magnitude_drops(trained: Sequence[Tensor], *, sparsity: float) -> list[int]:
    """What one threshold on the size of trained weights drops of each layer.

    The last layer, the classifier, keeps all of its weights; the sparsity counts them too (Zhang
    et al., "Lottery jackpots exist in pre-trained models", 2021).

    Parameters
    ----------
    trained : sequence of float tensors
        One a layer, of any shape, in stream order.
    sparsity : float
        Of the network.

    Raises
    ------
    ConfigError
        If more is to go than the other layers have.
    """
    *others, last = trained
    total = sum(x.numel() for x in trained)
    open_ = total - last.numel()
    drop = drop_count(total, sparsity)
    if drop > open_:
        raise ConfigError(
            f"sparsity {sparsity:g} leaves no room for the classifier, which keeps its "
            f"{last.numel()} weights; lower it to {open_ / total:.3g}, or choose uniform rates"
        )
    kept = keep_networkwide([x.abs() for x in others], drop=drop) if others else []
    return [int((~mask).count_nonzero()) for mask in kept] + [0]
