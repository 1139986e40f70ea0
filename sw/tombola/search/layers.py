"""Layers of a network under search: masked convolution, norm, rounding and mean."""

import math

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tombola.search import weight_source
from tombola.search.freezing import DrawnCounts, key_offsets
from tombola.search.quantiser import floor_clamp
from tombola.search.randomness import generator
from tombola.search.straight_through import masked_weights
from tombola.search.weight_source import WeightSource
from tombola.spec.weight_stream import WeightSet

GAIN = math.sqrt(2)
STEP = 1 / 32
"""Real value of one activation step: a batch norm at rest gives unit variance, so 8 bits reach up
to 8 deviations, and the step is a 32nd of one."""
HIGHEST = 255
EPSILON = 1e-5
STATISTICS_RATE = 0.1
"""Part of a batch's mean and variance that enters the running ones."""


class MaskedConv(nn.Module):
    """Convolution whose weights are drawn once and then only kept or dropped.

    Scores, signs and mask are (out, height, width, channels): stream order without padding.
    Activations are integers in floating point, so `constant` carries the step of the input.

    Parameters
    ----------
    weight_set : WeightSet
    seed : int
    source : WeightSource
    input_step : float
        Real value of an input of 1.
    padding, stride : int
    whole_map : bool
        True where the kernel is the map, so that a matrix product does.
    """

    def __init__(
        self,
        weight_set: WeightSet,
        *,
        seed: int,
        source: WeightSource,
        input_step: float,
        padding: int = 0,
        stride: int = 1,
        whole_map: bool = False,
    ) -> None:
        super().__init__()
        self.weight_set = weight_set
        self.padding, self.stride, self.whole_map = padding, stride, whole_map
        fan_in = weight_set.layout.weights
        self.constant = GAIN / math.sqrt(fan_in)
        classes = weight_source.classes(source, seed, weight_set)
        self.counts = DrawnCounts.of(classes)
        signs = torch.from_numpy(weight_source.signs(source, seed, weight_set))
        scores = torch.empty(signs.shape).uniform_(
            -1 / math.sqrt(fan_in),
            1 / math.sqrt(fan_in),
            generator=generator(seed, "scores", weight_set.id),
        )
        self.scores = nn.Parameter(scores)
        # What the seed gives back need not be in a checkpoint.
        self.register_buffer("signs", signs, persistent=False)
        self.register_buffer("weights", signs * (self.constant * input_step), persistent=False)
        self.register_buffer("offsets", key_offsets(classes), persistent=False)
        self.register_buffer("mask", torch.ones_like(signs), persistent=False)

    def keys(self) -> Tensor:
        """Float (weights,): what the selection ranks, in stream order."""
        return (self.scores.detach().abs() + self.offsets).flatten()

    def keep(self, kept: Tensor) -> None:
        """Takes the bool mask (weights,) of a selection."""
        self.mask.copy_(kept.view(self.mask.shape))

    def ternary(self) -> np.ndarray:
        """Int8 array (out, positions): sign where kept, 0 where dropped, with the padding."""
        layout = self.weight_set.layout
        values = (self.signs * self.mask).to(torch.int8).numpy()
        return layout.to_stream(values.transpose(0, 3, 1, 2))

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, out, height, width)."""
        weights = masked_weights(self.scores, self.weights, self.mask)
        if self.whole_map:
            flat = inputs.permute(0, 2, 3, 1).flatten(1)
            return (flat @ weights.flatten(1).t())[:, :, None, None]
        weights = weights.permute(0, 3, 1, 2)
        return functional.conv2d(inputs, weights, padding=self.padding, stride=self.stride)


class Norm(nn.Module):
    """Batch norm without learned factors, in steps of the output, with the half for rounding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("steps", torch.full((channels,), 1 / STEP), persistent=False)
        self.register_buffer("rounding", torch.full((channels,), 0.5), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width), of the shape of the input."""
        return functional.batch_norm(
            inputs,
            self.mean,
            self.variance,
            self.steps,
            self.rounding,
            self.training,
            STATISTICS_RATE,
            EPSILON,
        )


class Activation(nn.Module):
    """ReLU and rounding to 8 unsigned bits; follows a `Norm`, at once or after a max pooling."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width) of whole numbers 0 .. 255; takes over its input."""
        return floor_clamp(inputs, low=0, high=HIGHEST)


class Mean(nn.Module):
    """Average pooling of whole numbers to whole numbers, halves up."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width), height and width divided by the size."""
        return floor_clamp(functional.avg_pool2d(inputs, self.size) + 0.5, low=0, high=HIGHEST)
