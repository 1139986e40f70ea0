"""Norms against PyTorch's own."""

import pytest
import torch
from torch import nn

from tombola.search.norm import BatchNorm, FrozenNorm


def inputs(seed=0):
    return torch.randn(32, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 3 + 1


def trained(*, affine=True):
    torch.manual_seed(5)
    norm = nn.BatchNorm2d(3, affine=affine, momentum=0.3, eps=1e-3)
    if affine:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    norm(inputs())
    return norm


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_is_pytorchs(affine):
    theirs = nn.BatchNorm2d(3, affine=affine, momentum=0.3, eps=1e-3)
    ours = BatchNorm(3, affine=affine, like=theirs)
    for seed in range(3):
        torch.testing.assert_close(ours(inputs(seed)), theirs(inputs(seed)))
    torch.testing.assert_close(ours.eval()(inputs()), theirs.eval()(inputs()))
    assert len(list(ours.parameters())) == 2 * affine


def test_factors_start_where_the_models_are():
    theirs = trained()
    assert torch.equal(BatchNorm(3, affine=True, like=theirs).factors, theirs.weight)


def test_scale_and_shift_take_the_factors_place():
    plain, scaled = BatchNorm(3), BatchNorm(3, scale=32.0, shift=0.5)
    torch.testing.assert_close(scaled(inputs()), 32 * plain(inputs()) + 0.5)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_a_frozen_norm_stays_in_training_and_takes_a_bias(affine, biased):
    norm = trained(affine=affine)
    bias = torch.tensor([1.0, -2.0, 0.5]) if biased else None
    frozen = FrozenNorm.of(norm, bias, 3).train()
    shifted = inputs(1) if bias is None else inputs(1) + bias[:, None, None]
    torch.testing.assert_close(frozen(inputs(1)), norm.eval()(shifted))
    assert not list(frozen.parameters())


def test_a_bias_alone_is_an_offset():
    frozen = FrozenNorm.of(None, torch.tensor([1.0, -2.0, 0.5]), 3)
    torch.testing.assert_close(
        frozen(inputs()), inputs() + torch.tensor([1.0, -2.0, 0.5])[:, None, None]
    )


@pytest.mark.parametrize("kind", ["plain", "affine", "frozen"])
def test_described_it_is_one_slope_and_offset_a_channel(kind):
    norm = trained()
    ours = {
        "plain": lambda: BatchNorm(3, like=norm),
        "affine": lambda: BatchNorm(3, affine=True, like=norm),
        "frozen": lambda: FrozenNorm.of(norm, None, 3),
    }[kind]()
    ours.train()(inputs(2))
    affine = ours.describe()
    slope, offset = (torch.from_numpy(x)[:, None, None] for x in (affine.slope, affine.offset))
    found = ours.eval()(inputs()).double()
    torch.testing.assert_close(inputs().double() * slope + offset, found, rtol=1e-4, atol=1e-5)
