"""The register: its recurrence against the published table, its period, its leaps and words."""

from itertools import pairwise

import numpy as np
import pytest
from support.page import known_answer

from tombola.spec import lfsr
from tombola.spec.errors import ConfigError

PAGE = "weight-stream.md"
PUBLISHED_TAPS = (64, 63, 61, 60)
"""Xilinx XAPP 052, table 3, the row of 64 bits; stage 1 takes the feedback, stage 64 is oldest."""
FACTORS = (3, 5, 17, 257, 641, 65537, 6700417)
"""Of 2^64 - 1: the five Fermat numbers F0 .. F4 and the two factors of F5."""


def bits(state: int, length: int) -> list[int]:
    """The sequence one bit at a time, from the recurrence as the page writes it."""
    x = [state >> i & 1 for i in range(64)]
    for n in range(length):
        x.append(x[n] ^ x[n + 1] ^ x[n + 3] ^ x[n + 4])
    return x


def value(x: list[int]) -> int:
    return sum(bit << i for i, bit in enumerate(x))


def test_taps_are_those_of_the_published_table():
    # Stage s holds the bit that entered s steps ago, so x[n + 64 - s] when x[n + 64] enters.
    assert sorted(64 - tap for tap in PUBLISHED_TAPS) == list(lfsr.RECURRENCE)


def times(a: int, b: int, modulus: int) -> int:
    """Product of two polynomials over GF(2), bit i the coefficient of z^i."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a >> 64 & 1:
            a ^= modulus
    return product


def power(exponent: int, modulus: int) -> int:
    """z to an exponent."""
    result, square = 1, 2
    while exponent:
        if exponent & 1:
            result = times(result, square, modulus)
        square = times(square, square, modulus)
        exponent >>= 1
    return result


def test_the_polynomial_is_primitive():
    assert np.prod([int(f) for f in FACTORS], dtype=object) == 2**64 - 1
    polynomial = 1 << 64 | sum(1 << tap for tap in lfsr.RECURRENCE)
    assert power(2**64 - 1, polynomial) == 1
    for factor in FACTORS:
        assert power((2**64 - 1) // factor, polynomial) != 1


def test_the_check_of_primitivity_refuses_other_polynomials():
    # No trinomial whose degree is a multiple of 8 is irreducible (Swan 1962).
    for middle in range(1, 64):
        polynomial = 1 << 64 | 1 << middle | 1
        assert power(2**64 - 1, polynomial) != 1 or any(
            power((2**64 - 1) // factor, polynomial) == 1 for factor in FACTORS
        )


def test_steps_are_those_of_the_page():
    for states in known_answer(PAGE, "lfsr-steps"):
        for before, after in pairwise(states):
            assert lfsr.step(int(before, 16)) == int(after, 16)


def test_step_is_the_recurrence():
    state = 0xC0FFEE0123456789
    x = bits(state, 300)
    for n in range(300):
        assert state == value(x[n : n + 64])
        state = lfsr.step(state)


def leap(state: int, count: int) -> int:
    return value([(state & row).bit_count() & 1 for row in lfsr.leap_rows(count)])


@pytest.mark.parametrize("count", [*range(0, 66), 96, 127, 128, 255, 256, 257, 1000])
def test_a_leap_is_so_many_steps(count):
    # Linear maps are equal if they agree on a basis; a random state is looked at as well.
    for state in [1 << i for i in range(0, 64, 7)] + [0xFEDCBA9876543210]:
        expected = state
        for _ in range(count):
            expected = lfsr.step(expected)
        assert leap(state, count) == expected


def test_every_basis_state_leaps_by_32_and_256():
    for count in (32, 256):
        for i in range(64):
            x = bits(1 << i, count)
            assert leap(1 << i, count) == value(x[count : count + 64])


def test_leaps_are_those_of_the_page():
    for answer in known_answer(PAGE, "leaps"):
        start, end = int(answer["from"], 16), int(answer["to"], 16)
        assert leap(start, answer["steps"]) == end
        x = bits(start, answer["steps"])
        assert value(x[-64:]) == end


def test_a_leap_of_60_costs_one_exclusive_or_of_four_a_bit():
    assert max(row.bit_count() for row in lfsr.leap_rows(60)) == 4
    assert max(row.bit_count() for row in lfsr.leap_rows(61)) > 4


def test_leap_refuses_to_go_back():
    with pytest.raises(ConfigError) as caught:
        lfsr.leap_rows(-1)
    assert str(caught.value) == "a leap counts steps forward, not -1"


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 124, 125, 128, 300, 1000])
def test_words_are_the_sequence_in_groups_of_32(count):
    states = [1, 0x8000000000000000, 0x0123456789ABCDEF]
    words = lfsr.words(np.array(states, dtype=np.uint64), count)
    assert words.shape == (3, count) and words.dtype == np.uint32
    for row, state in zip(words, states, strict=True):
        x = bits(state, 32 * count)
        assert row.tolist() == [value(x[32 * i : 32 * i + 32]) for i in range(count)]


def test_words_are_those_of_the_page():
    answer = known_answer(PAGE, "words")
    starts = known_answer(PAGE, "start-states")
    state = next(
        int(entry["state"], 16)
        for entry in starts
        if entry["seed"] == answer["seed"] and entry["channel"] == answer["channel"]
    )
    words = [f"{word:08x}" for word in lfsr.words(np.array([state], dtype=np.uint64), 200)[0]]
    assert words[:4] == answer["first"]
    assert (words[99], words[199]) == (answer["word_99"], answer["word_199"])


def test_words_leave_their_argument_alone():
    states = np.array([5, 7], dtype=np.uint64)
    lfsr.words(states, 9)
    assert states.tolist() == [5, 7]
