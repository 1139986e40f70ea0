"""Nested coats, by hand and by property."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.coats import check_ascending, count_coats, uniform_coats
from tombola.search.selection import keep_groups, keep_layerwise, keep_networkwide
from tombola.spec.errors import ConfigError

KEYS = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, float("inf"), float("-inf")]), max_size=30)


def layerwise(keys, sparsity):
    return keep_layerwise(keys, sparsity=sparsity)


def networkwide(keys, sparsity):
    return keep_networkwide(keys, sparsity=sparsity)


def test_uniform_coats_by_hand():
    assert uniform_coats(0.7, 3) == pytest.approx((0.7, 0.8, 0.9))
    assert uniform_coats(0.4, 1) == (0.4,)
    # Half kept, in thirds: the values 1, 2 and 3 are the terciles of the survivors.
    assert uniform_coats(0.5, 3) == pytest.approx((0.5, 2 / 3, 5 / 6))


def test_counts_by_hand():
    keys = torch.tensor([[0.1, 0.9], [0.5, 0.7]])
    (count,) = count_coats([keys], sparsities=(0.25, 0.5, 0.75), keeps=[layerwise] * 3)
    assert count.tolist() == [[0.0, 3.0], [1.0, 2.0]]


def test_one_threshold_for_all_layers_in_each_coat():
    keys = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])]
    counts = count_coats(keys, sparsities=(0.25, 0.75), keeps=[networkwide] * 2)
    assert [count.tolist() for count in counts] == [[0.0, 1.0], [1.0, 2.0]]


def test_all_ties():
    (count,) = count_coats([torch.ones(4)], sparsities=(0.25, 0.5, 0.75), keeps=[layerwise] * 3)
    assert count.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_coats_after_groups_choose_among_what_these_left():
    def groups(keys, sparsity):
        return keep_groups(keys, sparsity=sparsity, group=2)

    # The groups leave 1 and 8; by size alone 7 would stay.
    keys = torch.tensor([[1.0], [0.0], [8.0], [7.0]])
    (count,) = count_coats([keys], sparsities=(0.5, 0.75), keeps=[groups, layerwise])
    assert count.flatten().tolist() == [1.0, 0.0, 2.0, 0.0]


@given(
    st.lists(KEYS, min_size=1, max_size=3),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.sampled_from([layerwise, networkwide]),
)
def test_coats_are_nested_and_their_counts_exact(layers, sparsities, keep):
    sparsities.sort()
    keys = [torch.tensor(layer) for layer in layers]
    counts = count_coats(keys, sparsities=sparsities, keeps=[keep] * len(sparsities))
    together = torch.cat(counts)
    total = len(together)
    for coat, sparsity in enumerate(sparsities, 1):
        kept = int((together >= coat).sum())
        if keep is networkwide:
            assert kept == total - int(sparsity * total)
        else:
            assert kept == sum(len(x) - int(sparsity * len(x)) for x in layers)
    # Any mask that keeps the largest is nested in any larger one: a coat is what it is alone.
    for coat, sparsity in enumerate(sparsities, 1):
        alone = torch.cat(keep(keys, sparsity))
        assert torch.equal(together >= coat, alone)


@pytest.mark.parametrize(
    ("sparsities", "message"),
    [
        ((0.5, 0.4), "sparsity of coat 2 must be between 0.5 and 1, not 0.4; "),
        ((-0.1,), "sparsity of coat 1 must be between 0 and 1, not -0.1; "),
        ((0.5, 1.1), "sparsity of coat 2 must be between 0.5 and 1, not 1.1; "),
    ],
)
def test_coats_must_ascend(sparsities, message):
    with pytest.raises(ConfigError) as error:
        check_ascending(sparsities)
    end = "coats are nested, so give their sparsities in ascending order"
    assert str(error.value) == message + end


def test_no_coat():
    with pytest.raises(ConfigError, match=r"^coats must be at least 1, not 0$"):
        uniform_coats(0.5, 0)
