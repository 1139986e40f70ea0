"""Exact integer arithmetic: requantisation, rounding and the bounds that prove nothing wraps.

The functions take numpy arrays and torch tensors alike (64-bit integers), so that the reference,
the PyTorch model and the compiler share one statement of each rule.
"""

from dataclasses import dataclass
from typing import Any

from tombola.spec.errors import ConfigError

SCALE_BITS = 16
BIAS_BITS = 32
LOGIT_BITS = 32
ACCUMULATOR_BITS = 32
MAX_SHIFT = 31
MAX_ACTIVATION_BITS = 8


def signed_range(bits: int) -> tuple[int, int]:
    """Lowest and highest value of a two's complement number of `bits` bits."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number that holds both `low` and `high`."""
    return max((~x if x < 0 else x).bit_length() for x in (low, high)) + 1


@dataclass(frozen=True, kw_only=True)
class NumberType:
    """Width and signedness of the integers of one tensor: activations 1 to 8 bits, logits 32."""

    bits: int
    signed: bool

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_ACTIVATION_BITS and (self.bits, self.signed) != (
            LOGIT_BITS,
            True,
        ):
            raise ConfigError(
                f"a number type has 1 to {MAX_ACTIVATION_BITS} bits, or {LOGIT_BITS} signed ones, "
                f"not {self.bits}{' signed' if self.signed else ' unsigned'}"
            )

    @property
    def range(self) -> tuple[int, int]:
        """Lowest and highest value."""
        return signed_range(self.bits) if self.signed else (0, (1 << self.bits) - 1)

    @property
    def magnitude(self) -> int:
        """Largest absolute value."""
        low, high = self.range
        return max(-low, high)


LOGITS = NumberType(bits=LOGIT_BITS, signed=True)


def half(shift: int) -> int:
    """What is added before shifting so that halves round up: 2^(shift-1), and 0 at shift 0."""
    return (1 << shift) >> 1


def requantise(
    accumulator: Any,
    scale: Any,
    bias: Any,
    *,
    shift: int,
    clamp: tuple[int, int] | None,
    residual: Any = 0,
    residual_scale: int = 0,
) -> Any:
    """``clamp((accumulator * scale + residual * residual_scale + bias + half) >> shift)``.

    Parameters
    ----------
    accumulator, residual : int64 array
        Exact sums, and the residual input of the same shape.
    scale, bias : int64 array
        Int16 and int32 values per channel, shaped to broadcast.
    shift : int
        0 to 31; the shift is arithmetic, so halves go towards plus infinity.
    clamp : (int, int) or None
        Bounds of the result, both inclusive; None for logits.
    """
    total = accumulator * scale + residual * residual_scale + bias + half(shift)
    total = total >> shift
    return total if clamp is None else total.clip(clamp[0], clamp[1])


def accumulator_bound(fan_in: int, input_type: NumberType, weight_magnitude: int) -> int:
    """Largest absolute value a sum of `fan_in` products can take."""
    return fan_in * input_type.magnitude * weight_magnitude


def raw_accumulator_bits(fan_in: int, weight_magnitude: int, *, operand_bits: int = 9) -> int:
    """Width of the engine's accumulator, in which a negative weight adds ``~a``.

    With a in -128 .. 255, which are 9 bits, a kept weight of value 1 adds a (at most 255) or
    -a - 1 (at least -256), and each plane doubles the sum so far, so |sum| <= fan_in * 256 *
    weight_magnitude. An engine that subtracts 128 from unsigned activations has operands of 8 bits.
    """
    low, high = signed_range(operand_bits)
    return signed_bits(fan_in * low * weight_magnitude, fan_in * high * weight_magnitude)
