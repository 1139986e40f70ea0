"""A limit on how much of a mask may change at once: short restriction."""

import math
from collections.abc import Callable

from torch import Tensor

from tombola.spec.errors import ConfigError

LIMITS: dict[str, Callable[[float, int], float]] = {
    "quartic": lambda epoch, epochs: (1 - epoch / epochs) ** 4,
    "cosine": lambda epoch, epochs: 0.5 * (1 + math.cos(math.pi * epoch / epochs)),
}
"""Part of the wanted swaps that is made after so many epochs of so many, from 1 down to 0."""


def limit_swaps(previous: Tensor, wanted: Tensor, keys: Tensor, *, fraction: float) -> Tensor:
    """The previous mask with the strongest part of the wanted changes, and the wanted count.

    A swap lets in a dropped weight whose key is now above the threshold and lets out a kept one
    whose key is now below; the largest keys come in first, the smallest go first, equally many of
    each, ``ceil(fraction * swaps)`` in all. Where the wanted mask keeps more or fewer weights than
    the previous one, the difference is made in full (short restriction; Zhang et al., "Lottery
    jackpots exist in pre-trained models", 2021).

    Parameters
    ----------
    previous, wanted : bool tensors of one shape
    keys : float tensor of that shape
        What `wanted` was chosen by; of equal keys the lower index in stream order goes first.
    fraction : float
        0 to 1.

    Returns
    -------
    bool tensor of that shape
    """
    if not 0 <= fraction <= 1:
        raise ConfigError(f"fraction must be between 0 and 1, not {fraction:g}")
    flat, keys = previous.flatten().clone(), keys.flatten()
    entering = (~flat & wanted.flatten()).nonzero().flatten()
    leaving = (flat & ~wanted.flatten()).nonzero().flatten()
    swaps = min(len(entering), len(leaving))
    made = math.ceil(fraction * swaps)
    # Ascending and stable, so that the first leave first and the last of them enter first.
    entering = entering[keys[entering].argsort(stable=True)]
    leaving = leaving[keys[leaving].argsort(stable=True)]
    flat[entering[swaps - made :]] = True
    flat[leaving[: len(leaving) - swaps + made]] = False
    return flat.view_as(previous)
