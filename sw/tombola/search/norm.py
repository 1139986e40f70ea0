"""What stands between a convolution and its activation: batch norms of several kinds, or none."""

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tombola.model.description import Affine

NORMS = ("plain", "affine", "folded", "frozen", "refreshed", "none")
STATISTICS_RATE = 0.1
"""Part of a batch's mean and variance that enters the running ones, where a norm names none."""
EPSILON = 1e-5


class BatchNorm(nn.Module):
    """Batch norm, without learned factors or with.

    Without, `scale` and `shift` stand in their place: the steps of the output in one, and the half
    for rounding, so that a norm costs no more than PyTorch's.

    Parameters
    ----------
    channels : int
    affine : bool
    scale, shift : float
        The result is ``scale * normalised + shift``; 1 and 0 where it is affine.
    like : BatchNorm1d, BatchNorm2d or None
        Names epsilon and rate, and where the factors start.
    trained : bool
        Whether factors stay those of `like`, and statistics start from its own.
    bias : float tensor (channels,) or None
        What the convolution ahead of `like` adds and the one ahead of this norm does not.
    """

    def __init__(
        self,
        channels: int,
        *,
        affine: bool = False,
        scale: float = 1.0,
        shift: float = 0.0,
        like: nn.BatchNorm1d | nn.BatchNorm2d | None = None,
        trained: bool = False,
        bias: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.epsilon = EPSILON if like is None else like.eps
        self.rate = STATISTICS_RATE if like is None or like.momentum is None else like.momentum
        self.affine = affine or trained
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        factors, offsets = torch.full((channels,), scale), torch.full((channels,), shift)
        if trained and like is not None:
            if like.running_mean is not None:
                self.mean.copy_(like.running_mean)
                if bias is not None:
                    self.mean -= bias.detach()
                self.variance.copy_(like.running_var)
            if like.affine:
                factors, offsets = like.weight.detach().clone(), like.bias.detach().clone()
        if affine:
            learned = like is not None and like.affine
            self.factors = nn.Parameter(like.weight.detach().clone() if learned else factors)
            self.offsets = nn.Parameter(like.bias.detach().clone() if learned else offsets)
        else:
            self.register_buffer("factors", factors, persistent=False)
            self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width), of the shape of the input."""
        return functional.batch_norm(
            inputs,
            self.mean,
            self.variance,
            self.factors,
            self.offsets,
            self.training,
            self.rate,
            self.epsilon,
        )

    def describe(self) -> Affine:
        """The norm at rest, in real values: `scale` and `shift` are not part of it."""
        return Affine.batch_norm(
            _numbers(self.mean),
            _numbers(self.variance),
            epsilon=self.epsilon,
            gamma=_numbers(self.factors) if self.affine else None,
            beta=_numbers(self.offsets) if self.affine else None,
        )


class FrozenNorm(nn.Module):
    """``slope[c] * x + offset[c]``, which the search does not change.

    Parameters
    ----------
    slope, offset : float tensors (channels,)
    """

    def __init__(self, slope: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope[:, None, None])
        self.register_buffer("offset", offset[:, None, None])

    @classmethod
    def of(
        cls, norm: nn.BatchNorm1d | nn.BatchNorm2d | None, bias: Tensor | None, channels: int
    ) -> "FrozenNorm":
        """A trained norm at rest, behind the bias of a convolution; either may be missing."""
        slope, offset = torch.ones(channels), torch.zeros(channels)
        if norm is not None and norm.running_mean is not None:
            slope = (norm.running_var.detach() + norm.eps).rsqrt()
            offset = -norm.running_mean.detach() * slope
        if norm is not None and norm.affine:
            slope, offset = slope * norm.weight.detach(), offset * norm.weight.detach()
            offset = offset + norm.bias.detach()
        if bias is not None:
            offset = offset + slope * bias.detach()
        return cls(slope, offset)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width), of the shape of the input."""
        return inputs * self.slope + self.offset

    def describe(self) -> Affine:
        """The norm as a slope and an offset."""
        return Affine(slope=_numbers(self.slope), offset=_numbers(self.offset))


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().flatten().cpu().double().numpy()
