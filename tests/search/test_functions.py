"""Straight-through gradients and the random generators, by hand."""

import torch

from tombola.search.coats import count_coats
from tombola.search.randomness import generator
from tombola.search.selection import keep_layerwise
from tombola.search.straight_through import masked_weights


def test_gradient_is_sign_times_weight_times_upstream_for_kept_and_dropped():
    scores = torch.tensor([0.5, -0.25, 0.1, -0.1, 0.0], requires_grad=True)
    weights = torch.tensor([2.0, 2.0, -3.0, -3.0, 1.0])
    mask = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0])
    upstream = torch.tensor([10.0, 10.0, 10.0, 10.0, 10.0])
    result = masked_weights(scores, weights, mask)
    assert result.tolist() == [2.0, 2.0, 0.0, 0.0, 1.0]
    result.backward(upstream)
    assert scores.grad.tolist() == [20.0, -20.0, -30.0, 30.0, 0.0]


def test_raw_scores_pass_the_gradient_without_their_sign():
    scores = torch.tensor([0.5, -0.25, 0.1], requires_grad=True)
    weights, mask = torch.tensor([2.0, -3.0, 4.0]), torch.tensor([1.0, 0.0, 0.0])
    masked_weights(scores, weights, mask, absolute=False).backward(torch.full((3,), 10.0))
    assert scores.grad.tolist() == [20.0, -30.0, 40.0]


def test_the_slope_may_leave_the_scale_out():
    scores = torch.tensor([0.5, -0.25], requires_grad=True)
    result = masked_weights(
        scores, torch.tensor([0.5, -0.5]), torch.ones(2), slope=torch.tensor([1.0, -1.0])
    )
    assert result.tolist() == [0.5, -0.5]
    result.backward(torch.full((2,), 10.0))
    assert scores.grad.tolist() == [10.0, 10.0]


def test_three_coats_have_three_times_the_gradient_of_edge_popup():
    """As if each coat were an Edge-Popup of its own on the same scores, and they were added."""
    torch.manual_seed(0)
    start, weights, upstream = torch.randn(40), torch.randn(40).sign(), torch.randn(40)
    sparsities = (0.5, 0.7, 0.9)

    def keep(keys, sparsity):
        return keep_layerwise(keys, sparsity=sparsity)

    apart = start.clone().requires_grad_()
    total = 0
    for sparsity in sparsities:
        (kept,) = keep([apart.detach().abs()], sparsity)
        total = total + masked_weights(apart, weights, kept.float())
    total.backward(upstream)

    together = start.clone().requires_grad_()
    (count,) = count_coats([start.abs()], sparsities=sparsities, keeps=[keep] * 3)
    result = masked_weights(together, weights, count, slope=3 * weights)
    torch.testing.assert_close(result, total)
    result.backward(upstream)
    torch.testing.assert_close(together.grad, apart.grad)


def test_generators_differ_by_seed_purpose_and_index():
    def draw(*key):
        return torch.randint(2**31, (4,), generator=generator(*key)).tolist()

    keys = [(1, "scores", 0), (2, "scores", 0), (1, "batches", 0), (1, "scores", 1)]
    draws = [draw(*key) for key in keys]
    assert len({tuple(x) for x in draws}) == len(keys)
    assert draw(*keys[0]) == draws[0]
    assert len(draw(2**64 - 1, "scores", 0)) == 4
