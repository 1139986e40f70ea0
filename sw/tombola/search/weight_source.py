"""Where fixed weights come from: the chip's stream, PyTorch's generator, or a trained network."""

import enum

import numpy as np
import torch
from torch import Tensor

from tombola.search.randomness import generator
from tombola.spec import weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass, WeightSet

CUTS = 100
"""Steps are tried from all of so many parts of the coarsest down to half of them."""


class WeightSource(enum.Enum):
    """Generator of signs and freeze classes, or STORED weights. TORCH cannot be exported."""

    STREAM = "stream"
    TORCH = "torch"
    STORED = "stored"


def signs(source: WeightSource, seed: int, weight_set: WeightSet) -> np.ndarray:
    """Float32 array (out, height, width, channels) of +1 and -1, in stream order."""
    if source is WeightSource.STREAM:
        negative = without_padding(weight_stream.negative(seed, weight_set), weight_set)
        return np.where(negative, np.float32(-1), np.float32(1))
    draws = torch.randint(
        2, shape_of(weight_set), generator=generator(seed, "signs", weight_set.id)
    )
    return (2 * draws - 1).float().numpy()


def classes(source: WeightSource, seed: int, weight_set: WeightSet) -> np.ndarray:
    """Uint8 array (out, height, width, channels) of `FreezeClass`, in stream order.

    Raises
    ------
    ConfigError
        If weights that the stream does not draw are to be frozen.
    """
    if source is WeightSource.STREAM:
        return without_padding(weight_stream.freeze_classes(seed, weight_set), weight_set)
    if weight_set.frozen:
        raise ConfigError("weights of PyTorch cannot be frozen; use stream weights, or no freezing")
    return np.full(shape_of(weight_set), FreezeClass.SEARCHABLE, dtype=np.uint8)


def magnitudes(seed: int, weight_set: WeightSet) -> Tensor:
    """Absolute normal deviates (out, height, width, channels), for a scale taken from them."""
    deviates = torch.empty(shape_of(weight_set))
    return deviates.normal_(generator=generator(seed, "magnitudes", weight_set.id)).abs_()


def in_stream_order(trained: Tensor, weight_set: WeightSet) -> Tensor:
    """Trained weights as float32 (out, height, width, channels).

    Parameters
    ----------
    trained : float tensor
        (out, channels, height, width), or (out, channels * height * width) of a linear layer.
    weight_set : WeightSet
    """
    height, width = weight_set.kernel
    shape = (weight_set.out_channels, weight_set.in_channels, height, width)
    return trained.detach().float().reshape(shape).permute(0, 2, 3, 1).contiguous()


def stored(weights: Tensor, *, bits: int, one_step: bool) -> tuple[Tensor, Tensor | float]:
    """Trained weights in integers of `bits` bits, and the real value of 1.

    The step is that with the least squared error among the largest weight's and some finer ones,
    which cut that off. All weights of the ResNet8 of MLPerf Tiny at 4 bits make 46 % of the test
    images right with one step a layer for its largest weight, 56 % with one a channel, and 76 %
    with the best of each channel.

    Parameters
    ----------
    weights : float tensor (out, height, width, channels)
    bits : int
        Sign included; the integers stay within ``+-(2^(bits-1) - 1)``.
    one_step : bool
        For the whole layer, so that its sums compare; else each output channel has its own.

    Returns
    -------
    float tensor of that shape of whole numbers; float tensor (out, 1, 1, 1), or a float
    """
    most = (1 << (bits - 1)) - 1
    largest = weights.abs().amax((1, 2, 3), keepdim=True)
    if one_step:
        largest = largest.amax().expand_as(largest)
    coarsest = torch.where(largest == 0, 1.0, largest / most)
    steps, least = coarsest, torch.full_like(coarsest, torch.inf)
    for part in range(CUTS, CUTS // 2 - 1, -1):
        tried = coarsest * (part / CUTS)
        units = (weights / tried).round().clamp(-most, most)
        errors = (units * tried - weights).square().sum((1, 2, 3), keepdim=True)
        if one_step:
            errors = errors.sum().expand_as(errors)
        steps = torch.where(errors < least, tried, steps)
        least = torch.minimum(errors, least)
    units = (weights / steps).round().clamp(-most, most)
    return units, float(steps[0, 0, 0, 0]) if one_step else steps


def shape_of(weight_set: WeightSet) -> tuple[int, int, int, int]:
    """(out, height, width, channels): stream order without the padding."""
    return (weight_set.out_channels, *weight_set.kernel, weight_set.layout.channels)


def without_padding(rows: np.ndarray, weight_set: WeightSet) -> np.ndarray:
    """Rows (out, positions) to an array (out, height, width, channels), still in stream order."""
    # Taking columns leaves NumPy with the transpose; convolutions want the channels last.
    return np.ascontiguousarray(rows[:, weight_set.layout.real()]).reshape(shape_of(weight_set))
