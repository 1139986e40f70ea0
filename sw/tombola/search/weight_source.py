"""Where fixed weights come from: the chip's stream, PyTorch's generator, or a trained network."""

import enum

import numpy as np
import torch
from torch import Tensor

from tombola.search.randomness import generator
from tombola.spec import weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass, WeightSet


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


def stored(trained: Tensor, weight_set: WeightSet, *, bits: int) -> tuple[Tensor, float]:
    """Trained weights in integers of `bits` bits, and the real value of 1.

    Parameters
    ----------
    trained : float tensor
        (out, channels, height, width), or (out, channels * height * width) of a linear layer.
    weight_set : WeightSet
    bits : int
        Sign included; the integers stay within ``+-(2^(bits-1) - 1)``.

    Returns
    -------
    float tensor (out, height, width, channels) of whole numbers, float
    """
    height, width = weight_set.kernel
    shape = (weight_set.out_channels, weight_set.in_channels, height, width)
    weights = trained.detach().float().reshape(shape).permute(0, 2, 3, 1).contiguous()
    largest = float(weights.abs().max())
    step = largest / ((1 << (bits - 1)) - 1) if largest else 1.0
    return (weights / step).round(), step


def shape_of(weight_set: WeightSet) -> tuple[int, int, int, int]:
    """(out, height, width, channels): stream order without the padding."""
    return (weight_set.out_channels, *weight_set.kernel, weight_set.layout.channels)


def without_padding(rows: np.ndarray, weight_set: WeightSet) -> np.ndarray:
    """Rows (out, positions) to an array (out, height, width, channels), still in stream order."""
    # Taking columns leaves NumPy with the transpose; convolutions want the channels last.
    return np.ascontiguousarray(rows[:, weight_set.layout.real()]).reshape(shape_of(weight_set))
