"""What the ready-made networks share: linear stacks, widths, and checks of their sizes."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from tombola.spec.errors import ConfigError
from tombola.spec.layer_rules import MAX_SIDE


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
        If the width is not above 0, there are no channels to widen, or more than a ticket holds.
    """
    if not 0 < width < math.inf:
        raise ConfigError(f"width must be above 0 and finite, not {width:g}")
    if channels < 1:
        raise ConfigError(f"a layer must have at least 1 channel, not {channels}")
    wide = max(1, round(channels * width))
    if wide >= MAX_SIDE:
        raise ConfigError(
            f"width {width:g} makes {wide} of {channels} channels, but a layer of a ticket has at "
            f"most {MAX_SIDE - 1}; lower it"
        )
    return wide


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
