"""Rounding and signs with their gradients, by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.quantiser import floor_clamp, round_clamp, sign, unit_step
from tombola.spec.arithmetic import requantise
from tombola.spec.errors import ConfigError


def test_floor_clamp_and_its_gradient():
    values = torch.tensor([-3.0, 0.49, 0.5, 1.0, 254.9, 255.0, 300.0], requires_grad=True)
    result = floor_clamp(values + 0.5, low=0, high=255)
    assert result.tolist() == [0.0, 0.0, 1.0, 1.0, 255.0, 255.0, 255.0]
    result.backward(torch.ones(7))
    assert values.grad.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_round_clamp_and_its_gradient():
    values = torch.tensor([-0.6, -0.4, 0.49, 0.5, 1.4, 1.6], requires_grad=True)
    result = round_clamp(values, low=0, high=1)
    assert result.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    result.backward(torch.ones(6))
    assert values.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert values.tolist()[0] == pytest.approx(-0.6)  # not in place


def test_sign_and_its_gradient():
    values = torch.tensor([-2.0, -0.5, -0.0, 0.0, 0.5, 2.0], requires_grad=True)
    result = sign(values)
    assert result.tolist() == [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]
    result.backward(torch.ones(6))
    assert values.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]


@given(st.integers(-(2**20), 2**20), st.integers(0, 12), st.sampled_from([(0, 255), (-8, 7)]))
def test_rounds_like_the_integer_arithmetic(value, shift, clamp):
    exact = requantise(np.int64(value), np.int64(1), np.int64(0), shift=shift, clamp=clamp)
    real = torch.tensor([value / 2.0**shift], dtype=torch.float64)
    low, high = clamp
    assert floor_clamp(real + 0.5, low=low, high=high).item() == exact
    assert round_clamp(real, low=low, high=high).item() == exact


def test_steps_of_unit_variance():
    assert unit_step(8, signed=False) == 1 / 32
    assert unit_step(8, signed=True) == unit_step(7, signed=False)
    for signed in (False, True):
        steps = [unit_step(bits, signed=signed) for bits in range(2, 9)]
        assert steps == sorted(steps, reverse=True)
    # The best step of a normal deviate, to a factor of 2: Max 1960, for 4, 16 and 64 levels.
    for bits, best in ((2, 0.9957), (4, 0.3352), (6, 0.1041)):
        assert 1 / 2 < unit_step(bits, signed=True) / best < 2


@pytest.mark.parametrize(
    ("bits", "signed", "message"),
    [
        (0, False, "activations must have 1 to 8 bits, not 0"),
        (9, False, "activations must have 1 to 8 bits, not 9"),
        (1, True, "signed activations must have 2 to 8 bits, not 1"),
    ],
)
def test_bits_out_of_range(bits, signed, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        unit_step(bits, signed=signed)
