"""What the ready-made networks share: linear stacks, widths, and checks of their sizes."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from tombola.spec.errors import ConfigError


def check(*, shape: tuple[int, int, int], classes: int) -> None:
    """Refuses an image or a number of classes below 1.

    Raises
    ------
    ConfigError
    """
    if len(shape) != 3 or min(shape) < 1:
        raise ConfigError(f"shape must be channels, height and width of at least 1, not {shape}")
    if classes < 1:
        raise ConfigError(f"classes must be at least 1, not {classes}")


def image_size(shape: tuple[int, int, int]) -> int:
    """Values of an image."""
    return math.prod(shape)


def widened(channels: int, width: float) -> int:
    """``width`` times as many channels, rounded, and at least 1.

    Raises
    ------
    ConfigError
        If the width is not above 0, or there are no channels to widen.
    """
    if width <= 0:
        raise ConfigError(f"width must be above 0, not {width:g}")
    if channels < 1:
        raise ConfigError(f"a layer must have at least 1 channel, not {channels}")
    return max(1, round(channels * width))


def dense_stack(sizes: Sequence[int], *, batch_norm: bool) -> list[nn.Module]:
    """Linear layers without bias from size to size; batch norm and ReLU between them."""
    modules: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        modules.append(nn.Linear(inputs, outputs, bias=False))
        if index < len(sizes) - 2:
            if batch_norm:
                modules.append(nn.BatchNorm1d(outputs))
            modules.append(nn.ReLU())
    return modules
