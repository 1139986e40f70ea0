"""Exact counts and ties of the selection, by hand and by property."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.selection import (
    drop_count,
    keep_above,
    keep_groups,
    keep_largest,
    keep_layerwise,
    keep_networkwide,
)
from tombola.spec.errors import ConfigError

# Few distinct values, so that ties are the rule.
KEYS = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, float("inf"), float("-inf")]), max_size=40)


def kept(keys, drop):
    return keep_largest(torch.tensor(keys), drop=drop).int().tolist()


def test_the_smallest_go():
    assert kept([0.3, 0.1, 0.5, 0.2], 2) == [1, 0, 1, 0]


def test_of_equal_keys_the_first_go():
    assert kept([1.0, 1.0, 1.0, 1.0], 1) == [0, 1, 1, 1]
    assert kept([1.0, 1.0, 1.0, 1.0], 3) == [0, 0, 0, 1]
    assert kept([2.0, 1.0, 0.0, 1.0, 1.0], 2) == [1, 0, 0, 1, 1]
    assert kept([2.0, 1.0, 0.0, 1.0, 1.0], 3) == [1, 0, 0, 0, 1]


def test_nothing_and_everything():
    assert kept([0.0, 0.0], 0) == [1, 1]
    assert kept([0.0, 5.0], 2) == [0, 0]
    assert keep_largest(torch.empty(0), drop=0).tolist() == []


def test_frozen_keys_stand_at_the_ends():
    infinity = float("inf")
    assert kept([infinity, -infinity, 0.0, 9.0, infinity], 2) == [1, 0, 0, 1, 1]


@pytest.mark.parametrize("drop", [-1, 3])
def test_more_than_there_is_cannot_go(drop):
    with pytest.raises(ConfigError, match=f"^drop must be between 0 and 2, not {drop}$"):
        keep_largest(torch.zeros(2), drop=drop)


@given(st.data(), KEYS)
def test_equals_a_stable_sort(data, keys):
    drop = data.draw(st.integers(0, len(keys)))
    order = np.argsort(np.array(keys), kind="stable")
    expected = np.ones(len(keys), dtype=int)
    expected[order[:drop]] = 0
    assert kept(keys, drop) == expected.tolist()


@pytest.mark.parametrize(
    ("weights", "sparsity", "drop"),
    [(10, 0.0, 0), (10, 1.0, 10), (10, 0.55, 5), (0, 0.5, 0), (1, 0.999, 0), (7, 0.5, 3)],
)
def test_drop_count_rounds_down(weights, sparsity, drop):
    assert drop_count(weights, sparsity) == drop


@pytest.mark.parametrize("sparsity", [-0.1, 1.1])
def test_sparsity_is_a_ratio(sparsity):
    with pytest.raises(ConfigError, match=f"sparsity must be between 0 and 1, not {sparsity}"):
        drop_count(10, sparsity)


def test_layerwise_each_layer_gives_its_part():
    masks = keep_layerwise([torch.tensor([3.0, 1.0]), torch.tensor([9.0, 8.0, 7.0])], sparsity=0.5)
    assert [mask.tolist() for mask in masks] == [[True, False], [True, True, False]]


def test_an_empty_layer_is_no_trouble():
    keys = [torch.tensor([3.0, 1.0]), torch.empty(0)]
    assert [mask.tolist() for mask in keep_layerwise(keys, sparsity=0.5)] == [[True, False], []]
    assert [mask.tolist() for mask in keep_networkwide(keys, sparsity=0.5)] == [[True, False], []]


def test_networkwide_one_threshold_for_all():
    masks = keep_networkwide(
        [torch.tensor([3.0, 1.0]), torch.tensor([9.0, 8.0, 7.0])], sparsity=0.5
    )
    assert [mask.tolist() for mask in masks] == [[False, False], [True, True, True]]


def test_networkwide_ties_run_through_the_layers_in_turn():
    masks = keep_networkwide([torch.ones(2), torch.ones(2)], sparsity=0.75)
    assert [mask.tolist() for mask in masks] == [[False, False], [False, True]]


def test_layerwise_each_layer_may_have_its_own_sparsity():
    masks = keep_layerwise([torch.ones(2), torch.ones(4)], sparsity=[0.5, 0.25])
    assert [mask.tolist() for mask in masks] == [[False, True], [False, True, True, True]]


def groups(keys, sparsity, group):
    (kept,) = keep_groups([torch.tensor(keys)], sparsity=sparsity, group=group)
    return kept.int().tolist()


def test_two_of_four_consecutive_outputs():
    keys = [[5.0, 1.0], [6.0, 2.0], [7.0, 3.0], [8.0, 0.0]]
    assert groups(keys, 0.5, 4) == [[0, 0], [0, 1], [1, 1], [1, 0]]


def test_groups_do_not_see_each_other():
    keys = [[1.0], [2.0], [8.0], [9.0]]
    assert groups(keys, 0.5, 2) == [[0], [1], [0], [1]]


def test_of_equal_keys_in_a_group_the_lower_outputs_go():
    assert groups([[1.0]] * 4, 0.5, 4) == [[0], [0], [1], [1]]


def test_the_outputs_left_over_are_a_smaller_group():
    assert groups([[1.0], [2.0], [3.0], [4.0], [5.0]], 0.5, 4) == [[0], [0], [1], [1], [1]]
    assert groups([[3.0], [2.0]], 0.5, 4) == [[1], [0]]


def test_groups_of_one_and_of_none():
    assert groups([[1.0], [2.0]], 0.5, 1) == [[1], [1]]
    assert groups([[1.0], [2.0]], 1.0, 1) == [[0], [0]]
    with pytest.raises(ConfigError, match=r"^group must be at least 1, not 0$"):
        groups([[1.0]], 0.5, 0)


@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 5), st.floats(0, 1), st.data())
def test_every_group_keeps_its_number(out, positions, group, sparsity, data):
    values = st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=positions, max_size=positions)
    keys = torch.tensor([data.draw(values) for _ in range(out)])
    (kept,) = keep_groups([keys], sparsity=sparsity, group=group)
    for begin in range(0, out, group):
        part, mask = keys[begin : begin + group], kept[begin : begin + group]
        drop = int(sparsity * len(part))
        for position in range(positions):
            alone = keep_largest(part[:, position], drop=drop)
            assert torch.equal(mask[:, position], alone)


def test_above_a_half():
    (kept,) = keep_above([torch.tensor([0.4, 0.5, 0.6, float("inf"), float("-inf")])])
    assert kept.tolist() == [False, False, True, True, False]


@given(st.lists(KEYS, min_size=1, max_size=4), st.floats(0, 1))
def test_counts_are_exact_in_both_scopes(layers, sparsity):
    keys = [torch.tensor(layer) for layer in layers]
    for mask, layer in zip(keep_layerwise(keys, sparsity=sparsity), layers, strict=True):
        assert int(mask.sum()) == len(layer) - int(sparsity * len(layer))
    total = sum(map(len, layers))
    masks = keep_networkwide(keys, sparsity=sparsity)
    assert sum(int(mask.sum()) for mask in masks) == total - int(sparsity * total)
    assert [len(mask) for mask in masks] == list(map(len, layers))
