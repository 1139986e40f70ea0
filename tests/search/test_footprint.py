"""Sizes before any search: the published ones to the last digit, and those of real tickets."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tombola.model.account import account
from tombola.search.allocation import Allocation, densities
from tombola.search.footprint import Scheme, footprint
from tombola.search.models import build
from tombola.search.survey import survey
from tombola.spec.errors import ConfigError

CIFAR = (3, 32, 32)
PUBLISHED = Scheme(sparsities=(0.7,), norm="folded", seed_bits=32)
"""Of the Hidden-Fold networks: a seed of 32 bits, and 30 % kept."""


def layers(name: str, *, shape=CIFAR, classes=10, **options):
    with torch.device("meta"):
        return survey(build(name, shape=shape, classes=classes, **options), shape=shape)


def trained(found) -> int:
    """Bits of the network with trained weights and norms."""
    counted = footprint(found, PUBLISHED)
    return counted.dense_bits() + counted.dense_norm_bits


def megabytes(bits: int) -> float:
    return bits / 8e6


@pytest.mark.parametrize(
    ("name", "size", "smaller"),
    [
        ("resnet50-folded", "1.953", "48.55"),
        ("resnet101-folded", "2.162", None),
        ("resnet152-folded", "2.461", "38.53"),
        ("resnet200-folded", "3.018", None),
    ],
)
def test_folded_networks_on_cifar_100(name, size, smaller):
    """Published sizes, and how much smaller than a dense ResNet50 they are."""
    dense = trained(layers("resnet50", classes=100))
    assert f"{megabytes(dense):.2f}" == "94.82"
    counted = footprint(layers(name, classes=100), PUBLISHED).searched_bits
    assert f"{megabytes(counted):.3f}" == size
    if smaller is not None:
        assert f"{dense / counted:.2f}" == smaller


def test_a_folded_network_unfolds_to_the_dense_one():
    folded, plain = (layers(name, classes=100) for name in ("resnet50-folded", "resnet50"))
    assert trained(folded) == trained(plain)
    assert footprint(plain, PUBLISHED).affine_bits == 0


def test_folded_resnet200_on_imagenet_against_a_dense_resnet34():
    """Published as 26.8 times smaller."""
    large = {"shape": (3, 224, 224), "classes": 1000, "stem": "imagenet"}
    dense = trained(layers("resnet34", **large))
    folded = footprint(layers("resnet200-folded", **large), PUBLISHED).searched_bits
    assert f"{dense / folded:.1f}" == "26.8"


def test_three_coats_take_1_379_bits_a_weight():
    """Sparsities .7, .9212, .9685: 1 + .3 + .0788, a further coat only where the one before is."""
    counted = footprint(layers("resnet18"), Scheme(sparsities=(0.7, 0.9212, 0.9685)))
    weights = counted.weights
    assert counted.coat_bits == (
        weights,
        weights - int(0.7 * weights),
        weights - int(0.9212 * weights),
    )
    assert f"{counted.mask_bits_a_weight:.4f}" == "1.3788"


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0.5, [1, 1, 1, 1, 0.907, 0.454, 0.255, 1, 1]),
        (0.3, [1, 1, 1, 0.844, 0.422, 0.211, 0.119, 1, 1]),
    ],
)
def test_equal_free_edges_in_conv6(total, expected):
    sizes = [layer.size for layer in layers("conv6")]
    found = densities(sizes, total=total, allocation=Allocation.EPL)
    assert found == pytest.approx(expected, abs=6e-4)


def test_seventy_percent_frozen_is_a_third():
    """Published: 3.3 times smaller than the ticket of the network without freezing."""
    found = layers("resnet50", classes=1000, shape=(3, 224, 224), stem="imagenet")
    free = footprint(found, Scheme(sparsities=(0.5,)))
    for allocation in Allocation:
        frozen = Scheme(sparsities=(0.5,), prune=0.35, lock=0.35, allocation=allocation)
        smaller = free.mask_bits / footprint(found, frozen).mask_bits
        assert smaller == pytest.approx(1 / 0.3, rel=0.015)


@pytest.mark.parametrize("norm", ["affine", "frozen", "refreshed"])
def test_factors_are_counted_wherever_they_come_from(norm):
    counted = footprint(layers("resnet8"), Scheme(norm=norm))
    assert counted.affine_bits == 64 * counted.norm_channels > 0
    assert footprint(layers("resnet8"), Scheme(norm="plain")).affine_bits == 0


def test_coats_over_frozen_weights():
    """Locked weights are in every coat and own no bit of any."""
    scheme = Scheme(sparsities=(0.5, 0.75), prune=0.25, lock=0.125)
    counted = footprint(layers("conv2"), scheme)
    assert counted.coat_bits[0] == pytest.approx(0.625 * counted.weights, abs=1)
    assert counted.coat_bits[1] == pytest.approx(0.375 * counted.weights, abs=1)


def test_stored_weights():
    counted = footprint(layers("resnet8"), Scheme(sparsities=(0.9,), stored_bits=4))
    kept = counted.weights - int(0.9 * counted.weights)
    assert counted.mask_bits == counted.weights + 4 * kept
    assert counted.entropy_bits > 4 * kept


def test_entropy_bound():
    counted = footprint(layers("conv4"), Scheme(sparsities=(0.7,)))
    assert counted.entropy_bits / counted.weights == pytest.approx(0.881, abs=5e-4)
    half = footprint(layers("conv4"), Scheme(prune=0.2, lock=0.2))
    assert half.entropy_bits == pytest.approx(half.mask_bits)


def test_dense_versions():
    counted = footprint(layers("resnet18"), Scheme())
    assert counted.weights == counted.layer_weights == 11_164_352
    norms = counted.norm_channels
    assert norms == 64 + 4 * 64 + 5 * 128 + 5 * 256 + 5 * 512
    shown = counted.document()
    assert shown["dense_bytes"] == 4 * 11_164_352
    assert shown["dense_int8_bytes"] == 11_164_352
    assert shown["dense_binary_bytes"] == 11_164_352 // 8
    assert shown["dense_norm_bytes"] == 8 * norms
    assert counted.statistics_bits == 64 * norms
    assert counted.requantisation_bits == 48 * (norms + 10)
    json.dumps(shown)


def plain() -> nn.Module:
    """The preset `small` of the tests as a plain network."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 16, 10, bias=False),
    )  # fmt: skip


@pytest.mark.parametrize(("prune", "lock"), [(0, 0), (0.25, 0.25)])
def test_agrees_with_a_ticket(small, digits, tmp_path, prune, lock):
    from tombola.search.search import search
    from tombola.spec import ticket_file

    settings = replace(small.settings, epochs=1, prune=prune, lock=lock)
    result = search(
        replace(small, settings=settings),
        train=digits[0],
        test=digits[1],
        classes=[str(digit) for digit in range(10)],
        out=tmp_path,
    )
    real = account(ticket_file.load(result.ticket))
    scheme = Scheme(sparsities=(0.5,), prune=prune, lock=lock)
    counted = footprint(survey(plain(), shape=(1, 8, 8)), scheme)
    for name in ("weights", "layer_weights", "requantisation_bits"):
        assert counted.document()[name] == real[name]
    # A seed draws about as many frozen weights as are expected of it.
    spread = 4 * np.sqrt(real["weights"]) if prune + lock else 0
    assert abs(counted.mask_bits - real["mask_bits"]) <= spread
    if not spread:
        assert counted.seed_and_mask_bits == 64 + real["mask_bits"]


def test_a_survey_names_layers_and_kernels():
    found = survey(plain(), shape=(1, 8, 8))
    assert [layer.name for layer in found] == ["0", "4", "8"]
    assert [layer.size.kernel for layer in found] == [(3, 3), (3, 3), (4, 4)]
    assert [layer.size.in_channels for layer in found] == [1, 8, 8]
    assert [layer.norm_channels for layer in found] == [8, 8, 0]


def test_a_survey_leaves_the_network_alone():
    model = plain()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    survey(model, shape=(1, 8, 8))
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Scheme(sparsities=(0.5, 0.4)),
            r"sparsities must rise from coat to coat between 0 and 1, not \(0\.5, 0\.4\)$",
        ),
        (lambda: Scheme(sparsities=()), r"sparsities must rise .*, not \(\)$"),
        (
            lambda: Scheme(sparsities=(0.5,), prune=0.6),
            r"sparsities must lie between prune 0\.6 and 1 - lock 1, not \(0\.5,\)$",
        ),
        (
            lambda: Scheme(sparsities=(0.5,), lock=0.6),
            r"sparsities must lie between prune 0 and 1 - lock 0\.4, not \(0\.5,\)$",
        ),
        (
            lambda: survey(plain(), shape=(2, 8, 8)),
            r"the network does not take images of \(2, 8, 8\): ",
        ),
        (
            lambda: survey(nn.Sequential(nn.ReLU()), shape=(1, 8, 8)),
            "the network has no convolution and no linear layer, so it has no size$",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        make()
