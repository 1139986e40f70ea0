"""One number for the size of a layer's weights, by hand."""

import pytest
import torch

from tombola.search.weight_scale import alpha, dynamic_factor, layer_scale, signed_constant


def test_signed_constant():
    assert signed_constant(8) == pytest.approx(0.5)


def test_layer_scale():
    assert layer_scale(8, 0.75) == pytest.approx(1.0)
    assert layer_scale(8, 0.0) == pytest.approx(0.5)
    assert layer_scale(8, 1.0) == pytest.approx(0.5)


def test_dynamic_factor_counts_the_kept_whatever_their_coats():
    assert dynamic_factor(torch.tensor([0.0, 3.0, 0.0, 0.0])) == 2.0
    assert dynamic_factor(torch.ones(4)) == 1.0


def test_an_emptied_layer_keeps_its_scale():
    assert dynamic_factor(torch.zeros(4)) == 1.0
    assert alpha(torch.tensor([1.0, 3.0]), torch.zeros(2)) == 2.0


def test_alpha_is_the_mean_of_the_kept_magnitudes():
    magnitudes = torch.tensor([1.0, 2.0, 4.0, 8.0])
    assert alpha(magnitudes, torch.tensor([1.0, 0.0, 1.0, 0.0])) == 2.5
    assert alpha(magnitudes, torch.ones(4)) == 3.75
