"""Where fixed weights come from: the chip's stream, or PyTorch's generator to compare it with."""

import enum

import numpy as np
import torch

from tombola.search.randomness import generator
from tombola.spec import weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass, WeightSet


class WeightSource(enum.Enum):
    """Generator of signs and freeze classes. Only those of STREAM can be exported."""

    STREAM = "stream"
    TORCH = "torch"


def signs(source: WeightSource, seed: int, weight_set: WeightSet) -> np.ndarray:
    """Float32 array (out, height, width, channels) of +1 and -1, in stream order."""
    if source is WeightSource.STREAM:
        negative = without_padding(weight_stream.negative(seed, weight_set), weight_set)
        return np.where(negative, np.float32(-1), np.float32(1))
    shape = (weight_set.out_channels, *weight_set.kernel, weight_set.layout.channels)
    draws = torch.randint(2, shape, generator=generator(seed, "signs", weight_set.id))
    return (2 * draws - 1).float().numpy()


def classes(source: WeightSource, seed: int, weight_set: WeightSet) -> np.ndarray:
    """Uint8 array (out, height, width, channels) of `FreezeClass`, in stream order.

    Raises
    ------
    ConfigError
        If weights of PyTorch are to be frozen; the comparison is made without freezing.
    """
    if source is WeightSource.STREAM:
        return without_padding(weight_stream.freeze_classes(seed, weight_set), weight_set)
    if weight_set.frozen:
        raise ConfigError("weights of PyTorch cannot be frozen; use stream weights, or no freezing")
    shape = (weight_set.out_channels, *weight_set.kernel, weight_set.layout.channels)
    return np.full(shape, FreezeClass.SEARCHABLE, dtype=np.uint8)


def without_padding(rows: np.ndarray, weight_set: WeightSet) -> np.ndarray:
    """Rows (out, positions) to an array (out, height, width, channels), still in stream order."""
    layout = weight_set.layout
    return rows[:, layout.real()].reshape(rows.shape[0], *layout.kernel, layout.channels)
