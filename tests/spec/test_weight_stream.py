"""Signs, freeze draws and classes: the page's vectors, restarts, padding, rounding of ratios."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.page import known_answer
from support.plain import sequence, start

from tombola.spec.errors import ConfigError
from tombola.spec.start_state import MAX_WEIGHT_SET
from tombola.spec.weight_stream import (
    FreezeClass,
    WeightSet,
    freeze_classes,
    freeze_counts,
    freeze_draws,
    negative,
)

PAGE = "weight-stream.md"
SEED = 0x0123456789ABCDEF
LETTERS = {FreezeClass.PRUNED: "P", FreezeClass.LOCKED: "L", FreezeClass.SEARCHABLE: "S",
           FreezeClass.PADDING: "."}  # fmt: skip


def a_set(**changes) -> WeightSet:
    parameters = {"id": 7, "out_channels": 5, "in_channels": 3, "kernel": (3, 3), "prune": 51,
                  "lock": 26, **changes}  # fmt: skip
    return WeightSet(**parameters)


def test_one_channel_is_that_of_the_page():
    answer = known_answer(PAGE, "freeze-classes")
    weight_set = WeightSet(
        id=answer["weight_set"],
        out_channels=answer["channel"] + 1,
        in_channels=answer["channels"],
        kernel=tuple(answer["kernel"]),
        prune=answer["prune"],
        lock=answer["lock"],
    )
    seed, channel = int(answer["seed"], 16), answer["channel"]
    assert freeze_draws(seed, weight_set)[channel].tolist() == answer["draws"]
    classes = freeze_classes(seed, weight_set)[channel]
    assert "".join(LETTERS[FreezeClass(x)] for x in classes) == answer["classes"]
    signs = negative(seed, weight_set)[channel]
    assert "".join("-" if x else "+" for x in signs) == answer["signs"]


@pytest.mark.parametrize("seed", [0, SEED, (1 << 64) - 1])
def test_streams_are_the_sequences_of_the_page(seed):
    weight_set = a_set(in_channels=40, kernel=(2, 3))
    positions = weight_set.layout.positions
    signs, draws = negative(seed, weight_set), freeze_draws(seed, weight_set)
    assert signs.shape == draws.shape == (5, positions) and signs.dtype == bool
    for channel in range(5):
        x = sequence(start(seed, 7, channel, 0), positions)
        assert signs[channel].tolist() == [bool(bit) for bit in x]
        x = sequence(start(seed, 7, channel, 1), 8 * positions)
        bytes_ = [sum(x[8 * p + i] << i for i in range(8)) for p in range(positions)]
        assert draws[channel].tolist() == bytes_


@pytest.mark.parametrize("out_channels", [1, 2, 4])
def test_a_channel_does_not_depend_on_how_many_there_are(out_channels):
    few, many = a_set(out_channels=out_channels), a_set(out_channels=9)
    for draw in (negative, freeze_draws, freeze_classes):
        assert (draw(SEED, few) == draw(SEED, many)[:out_channels]).all()


def test_a_stream_does_not_depend_on_the_length_of_the_row():
    short, long = a_set(in_channels=32, kernel=(1, 1)), a_set(in_channels=32, kernel=(5, 5))
    for draw in (negative, freeze_draws):
        assert (draw(SEED, long)[:, :32] == draw(SEED, short)).all()


def test_seed_set_and_kind_select_other_streams():
    draws = [
        negative(SEED, a_set()),
        negative(SEED ^ 1, a_set()),
        negative(SEED, a_set(id=8)),
        freeze_draws(SEED, a_set())[:, :] & 1 == 1,
    ]
    for i, one in enumerate(draws):
        for other in draws[:i]:
            assert 0.35 < (one == other).mean() < 0.65


def test_padding_consumes_draws_and_is_padding_whatever_was_drawn():
    padded, full = a_set(in_channels=3), a_set(in_channels=4)
    assert padded.layout.positions == full.layout.positions
    assert (freeze_draws(SEED, padded) == freeze_draws(SEED, full)).all()
    classes, unpadded = freeze_classes(SEED, padded), freeze_classes(SEED, full)
    real = padded.layout.real()
    assert (classes[:, real] == unpadded[:, real]).all()
    assert (classes[:, ~real] == FreezeClass.PADDING).all()


@pytest.mark.parametrize(("prune", "lock"), [(0, 0), (0, 256), (256, 0), (1, 0), (0, 1), (90, 89)])
def test_classes_are_the_thresholds_of_the_draws(prune, lock):
    weight_set = a_set(prune=prune, lock=lock, in_channels=32)
    draws = freeze_draws(SEED, weight_set)[:, : weight_set.layout.weights]
    classes = freeze_classes(SEED, weight_set)[:, : weight_set.layout.weights]
    assert ((classes == FreezeClass.PRUNED) == (draws < prune)).all()
    assert ((classes == FreezeClass.SEARCHABLE) == (draws >= prune + lock)).all()
    assert ((classes == FreezeClass.LOCKED) == ((draws >= prune) & (draws < prune + lock))).all()
    assert weight_set.frozen == (prune + lock > 0)


def test_counts_are_those_of_the_page():
    for prune, lock, pruned, locked in known_answer(PAGE, "freeze-counts"):
        assert freeze_counts(prune, lock) == (pruned, locked)


@given(st.integers(0, 256), st.integers(0, 256))
def test_ratios_in_256ths_are_exact(prune, lock):
    if prune + lock <= 256:
        assert freeze_counts(prune / 256, lock / 256) == (prune, lock)


@given(st.floats(0, 1), st.floats(0, 1))
def test_counts_are_within_half_a_count_of_the_ratios(prune, lock):
    if prune + lock <= 1:
        pruned, locked = freeze_counts(prune, lock)
        assert pruned >= 0 and locked >= 0 and pruned + locked <= 256
        assert abs(pruned - 256 * prune) <= 0.5
        assert abs(pruned + locked - 256 * (prune + lock)) <= 0.5


def test_halves_go_up_where_python_would_round_to_even():
    assert round(0.5) == 0 and freeze_counts(0.5 / 256, 0)[0] == 1
    assert round(2.5) == 2 and freeze_counts(2.5 / 256, 0)[0] == 3


@pytest.mark.parametrize(("prune", "lock"), [(-0.1, 0), (0, -0.1), (0.6, 0.5), (math.nan, 0)])
def test_impossible_ratios_are_refused(prune, lock):
    with pytest.raises(ConfigError) as caught:
        freeze_counts(prune, lock)
    assert str(caught.value) == (
        f"prune and lock ratios must be at least 0 and at most 1 together, not {prune} and {lock}"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": -1}, f"weight set id must be between 0 and {MAX_WEIGHT_SET}, not -1"),
        ({"id": 1 << 24}, f"weight set id must be between 0 and {MAX_WEIGHT_SET}, not {1 << 24}"),
        ({"out_channels": 0}, "out_channels must be at least 1, not 0"),
        ({"in_channels": 0}, "a row needs at least one channel and a 1x1 kernel, not 0 and 3x3"),
        (
            {"prune": 200, "lock": 57},
            "prune and lock counts must be at least 0 and at most 256 together, not 200 and 57",
        ),
        (
            {"prune": -1},
            "prune and lock counts must be at least 0 and at most 256 together, not -1 and 26",
        ),
    ],
)
def test_impossible_weight_sets_are_refused(changes, message):
    with pytest.raises(ConfigError) as caught:
        a_set(**changes)
    assert str(caught.value) == message


def test_weights_are_counted_without_padding():
    assert a_set().weights == 5 * 3 * 3 * 3
    assert np.count_nonzero(freeze_classes(SEED, a_set()) != FreezeClass.PADDING) == 135
