"""Folding real factors into the integers of one requantisation table."""

from dataclasses import dataclass

import numpy as np

from tombola.spec.arithmetic import BIAS_BITS, LOGIT_BITS, MAX_SHIFT, SCALE_BITS, signed_range
from tombola.spec.errors import ConfigError

MOST_SCALE = signed_range(SCALE_BITS)[1]
MOST_BIAS = signed_range(BIAS_BITS)[1]
MOST_LOGIT = signed_range(LOGIT_BITS)[1]


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Integers for ``(sum * scale[c] + residual * residual_scale + bias[c] + half) >> shift``.

    Attributes
    ----------
    scale : int16 array (channels,)
    bias : int32 array (channels,)
    residual_scale : int
    shift : int
    """

    scale: np.ndarray
    bias: np.ndarray
    residual_scale: int
    shift: int


def nearest(values: np.ndarray) -> np.ndarray:
    """Nearest integers as int64, halves up, as everywhere in the project's arithmetic."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5).astype(np.int64)


def _finite(
    multiplier: np.ndarray, offset: np.ndarray, residual: float
) -> tuple[np.ndarray, np.ndarray]:
    multiplier, offset = np.asarray(multiplier, np.float64), np.asarray(offset, np.float64)
    if not (np.isfinite(multiplier).all() and np.isfinite(offset).all() and np.isfinite(residual)):
        raise ConfigError("a scale or bias is not a finite number; the network has diverged")
    return multiplier, offset


def fold(multiplier: np.ndarray, offset: np.ndarray, *, residual: float = 0.0) -> Folded:
    """The closest integers to ``multiplier[c] * sum + residual * r + offset[c]``.

    The shift is the largest, up to 31, at which every scale fits 16 and every bias 32 bits, so the
    relative error of the layer's largest scale is at most 2^-15 unless a bias is what limits it.

    Parameters
    ----------
    multiplier, offset : float array (channels,)
        In units of one step of the output.
    residual : float
        Factor of the residual input.

    Raises
    ------
    ConfigError
        If a number is not finite, or does not fit even without a shift.
    """
    multiplier, offset = _finite(multiplier, offset, residual)
    for shift in range(MAX_SHIFT, -1, -1):
        scale, bias = nearest(multiplier * 2.0**shift), nearest(offset * 2.0**shift)
        residual_scale = int(nearest(np.array(residual * 2.0**shift)))
        if (
            np.abs(scale).max() <= MOST_SCALE
            and np.abs(bias).max() <= MOST_BIAS
            and abs(residual_scale) <= MOST_SCALE
        ):
            return Folded(
                scale=scale.astype(np.int16),
                bias=bias.astype(np.int32),
                residual_scale=residual_scale,
                shift=shift,
            )
    raise ConfigError(
        f"scales up to {np.abs(multiplier).max():g} and biases up to {np.abs(offset).max():g} "
        "steps do not fit 16 and 32 bits; use a larger activation step"
    )


def fold_logits(
    multiplier: np.ndarray,
    offset: np.ndarray,
    *,
    sum_bound: int,
    residual: float = 0.0,
    residual_bound: int = 0,
) -> Folded:
    """Like `fold` for logits: one common positive unit, without a shift, within 32 bits.

    Logits are compared, not measured, so their unit is free: scale 1 and bias 0 where all scales
    are equal and nothing is added, else the smallest unit at which nothing overflows.

    Parameters
    ----------
    sum_bound, residual_bound : int
        Largest absolute value of the sum and of the residual input.
    """
    multiplier, offset = _finite(multiplier, offset, residual)
    channels = multiplier.size
    if residual == 0 and not offset.any() and (multiplier == multiplier[0]).all():
        scale = np.full(channels, np.sign(multiplier[0]), dtype=np.int16)
        zero = np.zeros(channels, dtype=np.int32)
        return Folded(scale=scale, bias=zero, residual_scale=0, shift=0)
    reach = np.abs(multiplier) * sum_bound + np.abs(offset) + abs(residual) * residual_bound
    # Rounding moves each integer by at most a half, which the reserve in the divisor covers.
    reserve = sum_bound + residual_bound + 2
    unit = max(
        max(np.abs(multiplier).max(), abs(residual)) / MOST_SCALE,
        reach.max() / (MOST_LOGIT - min(reserve, MOST_LOGIT // 2)),
    )
    if unit == 0:
        unit = 1.0
    scale, bias = nearest(multiplier / unit), nearest(offset / unit)
    return Folded(
        scale=scale.astype(np.int16),
        bias=bias.astype(np.int32),
        residual_scale=int(nearest(np.array(residual / unit))),
        shift=0,
    )


def fold_sign(multiplier: np.ndarray, offset: np.ndarray, *, residual: float = 0.0) -> Folded:
    """Integers whose result, clamped to -1 .. 1, is the sign of the real value, and 1 at zero.

    Scales are even and biases odd, without a shift, so the result is never 0. Without a residual
    that is one exact threshold a channel: ``clamp(2 sum - (2 t - 1))`` with t the smallest sum that
    is not below zero, and its mirror image where the multiplier is negative. With one, the factors
    are rounded in a unit that is a power of two and leaves the largest 14 bits.

    Parameters
    ----------
    multiplier, offset : float array (channels,)
        In any unit.
    residual : float
        Factor of the residual input, in the same.

    Raises
    ------
    ConfigError
        If a number is not finite.
    """
    multiplier, offset = _finite(multiplier, offset, residual)
    most = MOST_BIAS // 2 - 1
    if residual == 0:
        direction = np.sign(multiplier)
        turning = -offset / np.where(multiplier == 0, 1.0, multiplier)
        # From the turning point up for a positive multiplier, up to it for a negative one.
        bias = np.where(direction > 0, 1 - 2 * np.ceil(turning), 1 + 2 * np.floor(turning))
        bias = np.where(direction == 0, np.where(offset < 0, -1, 1), bias)
        scale, residual_scale = 2 * direction, 0
    else:
        largest = max(np.abs(multiplier).max(), abs(residual))
        unit = 2.0 ** np.ceil(np.log2(2 * largest / (MOST_SCALE - 1)))
        scale = 2 * nearest(multiplier / unit)
        residual_scale = 2 * int(nearest(np.array(residual / unit)))
        bias = 2 * np.floor(offset / unit) + 1
    bias = bias.clip(-2 * most - 1, 2 * most + 1)
    return Folded(
        scale=scale.astype(np.int16),
        bias=bias.astype(np.int32),
        residual_scale=residual_scale,
        shift=0,
    )
