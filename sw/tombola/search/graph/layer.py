"""A linear layer over the nodes of a graph, whose weights are kept in none or several coats."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from tombola.search import weight_source
from tombola.search.graph.sparse import SparseMatrix
from tombola.search.randomness import generator
from tombola.search.scores import keys
from tombola.search.straight_through import masked_weights
from tombola.search.weight_source import WeightSource
from tombola.spec.weight_stream import WeightSet

KAIMING = math.sqrt(6)
"""Bound of Kaiming's uniform distribution before a ReLU, times ``sqrt(fan_in)``."""


class GraphLinear(nn.Module):
    """Signs of the seed times a count of coats; its own scores, whoever shares the signs.

    Activations and weights are integers in floating point; the layer's scale is left to its user.

    Parameters
    ----------
    weight_set : WeightSet
        Of a 1x1 kernel, so that stream order is (out, in).
    seed : int
    index : int
        Of the layer; layers that share a weight set start from scores of their own.
    coats : int
    ranking : str
    """

    def __init__(
        self, weight_set: WeightSet, *, seed: int, index: int, coats: int, ranking: str
    ) -> None:
        super().__init__()
        self.weight_set, self.ranking = weight_set, ranking
        shape = (weight_set.out_channels, weight_set.in_channels)
        signs = weight_source.signs(WeightSource.STREAM, seed, weight_set).reshape(shape)
        bound = KAIMING / math.sqrt(weight_set.in_channels)
        draws = generator(seed, "graph scores", index)
        self.scores = nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=draws))
        # What the seed gives back need not be in a checkpoint.
        self.register_buffer("signs", torch.from_numpy(signs), persistent=False)
        self.register_buffer("slope", self.signs * coats, persistent=False)
        self.register_buffer("counts", torch.full(shape, float(coats)), persistent=False)

    def keys(self) -> Tensor:
        """Float (out, in): what the selection ranks."""
        return keys(self.scores.detach(), self.ranking)

    def ternary(self) -> np.ndarray:
        """Int8 array (out, positions): signed counts in stream order, with the padding."""
        values = (self.signs * self.counts).to(torch.int8).numpy()
        return self.weight_set.layout.to_stream(values[:, :, None, None])

    def forward(self, inputs: Tensor | SparseMatrix) -> Tensor:
        """(nodes, in) to (nodes, out), in whole numbers."""
        weights = masked_weights(
            self.scores, self.signs, self.counts, slope=self.slope, absolute=self.ranking == "abs"
        )
        if isinstance(inputs, SparseMatrix):
            return inputs.product(weights.t())
        return inputs @ weights.t()
