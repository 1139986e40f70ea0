"""A float network described for export: no framework, no search, only what a ticket needs."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from tombola.spec.arithmetic import NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Input, Window
from tombola.spec.weight_stream import WeightSet


@dataclass(frozen=True, kw_only=True)
class Affine:
    """``slope[c] * x + offset[c]``: a batch norm at rest.

    Parameters
    ----------
    slope, offset : float64 array (channels,)
    """

    slope: np.ndarray
    offset: np.ndarray

    @classmethod
    def batch_norm(
        cls,
        mean: np.ndarray,
        variance: np.ndarray,
        *,
        epsilon: float,
        gamma: np.ndarray | None = None,
        beta: np.ndarray | None = None,
    ) -> "Affine":
        """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``; without gamma 1, beta 0."""
        slope = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
        if gamma is not None:
            slope = slope * gamma.astype(np.float64)
        offset = -mean.astype(np.float64) * slope
        return cls(slope=slope, offset=offset if beta is None else offset + beta)


@dataclass(frozen=True, kw_only=True)
class Activation:
    """Integers q of one tensor that stand for the real values ``step * q``.

    ReLU is a clamp whose low bound is 0.
    """

    step: float
    type: NumberType = field(default_factory=lambda: NumberType(bits=8, signed=False))
    clamp: tuple[int, int] = (0, 255)


@dataclass(frozen=True)
class Sign:
    """-1 where the real value is below zero, else 1."""

    type: ClassVar[NumberType] = NumberType(bits=2, signed=True)
    clamp: ClassVar[tuple[int, int]] = (-1, 1)
    step: ClassVar[float] = 1.0


@dataclass(frozen=True, kw_only=True)
class FloatConv:
    """``activation(norm(convolution) + residual)``.

    Parameters
    ----------
    input : int
        Tensor read; 0 is the network's input, layer i makes tensor i + 1.
    weight_set : WeightSet
    weights : integer array (out, positions)
        Signed values in stream order, 0 where dropped, in units of `constant`.
    coding : Coding
    constant : float, or float64 array (out,)
        Real value of a weight 1, in all channels or in each.
    norm : Affine or None
    activation : Activation, Sign or None
        None for the last layer, whose sums leave as logits.
    window : Window
    groups : int
    residual : int or None
        Tensor added before the activation.
    """

    input: int
    weight_set: WeightSet
    weights: np.ndarray
    constant: float | np.ndarray
    coding: Coding = field(default_factory=lambda: Coding(coats=1))
    norm: Affine | None = None
    activation: Activation | Sign | None = None
    window: Window = field(default_factory=Window)
    groups: int = 1
    residual: int | None = None


@dataclass(frozen=True, kw_only=True)
class FloatMaxPool:
    """Largest value of each window; keeps the step of its input."""

    input: int
    kernel: tuple[int, int]
    window: Window


@dataclass(frozen=True, kw_only=True)
class FloatAveragePool:
    """Mean over each window, padding counted as 0; None as activation makes logits."""

    input: int
    kernel: tuple[int, int]
    window: Window
    activation: Activation | Sign | None


@dataclass(frozen=True, kw_only=True)
class FloatAdd:
    """A tensor plus an optional residual, requantised."""

    input: int
    activation: Activation | Sign | None
    residual: int | None = None


FloatLayer = FloatConv | FloatMaxPool | FloatAveragePool | FloatAdd


@dataclass(frozen=True, kw_only=True)
class FloatNetwork:
    """A whole network. `input_step` is the real value of an input table's value 1."""

    seed: int
    input: Input
    input_step: float
    classes: tuple[str, ...]
    layers: tuple[FloatLayer, ...]
    provenance: dict[str, str | int | float] = field(default_factory=dict)
