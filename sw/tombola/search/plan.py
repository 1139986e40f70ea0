"""What a model computes, as the steps of a ticket: which layer reads which tensor."""

import enum
from dataclasses import dataclass

from torch import nn

from tombola.search.allocation import LayerSize

Shape = tuple[int, int, int]
"""Channels, height and width of one tensor."""
Pair = tuple[int, int]
"""Vertical and horizontal."""
Sides = tuple[int, int, int, int]
"""Zeros above, to the left, below and to the right."""


class Output(enum.Enum):
    """What becomes of a sum."""

    ACTIVATION = "activation"
    LINEAR = "linear"
    """Rounded, but neither side of zero is cut off."""
    LOGITS = "logits"


@dataclass(frozen=True, kw_only=True)
class Convolve:
    """``output(norm(convolution) + residual)``.

    Parameters
    ----------
    input : int
        Tensor read; 0 is the image, step i makes tensor i + 1.
    path : str
        Of the module with the weights; steps of one path share them.
    module : Conv2d or Linear
    size : LayerSize
    stride : (int, int)
    padding : (int, int, int, int)
        Zeros above, to the left, below and to the right.
    groups : int
    whole_map : bool
        True where the kernel covers the whole input.
    shape : (int, int, int)
        Of the tensor made.
    norm : BatchNorm1d, BatchNorm2d or None
    residual : int or None
        Tensor added.
    output : Output
    """

    input: int
    path: str
    module: nn.Conv2d | nn.Linear
    size: LayerSize
    stride: Pair
    padding: Sides
    groups: int
    whole_map: bool
    shape: Shape
    norm: nn.BatchNorm1d | nn.BatchNorm2d | None = None
    residual: int | None = None
    output: Output = Output.LINEAR


@dataclass(frozen=True, kw_only=True)
class PoolMax:
    """Largest value of each window."""

    input: int
    kernel: Pair
    stride: Pair
    padding: Pair
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class PoolAverage:
    """Mean of each window, padding counted as 0."""

    input: int
    kernel: Pair
    stride: Pair
    padding: Pair
    shape: Shape
    output: Output = Output.LINEAR


@dataclass(frozen=True, kw_only=True)
class Add:
    """A tensor and, perhaps, another."""

    input: int
    shape: Shape
    residual: int | None = None
    output: Output = Output.LINEAR


@dataclass(frozen=True, kw_only=True)
class Subsample:
    """Every `stride`-th pixel, and channels of zeros behind those there are: no weights to search.

    A ticket holds it as a convolution whose few weights are stored.
    """

    input: int
    stride: Pair
    shape: Shape


Step = Convolve | PoolMax | PoolAverage | Add | Subsample


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All steps of a model, for images of a shape; the last makes the logits."""

    shape: Shape
    steps: tuple[Step, ...]

    def readers(self, tensor: int) -> list[int]:
        """Steps that read a tensor."""
        return [
            index
            for index, step in enumerate(self.steps)
            if tensor in (step.input, getattr(step, "residual", None))
        ]
