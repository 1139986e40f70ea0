"""The size of a layer's weights, whose signs alone are drawn: one number a layer."""

import math

from torch import Tensor

GAIN = math.sqrt(2)
"""Of a ReLU, which halves the variance."""
SCALES = ("constant", "layer", "dynamic", "alpha")


def signed_constant(fan_in: int) -> float:
    """``gain / sqrt(fan_in)``: Kaiming's deviation, as the one magnitude of all weights."""
    return GAIN / math.sqrt(fan_in)


def layer_scale(fan_in: int, sparsity: float) -> float:
    """``gain / sqrt(fan_in (1 - sparsity))``: the deviation of what is left; unscaled if nothing.

    With coats, the sparsity is that of the first.
    """
    kept = 1 - sparsity
    return GAIN / math.sqrt(fan_in * kept) if kept > 0 else signed_constant(fan_in)


def dynamic_factor(mask: Tensor) -> float:
    """``1 / sqrt(1 - local sparsity)`` of the mask as it is, and 1 for an emptied layer.

    Source: Otsuka et al., "Partially frozen random networks contain compact strong lottery
    tickets", 2024.
    """
    kept = int(mask.count_nonzero())
    return math.sqrt(mask.numel() / kept) if kept else 1.0


def alpha(magnitudes: Tensor, mask: Tensor) -> float:
    """Mean magnitude of the kept weights, ``sum(|w| m) / (k n)``; of all in an emptied layer.

    Source: Diffenderfer and Kailkhura, "Multi-prize lottery ticket hypothesis", 2021.
    """
    kept = mask != 0
    return float(magnitudes[kept].mean() if kept.any() else magnitudes.mean())
