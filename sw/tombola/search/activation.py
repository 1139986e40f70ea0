"""Activations of a network under search: integers of a stated step, width and sign."""

import torch
from torch import Tensor, nn

from tombola.model.description import Activation, Sign
from tombola.search.norm import STATISTICS_RATE
from tombola.search.quantiser import floor_clamp, round_clamp, sign, unit_step
from tombola.spec.arithmetic import MAX_ACTIVATION_BITS, NumberType

BYTE = NumberType(bits=8, signed=False)


def _whole(steps: Tensor, type_: NumberType) -> Tensor:
    """Values in steps, with the half already added at 8 bits, to whole numbers."""
    low, high = type_.range
    if type_.bits == MAX_ACTIVATION_BITS:
        return floor_clamp(steps, low=low, high=high)
    return round_clamp(steps, low=low, high=high)


def _half(type_: NumberType) -> float:
    """What is added before the cheaper rounding of 8 bits."""
    return 0.5 if type_.bits == MAX_ACTIVATION_BITS else 0.0


class FixedQuantiser(nn.Module):
    """Integers of a step that never changes, from values that a norm has brought to variance 1.

    Parameters
    ----------
    type_ : NumberType
        Unsigned it is a ReLU.
    """

    def __init__(self, type_: NumberType) -> None:
        super().__init__()
        self.type = type_
        self.step = unit_step(type_.bits, signed=type_.signed)
        self.half = _half(type_)

    def forward(self, steps: Tensor) -> Tensor:
        """Values in steps, plus `half`, of any shape, to whole numbers; takes over its input."""
        return _whole(steps, self.type)

    def describe(self) -> Activation:
        """The activation of the ticket."""
        return Activation(step=self.step, type=self.type, clamp=self.type.range)


class RunningQuantiser(nn.Module):
    """Integers whose step follows the deviation of what comes in, where no norm sets that.

    In training, the root mean square of each batch enters a running one, the first as it is.

    Parameters
    ----------
    type_ : NumberType
        Unsigned it is a ReLU.
    """

    def __init__(self, type_: NumberType) -> None:
        super().__init__()
        self.type = type_
        self.register_buffer("step", torch.tensor(unit_step(type_.bits, signed=type_.signed)))
        self.register_buffer("seen", torch.tensor(False))

    def forward(self, values: Tensor) -> Tensor:
        """Real values of any shape to whole numbers."""
        if self.training:
            self._follow(values.detach())
        return _whole((values / self.step).add_(_half(self.type)), self.type)

    def _follow(self, values: Tensor) -> None:
        deviation = torch.linalg.vector_norm(values) / values.numel() ** 0.5
        # Where nothing comes in, or too much for a number, the step stays.
        if not torch.isfinite(deviation) or deviation == 0:
            return
        step = deviation * unit_step(self.type.bits, signed=self.type.signed)
        self.step = torch.lerp(self.step, step, STATISTICS_RATE) if self.seen else step
        self.seen = torch.ones_like(self.seen)

    def describe(self) -> Activation:
        """The activation of the ticket."""
        return Activation(step=float(self.step), type=self.type, clamp=self.type.range)


class SignQuantiser(nn.Module):
    """-1 below zero, else 1."""

    def __init__(self) -> None:
        super().__init__()
        self.type = Sign.type
        self.step = 1.0

    def forward(self, values: Tensor) -> Tensor:
        """Real values of any shape to -1 and 1."""
        return sign(values)

    def describe(self) -> Sign:
        """The activation of the ticket."""
        return Sign()


Quantiser = FixedQuantiser | RunningQuantiser | SignQuantiser
