"""Layers of a network under search, each making one tensor of whole numbers, or the logits."""

from typing import NamedTuple

import torch.nn.functional as functional
from torch import Tensor, nn

from tombola.search.activation import Quantiser
from tombola.search.masked_conv import MaskedConv
from tombola.search.norm import BatchNorm, FrozenNorm
from tombola.search.quantiser import floor_clamp
from tombola.spec.arithmetic import MAX_ACTIVATION_BITS, NumberType


class Map(NamedTuple):
    """A tensor between two layers, (batch, channels, height, width), and the real value of its 1.

    Logits are real values themselves.
    """

    values: Tensor
    step: Tensor | float

    @property
    def real(self) -> Tensor:
        """The real values."""
        return self.values * self.step


def _quantised(values: Tensor, quantiser: Quantiser | None) -> Map:
    if quantiser is None:
        return Map(values, 1.0)
    # The step is read after the values, since a running one follows them.
    whole = quantiser(values)
    return Map(whole, quantiser.step)


class ConvLayer(nn.Module):
    """``quantiser(norm(convolution) + residual)``; without a quantiser, logits.

    Parameters
    ----------
    conv : MaskedConv
        A folded one belongs to several layers.
    norm : BatchNorm, FrozenNorm or None
    quantiser : Quantiser or None
    pool : MaxPool2d or None
        A max pooling that follows and is made before the rounding: which value is the largest does
        not change by it, and it has fewer values to visit.
    """

    def __init__(
        self,
        conv: MaskedConv,
        *,
        norm: BatchNorm | FrozenNorm | None,
        quantiser: Quantiser | None,
        pool: nn.MaxPool2d | None = None,
    ) -> None:
        super().__init__()
        self.conv, self.norm, self.quantiser, self.pool = conv, norm, quantiser, pool

    def forward(self, source: Map, residual: Map | None = None) -> Map:
        """One map, and perhaps another of the shape that the convolution makes."""
        # Where convolutions compute in half precision, nothing else does.
        values = self.conv(source.values, source.step).float()
        if self.norm is not None:
            values = self.norm(values)
        if residual is not None:
            values = values + residual.real
        if self.pool is not None:
            values = self.pool(values)
        return _quantised(values, self.quantiser)


class AddLayer(nn.Module):
    """A tensor plus, perhaps, another, requantised; without a quantiser, logits."""

    def __init__(self, *, quantiser: Quantiser | None) -> None:
        super().__init__()
        self.quantiser = quantiser

    def forward(self, source: Map, residual: Map | None = None) -> Map:
        """Maps of one shape."""
        values = source.real if residual is None else source.real + residual.real
        return _quantised(values, self.quantiser)


class MaxLayer(nn.Module):
    """Largest value of each window; nothing where the layer before has done it already."""

    def __init__(self, pool: nn.MaxPool2d | None) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, source: Map) -> Map:
        """A map of as many channels."""
        return source if self.pool is None else Map(self.pool(source.values), source.step)


class AverageLayer(nn.Module):
    """Mean of each window, padding counted as 0, halves up; or logits.

    Of inputs with fewer than 8 bits the mean has 8, and as much smaller a step.

    Parameters
    ----------
    pool : AvgPool2d
    source : NumberType
        Of the input.
    logits : bool
    """

    def __init__(self, pool: nn.AvgPool2d, *, source: NumberType, logits: bool = False) -> None:
        super().__init__()
        self.pool, self.logits = pool, logits
        self.type = NumberType(bits=MAX_ACTIVATION_BITS, signed=source.signed)
        self.ratio = 1 << (MAX_ACTIVATION_BITS - source.bits)

    def forward(self, source: Map) -> Map:
        """A map of as many channels."""
        mean = self.pool(source.values)
        if self.logits:
            return Map(mean * source.step, 1.0)
        if self.ratio > 1:
            mean = mean * self.ratio
        low, high = self.type.range
        return Map(floor_clamp(mean + 0.5, low=low, high=high), source.step / self.ratio)


class SubsampleLayer(nn.Module):
    """Every so many-th row and column, and channels of zeros behind those there are.

    Parameters
    ----------
    stride : (int, int)
    channels : int
        Of the result.
    """

    def __init__(self, stride: tuple[int, int], *, channels: int) -> None:
        super().__init__()
        self.stride, self.channels = stride, channels

    def forward(self, source: Map) -> Map:
        """A map of `channels` channels."""
        taken = source.values[:, :, :: self.stride[0], :: self.stride[1]]
        more = self.channels - taken.shape[1]
        return Map(functional.pad(taken, (0, 0, 0, 0, 0, more)), source.step)
