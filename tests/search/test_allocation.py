"""Ratios per layer, pinned by published numbers for Conv6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.allocation import Allocation, LayerSize, densities, freeze_ratios
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import freeze_counts

CONV6 = [
    LayerSize(out_channels=out, in_channels=channels, kernel=kernel)
    for out, channels, kernel in (
        (64, 3, (3, 3)),
        (64, 64, (3, 3)),
        (128, 64, (3, 3)),
        (128, 128, (3, 3)),
        (256, 128, (3, 3)),
        (256, 256, (3, 3)),
        (256, 256, (4, 4)),
        (256, 256, (1, 1)),
        (10, 256, (1, 1)),
    )
]
LAYERS = st.lists(
    st.builds(
        LayerSize,
        out_channels=st.integers(1, 64),
        in_channels=st.integers(1, 64),
        kernel=st.sampled_from([(1, 1), (3, 3), (5, 5)]),
    ),
    min_size=1,
    max_size=6,
)


def test_conv6_has_its_weights():
    assert sum(layer.weights for layer in CONV6) == 2_261_184


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0.5, [1, 1, 1, 1, 0.907, 0.454, 0.255, 1, 1]),
        (0.3, [1, 1, 1, 0.844, 0.422, 0.211, 0.119, 1, 1]),
    ],
)
def test_epl_on_conv6(total, expected):
    # Otsuka et al. 2024, the free part of each layer of Conv6.
    found = densities(CONV6, total=total, allocation=Allocation.EPL)
    assert found == pytest.approx(expected, abs=6e-4)


def test_uniform():
    assert densities(CONV6, total=0.3, allocation=Allocation.UNIFORM) == [0.3] * 9


def test_erk_by_hand():
    layers = [
        LayerSize(out_channels=4, in_channels=2, kernel=(3, 3)),  # 72 weights, share 12
        LayerSize(out_channels=8, in_channels=4, kernel=(3, 3)),  # 288 weights, share 18
    ]
    found = densities(layers, total=0.25, allocation=Allocation.ERK)  # 90 edges: 36 and 54
    assert found == pytest.approx([0.5, 0.1875])


def test_igq_by_hand():
    layers = [LayerSize(out_channels=n, in_channels=1, kernel=(1, 1)) for n in (2, 6)]
    # F = 1/2 leaves 1/2 and 1/4: 1 + 1.5 of 8 edges.
    found = densities(layers, total=0.3125, allocation=Allocation.IGQ)
    assert found == pytest.approx([0.5, 0.25])
    assert densities(layers, total=1.0, allocation=Allocation.IGQ) == pytest.approx([1.0, 1.0])
    assert densities(layers, total=0.0, allocation=Allocation.IGQ) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("allocation", Allocation)
@given(layers=LAYERS, total=st.floats(0, 1))
def test_the_total_is_met(allocation, layers, total):
    found = densities(layers, total=total, allocation=allocation)
    assert all(0 <= density <= 1 for density in found)
    weights = sum(layer.weights for layer in layers)
    edges = sum(x * layer.weights for x, layer in zip(found, layers, strict=True))
    assert edges == pytest.approx(total * weights, abs=1e-6 * weights)


@pytest.mark.parametrize("allocation", Allocation)
@given(layers=LAYERS, prune=st.floats(0, 1), part=st.floats(0, 1))
def test_ratios_are_ratios_and_meet_the_totals(allocation, layers, prune, part):
    lock = (1 - prune) * part
    if prune + lock > 1:
        return
    found = freeze_ratios(layers, prune=prune, lock=lock, allocation=allocation)
    weights = sum(layer.weights for layer in layers)
    for index, total in enumerate((prune, lock)):
        frozen = sum(x[index] * layer.weights for x, layer in zip(found, layers, strict=True))
        assert frozen == pytest.approx(total * weights, abs=1e-6 * weights)
    for ratios in found:
        assert min(ratios) >= 0
        freeze_counts(*ratios)


def test_jointly_and_independently_by_hand():
    layers = [LayerSize(out_channels=n, in_channels=1, kernel=(1, 1)) for n in (1, 1, 6)]

    def ratios(jointly):
        return freeze_ratios(
            layers, prune=0.25, lock=0.5, allocation=Allocation.EPL, jointly=jointly
        )

    # 6 of 8 edges unpruned fill the small layers and leave the large one 4; 4 unlocked leave it 2;
    # 2 that are neither are shared by three.
    assert ratios(False) == [(0, 0), (0, 0), pytest.approx((1 / 3, 2 / 3))]
    assert ratios(True) == [pytest.approx(x) for x in ((0, 1 / 3), (0, 1 / 3), (1 / 3, 5 / 9))]


def test_independent_ratios_may_exceed_a_layer():
    message = (
        r"^layer 6 would be pruned to 0\.\d+ and locked to 0\.\d+, more than all of it; "
        "allocate the two jointly, or lower prune or lock$"
    )
    with pytest.raises(ConfigError, match=message):
        freeze_ratios(CONV6, prune=0.45, lock=0.45, allocation=Allocation.EPL, jointly=False)


def test_uniform_ratios_are_the_networks():
    found = freeze_ratios(CONV6, prune=0.35, lock=0.35, allocation=Allocation.UNIFORM)
    assert found == [pytest.approx((0.35, 0.35))] * 9


@pytest.mark.parametrize(("prune", "lock"), [(-0.1, 0.2), (0.2, -0.1), (0.6, 0.5)])
def test_ratios_out_of_range(prune, lock):
    message = "^prune and lock must be at least 0 and at most 1 together, not"
    with pytest.raises(ConfigError, match=message):
        freeze_ratios(CONV6, prune=prune, lock=lock, allocation=Allocation.EPL)


def test_density_out_of_range():
    with pytest.raises(ConfigError, match=r"^density must be between 0 and 1, not 1.5$"):
        densities(CONV6, total=1.5, allocation=Allocation.EPL)
