"""Sums to the next 8-bit activations, by the very fixed-point factor of the ticket."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tombola.model.fold import fold
from tombola.spec.arithmetic import NumberType


@dataclass(frozen=True, kw_only=True)
class Factor:
    """An activation is ``floor(sum * scale / 2^shift + 1/2)``, from `low` to the type's most.

    `low` is 0 for a ReLU, else the least of the type.
    """

    scale: int
    shift: int
    type: NumberType
    low: int

    @property
    def real(self) -> float:
        """What a sum of 1 comes to."""
        return self.scale / (1 << self.shift)


def factor_of(sums: Tensor, *, signed: bool) -> Factor:
    """The factor at which the largest sum takes the last but one value of 8 bits.

    The very last one is left free, since a value at a bound passes no gradient. Sums below 0 do not
    count where the result is unsigned; they become 0.
    """
    kind = NumberType(bits=8, signed=signed)
    largest = float((sums.abs() if signed else sums).max())
    folded = fold(np.array([(kind.range[1] - 1) / max(largest, 1.0)]), np.zeros(1))
    low = kind.range[0] if signed else 0
    return Factor(scale=int(folded.scale[0]), shift=folded.shift, type=kind, low=low)


class _Requantised(torch.autograd.Function):
    @staticmethod
    def forward(ctx, sums: Tensor, factor: Factor) -> Tensor:
        # A sum has less than 24 bits and a scale 15: binary64 holds their product and its half.
        values = sums.to(torch.float64).mul_(factor.real).add_(0.5).floor_()
        result = values.clamp_(factor.low, factor.type.range[1]).to(sums.dtype)
        ctx.save_for_backward(result)
        ctx.factor = factor
        return result

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        low, high = ctx.factor.low, ctx.factor.type.range[1]
        return torch.ops.aten.hardtanh_backward(gradient * ctx.factor.real, result, low, high), None


def requantise(sums: Tensor, factor: Factor) -> Tensor:
    """Whole numbers of 8 bits, exactly those of `tombola.spec.arithmetic.requantise`.

    The gradient passes, times the factor, where the result lies strictly between its bounds.

    Parameters
    ----------
    sums : float tensor of whole numbers below 2^24
    factor : Factor
    """
    return _Requantised.apply(sums, factor)
