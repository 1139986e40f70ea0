"""Short restriction, by hand and by property."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.limiter import LIMITS, limit_swaps
from tombola.search.selection import keep_largest
from tombola.spec.errors import ConfigError


def limited(previous, keys, drop, fraction):
    keys = torch.tensor(keys)
    wanted = keep_largest(keys, drop=drop)
    before = torch.tensor(previous, dtype=torch.bool)
    return limit_swaps(before, wanted, keys, fraction=fraction).int().tolist()


#       kept, kept, kept, dropped, dropped, dropped
KEYS = [0.3, 0.1, 0.9, 0.6, 0.2, 0.7]
BEFORE = [1, 1, 1, 0, 0, 0]


def test_the_strongest_swap_first():
    # Wanted: 0.9, 0.7 and 0.6, so two swaps; 0.7 comes in and 0.1 goes first.
    assert limited(BEFORE, KEYS, 3, 0.0) == BEFORE
    assert limited(BEFORE, KEYS, 3, 0.5) == [1, 0, 1, 0, 0, 1]
    assert limited(BEFORE, KEYS, 3, 1.0) == [0, 0, 1, 1, 0, 1]


def test_a_part_of_a_swap_is_one():
    assert limited(BEFORE, KEYS, 3, 0.01) == [1, 0, 1, 0, 0, 1]


def test_of_equal_keys_the_first_go_and_the_last_come():
    keys = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert limited(BEFORE, keys, 3, 0.3) == [0, 1, 1, 0, 0, 1]


def test_another_count_is_met_in_full():
    assert limited(BEFORE, KEYS, 1, 0.0) == [1, 1, 1, 1, 0, 1]
    assert limited(BEFORE, KEYS, 5, 0.0) == [0, 0, 1, 0, 0, 0]


def test_shapes_are_kept():
    previous, wanted = torch.zeros(2, 3, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    found = limit_swaps(previous, wanted, torch.rand(2, 3), fraction=0.0)
    assert found.tolist() == [[True] * 3] * 2
    assert not previous.any()


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, -1.0]), min_size=1, max_size=40),
    st.data(),
    st.floats(0, 1),
)
def test_counts_are_kept_and_the_change_is_a_part_of_the_wanted_one(keys, data, fraction):
    drop = data.draw(st.integers(0, len(keys)))
    order = data.draw(st.permutations(range(len(keys))))
    before = np.ones(len(keys), dtype=bool)
    before[order[:drop]] = False
    values = torch.tensor(keys)
    wanted = keep_largest(values, drop=drop).numpy()
    previous = torch.from_numpy(before)
    found = limit_swaps(previous, torch.from_numpy(wanted), values, fraction=fraction).numpy()
    assert found.sum() == len(keys) - drop
    changed = found != before
    assert not (changed & (before == wanted)).any()
    swaps = int((before & ~wanted).sum())
    made = int((before & ~found).sum())
    assert made == int(np.ceil(fraction * swaps))
    assert int((~before & found).sum()) == made
    # Nothing stronger was left behind.
    came, stayed_out = values[~before & found], values[~before & wanted & ~found]
    if len(came) and len(stayed_out):
        assert came.min() >= stayed_out.max()


def test_limits_fall_from_all_to_none():
    assert LIMITS["quartic"](0, 30) == 1
    assert LIMITS["quartic"](15, 30) == pytest.approx(1 / 16)
    assert LIMITS["cosine"](15, 30) == pytest.approx(0.5)
    for limit in LIMITS.values():
        found = [limit(epoch, 30) for epoch in range(31)]
        assert found == sorted(found, reverse=True)
        assert found[0] == 1
        assert found[-1] == pytest.approx(0)


def test_fraction_out_of_range():
    with pytest.raises(ConfigError, match=r"^fraction must be between 0 and 1, not 1.5$"):
        limited(BEFORE, KEYS, 3, 1.5)
