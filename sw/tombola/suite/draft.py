"""A network that grows layer by layer, each with scales that keep its activations in range."""

from dataclasses import dataclass

import numpy as np

from tombola.model.description import (
    Activation,
    Affine,
    FloatAveragePool,
    FloatConv,
    FloatLayer,
    FloatMaxPool,
)
from tombola.spec.arithmetic import NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Window
from tombola.spec.weight_stream import WeightSet
from tombola.suite.recipe import Recipe

INPUT_STEP = 1 / 255
UNSIGNED = NumberType(bits=8, signed=False)
SIGNED = NumberType(bits=8, signed=True)
REACH = 3.0
"""Standard deviations of a normal distribution that the clamp leaves: 0.3 % lie beyond."""
RECTIFIED = (0.399, 0.584)
"""Mean and standard deviation of max(0, x), with x of the standard normal distribution."""
LARGEST_OF_FOUR = (1.045, 0.671)
"""The same of the largest of four such values."""

ALIKE = 0.7
"""Correlation of a folded layer's sums with its residual; with 0 a tenth of the values of the last
turns was clamped."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """What is expected of one tensor: real values of this mean and standard deviation."""

    index: int
    shape: tuple[int, int, int]
    mean: float
    deviation: float


class Draft:
    """Layers and weights of a network in the making.

    A layer's sums have zero mean and known deviation if weights have random signs and the inputs
    are as expected: the norm takes the channel's mean away and divides by its deviation, which
    follow from its weights. So activations neither die nor saturate, at any depth.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of an image, whose bytes are taken to be of any value alike.
    seed : int
    recipe : Recipe
    """

    def __init__(self, shape: tuple[int, int, int], *, seed: int, recipe: Recipe) -> None:
        self._seed, self._recipe = seed, recipe
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._weights: list[tuple[WeightSet, np.ndarray]] = []
        self.layers: list[FloatLayer] = []
        self.input = Tensor(index=0, shape=shape, mean=0.5, deviation=12**-0.5)

    def weights(
        self, source: Tensor, channels: int, kernel: tuple[int, int]
    ) -> tuple[WeightSet, np.ndarray]:
        """A weight set of its own for a layer that reads `source`, and its weights."""
        weight_set = self._recipe.weight_set(
            len(self._weights), channels, inputs=source.shape[0], kernel=kernel
        )
        self._weights.append((weight_set, self._recipe.draw(self._seed, weight_set, self._rng)))
        return self._weights[-1]

    def conv(
        self,
        source: Tensor,
        channels: int,
        *,
        kernel: tuple[int, int] = (3, 3),
        stride: int = 1,
        padding: tuple[int, int, int, int] = (1, 1, 1, 1),
        rectified: bool = True,
        residual: Tensor | None = None,
        weights: tuple[WeightSet, np.ndarray] | None = None,
    ) -> Tensor:
        """A convolution and a norm; `weights` are those of another layer that is folded with it."""
        weight_set, values = weights or self.weights(source, channels, kernel)
        norm = _norm(values, source)
        deviation = 1.0
        if residual is not None:
            norm = Affine(slope=norm.slope, offset=norm.offset - residual.mean)
            # A folded layer makes again some of what its residual has of it from the turn before.
            alike = 0.0 if weights is None else ALIKE
            deviation = (1 + 2 * alike * residual.deviation + residual.deviation**2) ** 0.5
        low, high = (UNSIGNED if rectified else SIGNED).range
        activation = Activation(
            step=REACH * deviation / high,
            type=UNSIGNED if rectified else SIGNED,
            clamp=(low, high),
        )
        window = Window(stride=(stride, stride), padding=padding)
        self.layers.append(
            FloatConv(
                input=source.index,
                weight_set=weight_set,
                weights=values,
                coding=self._recipe.coding,
                constant=1.0,
                norm=norm,
                activation=activation,
                window=window,
                residual=None if residual is None else residual.index,
            )
        )
        mean, spread = RECTIFIED if rectified else (0.0, 1.0)
        shape = (channels, *_sides(source, kernel, window))
        return self._made(shape, mean * deviation, spread * deviation)

    def subsample(self, source: Tensor, channels: int, *, stride: int) -> Tensor:
        """Every `stride`-th pixel, and channels of zeros behind those there are, as it is."""
        weight_set = WeightSet(
            id=len(self._weights), out_channels=channels, in_channels=source.shape[0]
        )
        identity = np.eye(channels, source.shape[0], dtype=np.int16)[:, :, None, None]
        values = weight_set.layout.to_stream(identity)
        self._weights.append((weight_set, values))
        window = Window(stride=(stride, stride))
        self.layers.append(
            FloatConv(
                input=source.index,
                weight_set=weight_set,
                weights=values,
                coding=Coding(stored=2),
                constant=1.0,
                activation=self._activation(source),
                window=window,
            )
        )
        # Channels of zeros lower both, which nothing behind depends on closely.
        part = source.shape[0] / channels
        shape = (channels, *_sides(source, (1, 1), window))
        return self._made(shape, part * source.mean, part**0.5 * source.deviation)

    def max_pool(self, source: Tensor) -> Tensor:
        """The largest of 2x2 rectified values."""
        window = Window(stride=(2, 2))
        self.layers.append(FloatMaxPool(input=source.index, kernel=(2, 2), window=window))
        (mean, deviation), (pooled, spread) = RECTIFIED, LARGEST_OF_FOUR
        return self._made(
            (source.shape[0], *_sides(source, (2, 2), window)),
            source.mean * pooled / mean,
            source.deviation * spread / deviation,
        )

    def global_average(self, source: Tensor) -> Tensor:
        """The mean of each channel."""
        self._average(source, activation=self._activation(source))
        # Means of channels differ by some half of what single values do.
        return self._made((source.shape[0], 1, 1), source.mean, source.deviation / 2)

    def global_sum(self, source: Tensor) -> None:
        """Logits: the sum of each channel."""
        self._average(source, activation=None)

    def logits(self, source: Tensor, classes: int) -> None:
        """A linear layer over the whole map, whose sums are the logits."""
        weight_set, values = self.weights(source, classes, source.shape[1:])
        self.layers.append(
            FloatConv(
                input=source.index,
                weight_set=weight_set,
                weights=values,
                coding=self._recipe.coding,
                constant=1.0,
            )
        )

    def _average(self, source: Tensor, *, activation: Activation | None) -> None:
        self.layers.append(
            FloatAveragePool(
                input=source.index,
                kernel=source.shape[1:],
                window=Window(),
                activation=activation,
            )
        )

    def _activation(self, source: Tensor) -> Activation:
        """The one that `source` has."""
        made = self.layers[source.index - 1]
        while isinstance(made, FloatMaxPool):
            made = self.layers[made.input - 1]
        assert isinstance(made.activation, Activation)
        return made.activation

    def _made(self, shape: tuple[int, int, int], mean: float, deviation: float) -> Tensor:
        return Tensor(index=len(self.layers), shape=shape, mean=mean, deviation=deviation)


def _norm(values: np.ndarray, source: Tensor) -> Affine:
    """Makes the sums of each channel standard normal."""
    wide = values.astype(np.int64)
    energy = np.maximum((wide**2).sum(axis=1), 1).astype(np.float64)
    slope = 1 / (np.sqrt(energy) * source.deviation)
    return Affine(slope=slope, offset=-slope * source.mean * wide.sum(axis=1))


def _sides(source: Tensor, kernel: tuple[int, int], window: Window) -> tuple[int, int]:
    (height, width), (top, left, bottom, right) = source.shape[1:], window.padding
    return (
        (height + top + bottom - kernel[0]) // window.stride[0] + 1,
        (width + left + right - kernel[1]) // window.stride[1] + 1,
    )
