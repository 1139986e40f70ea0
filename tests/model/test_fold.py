"""Real factors to integers: as large a shift as fits, halves up, bounds kept."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tombola.model.fold import (
    MOST_BIAS,
    MOST_LOGIT,
    MOST_SCALE,
    fold,
    fold_logits,
    fold_sign,
    nearest,
)
from tombola.spec.errors import ConfigError

SMALL = st.floats(min_value=-200, max_value=200, allow_nan=False, width=32)
CHANNELS = st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=8)


def test_nearest_rounds_halves_up():
    assert nearest(np.array([0.5, -0.5, 1.5, -1.5, 2.4, -2.6])).tolist() == [1, 0, 2, -1, 2, -3]


def test_hand_computed():
    folded = fold(np.array([0.75, -0.1]), np.array([2.5, -1.0]))
    # 0.75 * 2^15 = 24576 fits 16 bits, 0.75 * 2^16 does not.
    assert folded.shift == 15
    assert folded.scale.tolist() == [24576, -3277]
    assert folded.bias.tolist() == [81920, -32768]
    assert folded.residual_scale == 0


def test_the_residual_limits_the_shift_too():
    assert fold(np.array([2.0**-10]), np.zeros(1), residual=1.0).shift == 14
    assert fold(np.array([2.0**-10]), np.zeros(1)).shift == 24


def test_the_bias_limits_the_shift_too():
    assert fold(np.array([2.0**-20]), np.array([8.0])).shift == 27


def test_an_all_zero_table_takes_the_largest_shift():
    assert fold(np.zeros(3), np.zeros(3)).shift == 31


@given(CHANNELS, SMALL)
def test_shift_is_the_largest_that_fits_and_the_error_half_a_unit(channels, residual):
    multiplier, offset = np.array(channels, dtype=np.float64).T
    folded = fold(multiplier, offset, residual=residual)
    unit = 2.0**-folded.shift
    assert np.abs(folded.scale * unit - multiplier).max() <= unit / 2
    assert np.abs(folded.bias * unit - offset).max() <= unit / 2
    assert abs(folded.residual_scale * unit - residual) <= unit / 2
    if folded.shift < 31:
        twice = 2.0 ** (folded.shift + 1)
        assert (
            np.abs(nearest(multiplier * twice)).max() > MOST_SCALE
            or np.abs(nearest(offset * twice)).max() > MOST_BIAS
            or abs(int(nearest(np.array(residual * twice)))) > MOST_SCALE
        )


def test_numbers_that_never_fit_are_refused():
    message = (
        "scales up to 40000 and biases up to 0 steps do not fit 16 and 32 bits; "
        "use a larger activation step"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        fold(np.array([40000.0]), np.zeros(1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ConfigError, match="not a finite number; the network has diverged"):
        fold(np.array([bad]), np.zeros(1))
    with pytest.raises(ConfigError, match="not a finite number; the network has diverged"):
        fold_logits(np.ones(1), np.array([bad]), sum_bound=1)


def test_equal_logit_scales_become_one():
    folded = fold_logits(np.full(10, 0.013), np.zeros(10), sum_bound=1 << 30)
    assert folded.scale.tolist() == [1] * 10
    assert not folded.bias.any()
    assert folded.shift == 0


@given(CHANNELS, SMALL, st.integers(min_value=1, max_value=1 << 30), st.integers(0, 255))
def test_logits_stay_in_proportion_and_within_32_bits(channels, residual, bound, other):
    multiplier, offset = np.array(channels, dtype=np.float64).T
    folded = fold_logits(
        multiplier, offset, sum_bound=bound, residual=residual, residual_bound=other
    )
    assert folded.shift == 0
    reach = np.abs(folded.scale.astype(np.int64)) * bound + np.abs(folded.bias.astype(np.int64))
    assert reach.max() + abs(folded.residual_scale) * other <= MOST_LOGIT


def signs(folded, sums, residual=0):
    total = sums[:, None] * folded.scale.astype(np.int64) + folded.bias
    return (total + residual * folded.residual_scale).clip(-1, 1)


def test_a_sign_is_a_threshold_by_hand():
    # 2 sum - 5 >= 0 from sum 3; -2 sum + 5 >= 0 up to sum 2; no weights: the sign of the offset.
    folded = fold_sign(np.array([2.0, -2.0, 0.0, 0.0]), np.array([-5.0, 5.0, -0.1, 0.0]))
    assert folded.scale.tolist() == [2, -2, 0, 0]
    assert folded.bias.tolist() == [-5, 5, -1, 1]
    assert (folded.shift, folded.residual_scale) == (0, 0)
    assert signs(folded, np.array([2, 3])).tolist() == [[-1, 1, -1, 1], [1, -1, -1, 1]]


def test_a_sum_of_exactly_zero_is_positive():
    folded = fold_sign(np.array([1.0, -1.0]), np.array([-3.0, 3.0]))
    assert signs(folded, np.array([3])).tolist() == [[1, 1]]


@given(CHANNELS)
def test_a_sign_is_exact_for_every_sum(channels):
    multiplier, offset = np.array(channels, dtype=np.float64).T
    folded = fold_sign(multiplier, offset)
    sums = np.arange(-300, 301)
    real = sums[:, None] * multiplier + offset
    clear = np.abs(real) > 1e-9 * (1 + np.abs(offset))
    expected = np.where(real < 0, -1, 1)
    assert (signs(folded, sums)[clear] == expected[clear]).all()
    assert (np.abs(signs(folded, sums)) == 1).all()


@given(CHANNELS, SMALL, st.integers(-255, 255))
def test_a_sign_behind_a_residual_is_never_zero_and_right_but_for_rounding(channels, factor, value):
    multiplier, offset = np.array(channels, dtype=np.float64).T
    folded = fold_sign(multiplier, offset, residual=factor)
    assert np.abs(folded.scale.astype(int)).max() <= MOST_SCALE
    assert abs(folded.residual_scale) <= MOST_SCALE
    sums = np.arange(-100, 101)
    found = signs(folded, sums, value)
    assert (np.abs(found) == 1).all()
    real = sums[:, None] * multiplier + offset + factor * value
    largest = max(np.abs(multiplier).max(), abs(factor))
    # 14 bits of the largest factor, for a sum, a residual and an offset.
    clear = np.abs(real) > largest * 2.0**-13 * (np.abs(sums)[:, None] + abs(value) + 2)
    assert (found[clear] == np.where(real < 0, -1, 1)[clear]).all()
