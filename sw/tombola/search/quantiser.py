"""Integers during the search: rounded and clamped as the engine does, transparent to gradients."""

import torch
from torch import Tensor

from tombola.spec.errors import ConfigError


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


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, low: int, high: int) -> Tensor:
        ctx.save_for_backward(values)
        ctx.range = low - 0.5, high + 0.5
        return (values + 0.5).floor_().clamp_(low, high)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (values,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, values, *ctx.range), None, None


def round_clamp(values: Tensor, *, low: int, high: int) -> Tensor:
    """``clamp(floor(values + 1/2), low, high)``, for so few levels that most are bounds.

    The gradient passes where the value is less than a half beyond a bound, so that even the two
    levels of one bit let some of it through.

    Parameters
    ----------
    values : float tensor
        In steps of the output.
    """
    return _Round.apply(values, low, high)


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return torch.where(values < 0, -1.0, 1.0).to(values.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, values, -1.0, 1.0)


def sign(values: Tensor) -> Tensor:
    """-1 below zero, else 1; the gradient passes where abs(value) is below 1."""
    return _Sign.apply(values)


# For a normal deviate of variance 1 the best step of 2^(b+1) levels, to the next power of two
# (Max, "Quantizing for minimum distortion", 1960); at 8 bits twice that, for room above.
_STEPS = {1: 1, 2: 1 / 2, 3: 1 / 4, 4: 1 / 4, 5: 1 / 8, 6: 1 / 16, 7: 1 / 32, 8: 1 / 32}


def unit_step(bits: int, *, signed: bool) -> float:
    """Step of `bits` bits for values of variance 1: after ReLU unsigned, before it signed.

    Raises
    ------
    ConfigError
        If it is not 1 to 8 bits, or 2 to 8 signed ones.
    """
    least = 2 if signed else 1
    if not least <= bits <= max(_STEPS):
        kind = "signed activations" if signed else "activations"
        raise ConfigError(f"{kind} must have {least} to {max(_STEPS)} bits, not {bits}")
    return _STEPS[bits - signed]
