"""Requantisation, its rounding, and the bounds that say nothing can wrap."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.page import known_answer

from tombola.spec import arithmetic
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.errors import ConfigError


def test_requantisation_is_that_of_the_page():
    for *numbers, low, high, result in known_answer("ticket-format.md", "requantisation"):
        accumulator, scale, residual, residual_scale, bias, shift = numbers
        got = arithmetic.requantise(
            np.int64(accumulator),
            np.int64(scale),
            np.int64(bias),
            shift=shift,
            clamp=None if low is None else (low, high),
            residual=np.int64(residual),
            residual_scale=residual_scale,
        )
        assert int(got) == result


@given(
    st.integers(-(2**31) + 1, 2**31 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 31),
)
def test_the_result_is_the_nearest_integer_and_halves_go_up(accumulator, scale, bias, shift):
    exact = accumulator * scale + bias  # no bound: Python's integers
    got = arithmetic.requantise(
        np.int64(accumulator), np.int64(scale), np.int64(bias), shift=shift, clamp=None
    )
    # floor(exact / 2^shift + 1/2), in integers
    assert int(got) == math.floor((2 * exact + (1 << shift)) // (1 << (shift + 1)))
    assert abs((int(got) << shift) - exact) * 2 <= 1 << shift


def test_halves_of_both_signs_go_up():
    for value, result in ((1, 1), (3, 2), (-1, 0), (-3, -1), (2, 1), (-2, -1)):
        got = arithmetic.requantise(np.int64(value), 1, 0, shift=1, clamp=None)
        assert int(got) == result


def test_half_is_0_without_a_shift():
    assert [arithmetic.half(shift) for shift in (0, 1, 2, 31)] == [0, 1, 2, 1 << 30]


@given(st.integers(-1000, 1000), st.integers(-50, 50), st.integers(0, 50))
def test_the_clamp_includes_both_ends(value, low, width):
    got = arithmetic.requantise(np.int64(value), 1, 0, shift=0, clamp=(low, low + width))
    assert int(got) == sorted((low, value, low + width))[1]


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
def test_a_number_type_has_the_range_of_its_bits(bits, signed):
    number = NumberType(bits=bits, signed=signed)
    low, high = number.range
    assert high - low == 2**bits - 1 and (low == 0) != signed
    assert number.magnitude == max(abs(low), abs(high))


@pytest.mark.parametrize(
    ("bits", "signed", "shown"),
    [
        (0, False, "0 unsigned"),
        (9, True, "9 signed"),
        (32, False, "32 unsigned"),
        (-1, True, "-1 signed"),
    ],
)
def test_other_number_types_are_refused(bits, signed, shown):
    with pytest.raises(ConfigError) as caught:
        NumberType(bits=bits, signed=signed)
    assert str(caught.value) == (f"a number type has 1 to 8 bits, or 32 signed ones, not {shown}")


def test_logits_are_32_bits():
    assert LOGITS.range == (-(2**31), 2**31 - 1)


@given(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_signed_bits_are_just_enough(one, other):
    low, high = min(one, other), max(one, other)
    bits = arithmetic.signed_bits(low, high)
    least, most = arithmetic.signed_range(bits)
    assert least <= low and high <= most
    if bits > 1:
        least, most = arithmetic.signed_range(bits - 1)
        assert low < least or most < high


@pytest.mark.parametrize("number", [NumberType(bits=2, signed=s) for s in (False, True)], ids=str)
@pytest.mark.parametrize("magnitude", [1, 2, 3])
def test_no_sum_passes_the_bound_and_one_reaches_it(number, magnitude):
    low, high = number.range
    products = [a * w for a in range(low, high + 1) for w in range(-magnitude, magnitude + 1)]
    sums = [sum(three) for three in itertools.product(set(products), repeat=3)]
    assert max(map(abs, sums)) == arithmetic.accumulator_bound(3, number, magnitude)


@pytest.mark.parametrize("magnitude", [1, 2, 3])
def test_no_sum_of_complements_leaves_the_raw_accumulator(magnitude):
    # What the array does: planes from the most significant, each doubling the sum so far.
    planes = magnitude.bit_length()
    terms = set()
    for activation in (-128, 0, 255):
        for value, negative in itertools.product(range(magnitude + 1), (False, True)):
            total = 0
            for plane in reversed(range(planes)):
                kept = value >> plane & 1
                total = 2 * total + kept * (~activation if negative else activation)
            terms.add(total)
    bits = arithmetic.raw_accumulator_bits(3, magnitude)
    low, high = arithmetic.signed_range(bits)
    for three in itertools.product((min(terms), max(terms)), repeat=3):
        assert low <= sum(three) <= high
    assert 3 * min(terms) < arithmetic.signed_range(bits - 1)[0]


def test_a_table_entry_holds_every_bias_that_a_ticket_can_ask_for():
    # Bias, half, and scale times the negative weights of a channel: fan-in x magnitude < 2^31.
    worst = 2**31 + 2**30 + 2**15 * (2**31 - 1)
    assert worst < 2**47
