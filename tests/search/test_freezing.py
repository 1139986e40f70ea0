"""Frozen weights never move, and the sparsity must leave room for them."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tombola.search.freezing import DrawnCounts, check_bounds, key_offsets
from tombola.search.selection import drop_count, keep_networkwide
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass

PRUNED, LOCKED, FREE = FreezeClass.PRUNED, FreezeClass.LOCKED, FreezeClass.SEARCHABLE
CLASSES = arrays.arrays(np.uint8, st.integers(1, 60), elements=st.sampled_from([0, 1, 2]))


def counts(weights, pruned=0, locked=0):
    return DrawnCounts(weights=weights, pruned=pruned, locked=locked)


def test_offsets():
    offsets = key_offsets(np.array([PRUNED, LOCKED, FREE], dtype=np.uint8))
    assert offsets.tolist() == [-math.inf, math.inf, 0.0]


def test_counts_leave_padding_out():
    classes = np.array([0, 0, 1, 2, 2, 2, 3, 3], dtype=np.uint8)
    assert DrawnCounts.of(classes) == counts(6, pruned=2, locked=1)


@given(CLASSES, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_frozen_weights_never_move_where_the_bounds_hold(classes, sparsity, seed):
    drawn = DrawnCounts.of(classes)
    drop = drop_count(drawn.weights, sparsity)
    holds = drawn.pruned <= drop <= drawn.weights - drawn.locked
    if not holds:
        with pytest.raises(ConfigError, match=r"lower (prune|lock) or"):
            check_bounds([drawn], sparsity=sparsity, layerwise=False)
        return
    check_bounds([drawn], sparsity=sparsity, layerwise=False)
    scores = torch.from_numpy(np.random.default_rng(seed).integers(0, 3, classes.size) / 2)
    (kept,) = keep_networkwide([scores + key_offsets(classes)], sparsity=sparsity)
    assert not kept[torch.from_numpy(classes == PRUNED)].any()
    assert kept[torch.from_numpy(classes == LOCKED)].all()
    assert int(kept.sum()) == drawn.weights - drop


def test_all_frozen():
    classes = np.array([PRUNED, LOCKED, PRUNED, LOCKED], dtype=np.uint8)
    check_bounds([DrawnCounts.of(classes)], sparsity=0.5, layerwise=True)
    (kept,) = keep_networkwide([torch.rand(4) + key_offsets(classes)], sparsity=0.5)
    assert kept.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (
            counts(100, pruned=51),
            "sparsity 0.5 drops 50 of the 100 weights of the network, but the seed prunes 51; "
            "lower prune or raise sparsity above 0.5100",
        ),
        (
            counts(100, locked=51),
            "sparsity 0.5 drops 50 of the 100 weights of the network, but the seed locks 51; "
            "lower lock or sparsity, to 0.4900 at most",
        ),
    ],
)
def test_the_message_names_the_ratio(drawn, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        check_bounds([drawn], sparsity=0.5, layerwise=False)


def test_the_bounds_hold_exactly():
    check_bounds([counts(100, pruned=50, locked=50)], sparsity=0.5, layerwise=True)


def test_layerwise_each_layer_must_hold():
    layers = [counts(100, pruned=10), counts(100, pruned=60)]
    check_bounds(layers, sparsity=0.5, layerwise=False)
    with pytest.raises(ConfigError, match="of the 100 weights of layer 1, but the seed prunes 60"):
        check_bounds(layers, sparsity=0.5, layerwise=True)
