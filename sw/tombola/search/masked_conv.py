"""A convolution whose weights are fixed from the start, and only kept or dropped."""

import math

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tombola.search import scores as score
from tombola.search import weight_scale, weight_source
from tombola.search.freezing import DrawnCounts, key_offsets
from tombola.search.selection import keep_largest
from tombola.search.settings import SearchSettings
from tombola.search.straight_through import masked_weights
from tombola.search.weight_source import WeightSource
from tombola.spec.mask_code import Coding
from tombola.spec.weight_stream import WeightSet


class MaskedConv(nn.Module):
    """Convolution with drawn or stored weights, a score for each, and the mask taken from these.

    Scores, weights and mask are (out, height, width, channels): stream order without padding.
    Activations are integers in floating point, and `constant` is the real value of a weight 1.
    Called several times it is a folded layer: weights, scores and mask are one.

    Parameters
    ----------
    weight_set : WeightSet
    settings : SearchSettings
    stride : (int, int)
        Vertical and horizontal.
    padding : (int, int, int, int)
        Zeros above, to the left, below and to the right.
    groups : int
    whole_map : bool
        True where the kernel is the map, so that a matrix product does.
    input_step : float
        Real value of an input of 1, where it is always the same.
    drop : int
        Weights that the mask drops where it starts from one, and where rates are by magnitude.
    trained : float tensor or None
        Weights to store, (out, height, width, channels).
    one_step : bool
        As `weight_source.stored` has it.
    """

    def __init__(
        self,
        weight_set: WeightSet,
        *,
        settings: SearchSettings,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        whole_map: bool = False,
        input_step: float = 1.0,
        drop: int = 0,
        trained: Tensor | None = None,
        one_step: bool = False,
    ) -> None:
        super().__init__()
        self.weight_set, self.settings = weight_set, settings
        self.stride, self.padding, self.groups = stride, padding, groups
        self.whole_map = whole_map
        self.input_step, self.drop = input_step, drop
        source, seed, fan_in = settings.weights, settings.seed, weight_set.layout.weights
        if source is WeightSource.STORED:
            assert trained is not None
            units, self.constant = weight_source.stored(
                trained, bits=settings.stored_bits, one_step=one_step
            )
        else:
            units = torch.from_numpy(weight_source.signs(source, seed, weight_set))
            self.constant = weight_scale.signed_constant(fan_in)
            if settings.scale == "layer":
                self.constant = weight_scale.layer_scale(fan_in, settings.sparsity)
        self._drawn_constant = self.constant
        classes = weight_source.classes(source, seed, weight_set)
        self.counts = DrawnCounts.of(classes)
        self.scores = nn.Parameter(self._start(units.shape, trained))
        self.register_buffer("mask", torch.ones_like(units))
        # What the seed gives back need not be in a checkpoint.
        self._regained("units", units)
        self._regained("weights", units * (self.constant * input_step))
        self._regained("offsets", key_offsets(classes) if weight_set.frozen else None)
        magnitudes = slope = None
        if settings.scale == "alpha":
            magnitudes = weight_source.magnitudes(seed, weight_set) * self.constant
            slope = units * magnitudes * input_step
        elif settings.coats > 1:
            slope = self.weights * settings.coats
        self._regained("magnitudes", magnitudes)
        self._regained("slope", slope)
        if settings.scope == "threshold":
            self.register_buffer("ruled_out", torch.zeros_like(units, dtype=torch.bool))

    def _regained(self, name: str, value: Tensor | None) -> None:
        self.register_buffer(name, value, persistent=False)

    def _start(self, shape: tuple[int, ...], trained: Tensor | None) -> Tensor:
        settings = self.settings
        if settings.start == "unit":
            return score.unit_start(shape, seed=settings.seed, index=self.weight_set.id)
        if settings.start in ("magnitude", "random"):
            if settings.start == "magnitude":
                keys = trained.abs()
            else:
                keys = score.random_keys(shape, seed=settings.seed, index=self.weight_set.id)
            return score.mask_start(keep_largest(keys.flatten(), drop=self.drop).view(shape))
        fan_in = self.weight_set.layout.weights
        return score.uniform_start(
            shape, seed=settings.seed, index=self.weight_set.id, fan_in=fan_in
        )

    @property
    def coding(self) -> Coding:
        """How a ticket writes the mask."""
        if self.settings.weights is WeightSource.STORED:
            return Coding(stored=self.settings.stored_bits)
        return Coding(coats=self.settings.coats)

    def keys(self) -> Tensor:
        """What the selection ranks, in stream order: +inf where locked, -inf where pruned."""
        keys = score.keys(self.scores.detach(), self.settings.ranking)
        return keys if self.offsets is None else keys + self.offsets

    @torch.no_grad()
    def keep(self, chosen: Tensor) -> None:
        """Takes the mask of a selection: bool, or the number of coats a weight is kept in.

        The weights follow where their size depends on the mask.
        """
        self.mask.copy_(chosen.view(self.mask.shape))
        scale = self.settings.scale
        if scale not in ("dynamic", "alpha"):
            return
        if scale == "alpha":
            self.constant = weight_scale.alpha(self.magnitudes, self.mask)
        else:
            self.constant = self._drawn_constant * weight_scale.dynamic_factor(self.mask)
        torch.mul(self.units, self.constant * self.input_step, out=self.weights)
        if self.settings.coats > 1 and scale == "dynamic":
            torch.mul(self.weights, self.settings.coats, out=self.slope)

    @torch.no_grad()
    def force(self, chosen: Tensor) -> Tensor:
        """A selection with the frozen weights put back: pruned 0, locked the full value."""
        if self.offsets is None:
            return chosen
        forced = chosen.masked_fill(self.offsets == -math.inf, 0)
        return forced.masked_fill(self.offsets == math.inf, self.settings.coats)

    @torch.no_grad()
    def hold(self) -> None:
        """Puts scores that are probabilities back between 0 and 1."""
        if self.settings.start == "unit":
            self.scores.clamp_(0, 1)

    def integers(self) -> np.ndarray:
        """Int16 array (out, positions): weights of the ticket in stream order, with the padding."""
        values = (self.units * self.mask).to(torch.int16).cpu().numpy()
        return self.weight_set.layout.to_stream(values.transpose(0, 3, 1, 2))

    def forward(self, inputs: Tensor, step: Tensor | float) -> Tensor:
        """(batch, channels, height, width) whose 1 is `step`, to (batch, out, height, width)."""
        weights = masked_weights(
            self.scores,
            self.weights,
            self.mask,
            slope=self.slope,
            absolute=self.settings.ranking == "abs",
        )
        if isinstance(step, Tensor) or step != self.input_step:
            weights = weights * (step / self.input_step)
        if self.whole_map:
            flat = inputs.permute(0, 2, 3, 1).flatten(1)
            return (flat @ weights.flatten(1).t())[:, :, None, None]
        weights = weights.permute(0, 3, 1, 2)
        above, left, below, right = padding = self.padding
        if padding[:2] != padding[2:]:
            inputs = functional.pad(inputs, (left, right, above, below))
            padding = (0, 0)
        return functional.conv2d(
            inputs, weights, padding=padding[:2], stride=self.stride, groups=self.groups
        )
