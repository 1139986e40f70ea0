"""The block of a residual network, run once or iterated, and what carries its input past it."""

from collections.abc import Sequence

import torch.nn.functional as functional
from torch import Tensor, nn


class Block(nn.Module):
    """``x <- relu(F(x) + shortcut(x))``, with F convolutions and batch norms.

    Iterated, the same convolutions run again, each time with batch norms of their own.

    Parameters
    ----------
    convolutions : sequence of Conv2d
        ReLU between them, none after the last.
    shortcut : Module
    iterations : int
    """

    def __init__(
        self, convolutions: Sequence[nn.Conv2d], *, shortcut: nn.Module, iterations: int = 1
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(conv.out_channels) for conv in convolutions)
            for _ in range(iterations)
        )
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width) to the channels of the last convolution."""
        for norms in self.norms:
            outputs = inputs
            for index, (conv, norm) in enumerate(zip(self.convolutions, norms, strict=True)):
                outputs = norm(conv(outputs if index == 0 else functional.relu(outputs)))
            inputs = functional.relu(outputs + self.shortcut(inputs))
        return inputs


class Subsample(nn.Module):
    """Every `stride`-th pixel, and channels of zeros behind those there are: no weights."""

    def __init__(self, *, stride: int, more_channels: int) -> None:
        super().__init__()
        self.stride, self.more_channels = stride, more_channels

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, height, width), fewer pixels and more channels."""
        kept = inputs[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.more_channels))


def basic(inputs: int, channels: int, *, stride: int) -> list[nn.Conv2d]:
    """Two 3x3 convolutions, the first one with the stride."""
    return [
        nn.Conv2d(inputs, channels, 3, stride=stride, padding=1, bias=False),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
    ]


EXPANSION = 4
"""Outputs of a bottleneck, in channels of its 3x3 convolution."""


def bottleneck(inputs: int, channels: int, *, stride: int) -> list[nn.Conv2d]:
    """1x1 to fewer channels, 3x3 with the stride, 1x1 to four times as many."""
    return [
        nn.Conv2d(inputs, channels, 1, bias=False),
        nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False),
        nn.Conv2d(channels, EXPANSION * channels, 1, bias=False),
    ]


def projection(inputs: int, outputs: int, *, stride: int) -> nn.Module:
    """A 1x1 convolution and a batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
    )
