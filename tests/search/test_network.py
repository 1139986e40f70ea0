"""Networks under search: layers from parts, masks from scores, integers inside."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tombola.search import weight_source
from tombola.search.allocation import Allocation, LayerSize
from tombola.search.architecture import AveragePooling, Convolution, Linear, MaxPooling, sequential
from tombola.search.network import convert
from tombola.search.presets import PRESETS, preset
from tombola.search.settings import SearchSettings
from tombola.search.weight_source import WeightSource
from tombola.spec import weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import FreezeClass, WeightSet

PARTS = (Convolution(out=6), MaxPooling(), Convolution(out=5, kernel=2, padding=0), Linear(out=4))
SHAPE = (3, 6, 7)


def network(parts=PARTS, **settings):
    return convert(sequential(parts, shape=SHAPE), SearchSettings(**settings), shape=SHAPE)


def sizes(net):
    return [step.size for step in net.plan.steps if hasattr(step, "size")]


def test_sizes():
    assert sizes(network()) == [
        LayerSize(out_channels=6, in_channels=3, kernel=(3, 3)),
        LayerSize(out_channels=5, in_channels=6, kernel=(2, 2)),
        LayerSize(out_channels=4, in_channels=5, kernel=(2, 2)),
    ]


@pytest.mark.parametrize(
    ("name", "shape", "weights"),
    [
        ("digits-cnn", (1, 8, 8), 25744),
        ("mnist-mlp", (1, 28, 28), 266200),
        ("fmnist-mlp", (1, 28, 28), 268800),
        ("fmnist-cnn", (1, 28, 28), 31952),
        ("fmnist-resnet-folded", (1, 28, 28), 65544),  # 42504 of them unique
    ],
)
def test_presets(name, shape, weights):
    chosen = preset(name)
    net = convert(chosen.model(shape=shape, classes=10), chosen.settings, shape=shape)
    assert sum(size.weights for size in sizes(net)) == weights
    assert net.classes == 10


def test_unknown_preset():
    known = ", ".join(PRESETS)
    with pytest.raises(ConfigError, match=f"^preset 'vgg' is unknown; known: {known}$"):
        preset("vgg")


def test_weights_are_the_streams():
    net = network(seed=99)
    for number, conv in enumerate(net.convs):
        assert conv.weight_set.id == number
        negative = weight_stream.negative(99, conv.weight_set)
        rows = conv.integers()
        kept = rows != 0
        np.testing.assert_array_equal(rows[kept] < 0, negative[kept])
        fan_in = conv.weight_set.layout.weights
        step = 1 / 255 if number == 0 else 1 / 32
        assert conv.weights.abs().unique().item() == pytest.approx((2 / fan_in) ** 0.5 * step)
        assert conv.scores.abs().max() <= fan_in**-0.5


def test_stream_order_is_the_order_of_scores():
    conv = network().convs[0]
    kept = torch.zeros(conv.scores.numel(), dtype=torch.bool)
    kept[5] = True  # output 0, kernel position (0, 1), input channel 2
    conv.keep(kept)
    values = conv.weight_set.layout.from_stream(conv.integers())
    assert np.argwhere(values).tolist() == [[0, 2, 0, 1]]


@pytest.mark.parametrize("scope", ["layer", "network"])
@pytest.mark.parametrize("allocation", Allocation)
@pytest.mark.parametrize("seed", range(3))
def test_frozen_weights_hold_while_scores_move(scope, allocation, seed):
    if scope == "layer" and allocation is not Allocation.UNIFORM:
        scope, sparsity = "network", 0.6
    else:
        sparsity = 0.5
    net = network(
        seed=seed, prune=0.3, lock=0.25, scope=scope, allocation=allocation, sparsity=sparsity
    )
    classes = [weight_source.classes(WeightSource.STREAM, seed, c.weight_set) for c in net.convs]
    total = sum(x.size for x in classes)
    moved = 0
    before = [conv.mask.clone() for conv in net.convs]
    for round_ in range(3):
        with torch.no_grad():
            for conv in net.convs:
                conv.scores.normal_(generator=torch.Generator().manual_seed(round_))
        net.select()
        for conv, drawn, old in zip(net.convs, classes, before, strict=True):
            mask = conv.mask.numpy()
            assert (mask[drawn == FreezeClass.PRUNED] == 0).all()
            assert (mask[drawn == FreezeClass.LOCKED] == 1).all()
            moved += int((conv.mask != old).sum())
        kept = sum(int(conv.mask.sum()) for conv in net.convs)
        if scope == "network":
            assert kept == total - int(sparsity * total)
        else:
            assert kept == sum(x.size - int(sparsity * x.size) for x in classes)
    assert moved > 0


@given(st.integers(0, 2**64 - 1), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
def test_exact_counts_from_any_seed(seed, sparsity):
    net = network(seed=seed, sparsity=sparsity)
    for conv in net.convs:
        weights = conv.scores.numel()
        assert int(conv.mask.sum()) == weights - int(sparsity * weights)


def test_drawn_counts_are_checked():
    # On so few weights the draws stray from 0.45 far enough for some seeds.
    messages = set()
    for seed in range(40):
        try:
            network(seed=seed, prune=0.48, lock=0.0, scope="layer", allocation=Allocation.UNIFORM)
        except ConfigError as error:
            messages.add(str(error).split(";")[1].split(" or")[0].strip())
    assert messages == {"lower prune"}


def test_activations_are_the_integers_of_the_engine():
    net = network(parts=(*PARTS[:2], AveragePooling(size=3), Linear(out=4)))
    seen = []
    for layer in net.layers:
        layer.register_forward_hook(lambda _, __, output: seen.append(output.values.clone()))
    net(torch.randint(0, 256, (4, *SHAPE), dtype=torch.uint8))
    assert len(seen) == 4
    for tensor in seen[:-1]:
        assert torch.equal(tensor, tensor.round())
        assert tensor.min() >= 0
        assert 0 < tensor.max() <= 255


def test_pooling_first_changes_nothing():
    net = network()
    net.eval()
    images = torch.randint(0, 256, (8, *SHAPE), dtype=torch.uint8)
    expected = net(images)
    conv, pooled = net.layers[0], net.layers[1]
    assert conv.pool is not None
    assert pooled.pool is None
    conv.pool, pooled.pool = None, conv.pool
    assert torch.equal(net(images), expected)


def test_gradients_reach_every_score():
    net = network()
    net(torch.randint(0, 256, (16, *SHAPE), dtype=torch.uint8)).square().sum().backward()
    for conv in net.convs:
        assert (conv.scores.grad != 0).float().mean() > 0.9


def test_parts_must_end_in_logits():
    with pytest.raises(ConfigError, match="the last part of a network must be a Linear"):
        network(parts=PARTS[:-1])


def test_windows_must_fit():
    with pytest.raises(ConfigError, match=r"^part 0 has a window larger than the map it runs"):
        network(parts=(Convolution(out=2, kernel=9, padding=0), Linear(out=2)))


def test_weights_of_pytorch_cannot_be_frozen():
    with pytest.raises(ConfigError, match="weights of PyTorch cannot be frozen"):
        network(weights=WeightSource.TORCH, prune=0.2)


def test_weights_of_pytorch_are_signs_too():
    weight_set = WeightSet(id=0, out_channels=8, in_channels=3, kernel=(3, 3))
    ours = weight_source.signs(WeightSource.STREAM, 7, weight_set)
    theirs = weight_source.signs(WeightSource.TORCH, 7, weight_set)
    assert ours.shape == theirs.shape == (8, 3, 3, 3)
    assert set(np.unique(theirs)) == {-1.0, 1.0}
    assert (ours != theirs).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed must be between 0 and 18446744073709551615, not -1"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"scope": "all"}, "scope must be layer, network, group or threshold, not 'all'"),
        ({"sparsity": 2.0}, "sparsity must be between 0 and 1, not 2"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0 and at most 1e+37, not 0"),
        (
            {"prune": 0.6},
            "prune 0.6 exceeds sparsity 0.5, which counts pruned weights; lower prune or raise "
            "sparsity",
        ),
        (
            {"lock": 0.6},
            "lock 0.6 leaves no room for sparsity 0.5; lower lock to 0.5 or lower sparsity",
        ),
    ],
)
def test_wrong_settings(changes, message):
    with pytest.raises(ConfigError) as error:
        replace(SearchSettings(), **changes)
    assert str(error.value) == message


def test_wrong_parts():
    with pytest.raises(ConfigError, match=r"^Convolution out must be at least 1, not 0$"):
        Convolution(out=0)
    with pytest.raises(TypeError, match=r"^Linear out must be an int, not 2\.5$"):
        Linear(out=2.5)
