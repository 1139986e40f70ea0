"""What the register's linearity leaves dependent: the exact figures that the page states."""

import numpy as np
import pytest
from support.page import page_says

from tombola.spec import lfsr
from tombola.spec.weight_stream import WeightSet, freeze_draws, negative

PAGE = "weight-stream.md"
FORMS = lfsr.sequence_rows(8 * 600)
SIGNS = WeightSet(id=0, out_channels=4, in_channels=512)


def rank(forms: list[int]) -> int:
    """Of linear forms over GF(2), each a mask."""
    basis: dict[int, int] = {}
    for form in forms:
        while form and form.bit_length() in basis:
            form ^= basis[form.bit_length()]
        if form:
            basis[form.bit_length()] = form
    return len(basis)


def draw(index: int) -> list[int]:
    """The eight linear forms of one freeze draw."""
    return FORMS[8 * index : 8 * index + 8]


def correlations(threshold: int) -> tuple[float, ...]:
    """Of the flags "below the threshold" of d[j], d[j+1], d[j+8]: means, pairs, triple.

    Exact over the register's period: the first two draws take all 2^16 pairs of values equally
    often (the all-zero state, which is left out, is one of 2^64) and give the third.
    """
    first, second = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    window = first | second << 8
    third = (window ^ window >> 1 ^ window >> 3 ^ window >> 4) & 255
    ratio = threshold / 256
    a, b, c = (
        ((values < threshold) - ratio) / np.sqrt(ratio * (1 - ratio))
        for values in (first, second, third)
    )
    return tuple(float((x * y).mean()) for x, y in ((a, b), (b, c), (a, c), (a * b, c)))


def test_five_signs_multiply_to_plus_and_64_in_a_row_are_independent():
    signs = np.where(negative(1, SIGNS), -1, 1)
    for apart in (1, 2, 4):
        x = [signs[:, apart * k :] for k in (0, 1, 3, 4, 64)]
        length = x[-1].shape[1]
        product = np.prod([part[:, :length] for part in x], axis=0)
        assert (product == 1).all()
    assert rank(FORMS[100:164]) == 64 and rank(FORMS[100:165]) == 64


def test_eight_draws_in_a_row_are_independent():
    assert rank(FORMS[800:864]) == 64


def test_draws_eight_apart_share_four_bits_and_no_others_do():
    short = {
        apart: 16 - rank(draw(0) + draw(apart))
        for apart in range(1, 590)
        if rank(draw(0) + draw(apart)) < 16
    }
    assert short == {8: 4}
    assert page_says(PAGE, "At all other distances up to 589 two draws are exactly independent")


def test_the_draw_eight_later_is_the_stated_function_of_two():
    draws = freeze_draws(1, SIGNS).astype(int)
    window = draws[:, :-8] | draws[:, 1:-7] << 8
    third = (window ^ window >> 1 ^ window >> 3 ^ window >> 4) & 255
    assert (third == draws[:, 8:]).all()


def test_flags_at_the_usual_ratio_hardly_notice():
    near, far, pair, triple = correlations(90)
    assert abs(near) < 1e-12 and abs(far) < 1e-12
    assert round(pair, 4) == 0.0019 and round(triple, 4) == -0.0002
    assert page_says(PAGE, ".0019 between j and j + 8")
    assert page_says(PAGE, "-.0002 for all three")


@pytest.mark.parametrize("threshold", [64, 128])
def test_flags_of_halves_and_quarters_are_independent(threshold):
    assert max(map(abs, correlations(threshold))) < 1e-12


def test_small_thresholds_are_the_worst():
    worst = {p: max(map(abs, correlations(p)[2:])) for p in range(1, 256)}
    assert max(worst, key=worst.__getitem__) == 1 and round(worst[1], 3) == 0.059
    assert max(worst[p] for p in range(13, 244)) < 0.02
    assert page_says(PAGE, "at P = 1 pair and triple reach .059")


def test_the_probability_that_all_three_are_pruned():
    first, second = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    window = first | second << 8
    third = (window ^ window >> 1 ^ window >> 3 ^ window >> 4) & 255
    share = float(((first < 90) & (second < 90) & (third < 90)).mean())
    assert round(share, 5) == 0.04358 and round((90 / 256) ** 3, 5) == 0.04345
    assert page_says(PAGE, "with probability .04358 where independent draws would give .04345")
