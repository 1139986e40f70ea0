"""Integers during the search: rounded and clamped as the engine does, transparent to gradients."""

import torch
from torch import Tensor


class _FloorClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, low: int, high: int) -> Tensor:
        result = values.floor_().clamp_(low, high)
        ctx.mark_dirty(values)
        ctx.save_for_backward(result)
        ctx.range = low, high
        return result

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (result,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, result, *ctx.range), None, None


def floor_clamp(values: Tensor, *, low: int, high: int) -> Tensor:
    """``clamp(floor(values), low, high)``, in place; the caller has added the half.

    A floor after adding a half rounds halves up, like `tombola.spec.arithmetic.requantise`. The
    gradient passes unchanged where the result lies strictly between the bounds and is 0 elsewhere,
    so that ``low = 0`` is a ReLU.

    Parameters
    ----------
    values : float tensor
        In steps of the output, not needed by the gradient of what made it.
    """
    return _FloorClamp.apply(values, low, high)
