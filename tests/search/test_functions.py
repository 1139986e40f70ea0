"""Edge-Popup's gradient and the quantiser, by hand."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.edge_popup import masked_weights
from tombola.search.quantiser import floor_clamp
from tombola.search.randomness import generator
from tombola.spec.arithmetic import requantise


def test_gradient_is_sign_times_weight_times_upstream_for_kept_and_dropped():
    scores = torch.tensor([0.5, -0.25, 0.1, -0.1, 0.0], requires_grad=True)
    weights = torch.tensor([2.0, 2.0, -3.0, -3.0, 1.0])
    mask = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0])
    upstream = torch.tensor([10.0, 10.0, 10.0, 10.0, 10.0])
    result = masked_weights(scores, weights, mask)
    assert result.tolist() == [2.0, 2.0, 0.0, 0.0, 1.0]
    result.backward(upstream)
    assert scores.grad.tolist() == [20.0, -20.0, -30.0, 30.0, 0.0]


def test_floor_clamp_and_its_gradient():
    values = torch.tensor([-3.0, 0.49, 0.5, 1.0, 254.9, 255.0, 300.0], requires_grad=True)
    result = floor_clamp(values + 0.5, low=0, high=255)
    assert result.tolist() == [0.0, 0.0, 1.0, 1.0, 255.0, 255.0, 255.0]
    result.backward(torch.ones(7))
    assert values.grad.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]


@given(st.integers(-(2**20), 2**20), st.integers(0, 12))
def test_rounds_like_the_integer_arithmetic(value, shift):
    exact = requantise(np.int64(value), np.int64(1), np.int64(0), shift=shift, clamp=(0, 255))
    real = torch.tensor([value / 2.0**shift + 0.5], dtype=torch.float64)
    assert floor_clamp(real, low=0, high=255).item() == exact


def test_generators_differ_by_seed_purpose_and_index():
    def draw(*key):
        return torch.randint(2**31, (4,), generator=generator(*key)).tolist()

    keys = [(1, "scores", 0), (2, "scores", 0), (1, "batches", 0), (1, "scores", 1)]
    draws = [draw(*key) for key in keys]
    assert len({tuple(x) for x in draws}) == len(keys)
    assert draw(*keys[0]) == draws[0]
    assert len(draw(2**64 - 1, "scores", 0)) == 4
