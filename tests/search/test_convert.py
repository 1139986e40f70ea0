"""Converted models compute what the models compute, and folded ones what they would unrolled."""

import copy

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from tombola.search.input_code import InputCode
from tombola.search.models import build
from tombola.search.network import convert
from tombola.search.norm import BatchNorm
from tombola.search.settings import SearchSettings
from tombola.search.weight_source import WeightSource
from tombola.spec.errors import ConfigError

SHAPE = (3, 8, 8)


def images(count=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=generator)


def worn(model, net):
    """A copy of the model with the weights that the network has, masks and all."""
    model = copy.deepcopy(model)
    modules = dict(model.named_modules())
    for step, layer in zip(net.plan.steps, net.layers, strict=True):
        if hasattr(step, "path"):
            conv = layer.conv
            weights = (conv.units * conv.mask * conv.constant).permute(0, 3, 1, 2)
            weight = modules[step.path].weight
            weight.data = weights.reshape(weight.shape)
    return model


def likeness(first, second):
    return functional.cosine_similarity(first.flatten(), second.flatten(), dim=0)


@pytest.mark.parametrize("norm", ["plain", "affine"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mlp", {"hidden": (64,)}),
        ("mlp", {"hidden": (64,), "batch_norm": False}),
        ("conv2", {"width": 1 / 8}),
        ("conv2", {"width": 1 / 8, "batch_norm": False}),
        ("resnet8", {"width": 1 / 2}),
        ("resnet20", {"width": 1 / 2}),
        ("resnet18-folded", {"width": 1 / 4}),
    ],
)
def test_a_converted_model_computes_what_the_model_computes(name, options, norm):
    """Up to the rounding to 8 bits, batch statistics, residuals, poolings and all."""
    torch.manual_seed(1)
    model = build(name, shape=SHAPE, classes=10, **options).train()
    net = convert(model, SearchSettings(norm=norm, scale="layer"), shape=SHAPE).train()
    data = images(64)
    with torch.no_grad():
        net(data)
        expected = worn(model, net)(data.float() / 255)
        assert likeness(net(data), expected) > 0.995


def test_grouped_convolutions_pad_and_stride_like_pytorch():
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(3, 12, (3, 2), stride=(2, 1), padding=(1, 0), groups=3, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.AvgPool2d((2, 7)),
        nn.Flatten(),
        nn.Linear(24, 5, bias=False),
    )
    net = convert(model, SearchSettings(), shape=SHAPE)
    with torch.no_grad():
        expected = worn(model, net)(images().float() / 255)
        assert likeness(net(images()), expected) > 0.999


class Folded(nn.Module):
    """One convolution run three times, or three that are alike."""

    def __init__(self, *, unrolled):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        convs = [nn.Conv2d(6, 6, 3, padding=1, bias=False) for _ in range(3 if unrolled else 1)]
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(6) for _ in range(3))
        self.last = nn.Linear(6, 4, bias=False)

    def forward(self, x):
        x = functional.relu(self.first(x))
        for index, norm in enumerate(self.norms):
            x = functional.relu(norm(self.convs[index % len(self.convs)](x)) + x)
        return self.last(x.mean((2, 3)))


@pytest.mark.parametrize("coats", [1, 3])
def test_gradients_of_a_folded_layer_are_those_of_the_unrolled_ones_together(coats):
    settings = SearchSettings(norm="affine", coats=coats)
    folded, unrolled = (
        convert(Folded(unrolled=kind), settings, shape=SHAPE).train() for kind in (False, True)
    )
    assert (len(folded.convs), len(unrolled.convs)) == (3, 5)
    one, copies = folded.convs[1], unrolled.convs[1:4]
    for target, source in zip(unrolled.convs, [folded.convs[0], one, one, one], strict=False):
        target.load_state_dict(source.state_dict())
        for name in ("units", "weights", "slope"):
            if getattr(source, name) is not None:
                getattr(target, name).copy_(getattr(source, name))
    last, other = folded.convs[-1], unrolled.convs[-1]
    other.load_state_dict(last.state_dict())
    other.units.copy_(last.units)
    other.weights.copy_(last.weights)
    if last.slope is not None:
        other.slope.copy_(last.slope)
    for net in (folded, unrolled):
        for _ in range(2):  # running steps that have seen something
            net.zero_grad()
            logits = net(images())
            logits.square().sum().backward()
    assert torch.equal(folded(images()), unrolled(images()))
    together = sum(conv.scores.grad for conv in copies)
    assert one.scores.grad.abs().max() > 0
    torch.testing.assert_close(one.scores.grad, together)
    torch.testing.assert_close(folded.convs[0].scores.grad, unrolled.convs[0].scores.grad)
    norms = [[m for m in net.modules() if isinstance(m, BatchNorm)] for net in (folded, unrolled)]
    assert len(norms[0]) == 3
    for ours, theirs in zip(*norms, strict=True):
        torch.testing.assert_close(ours.factors.grad, theirs.factors.grad)


def test_a_folded_layer_owns_its_weights_once():
    net = convert(Folded(unrolled=False), SearchSettings(), shape=SHAPE)
    assert [conv.weight_set.id for conv in net.convs] == [0, 1, 2]
    scores = [value for name, value in net.named_parameters() if name.endswith("scores")]
    assert len(scores) == 3


def test_stored_weights_are_the_models():
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 5),
    )  # fmt: skip
    with torch.no_grad():
        for _ in range(50):
            model(torch.rand(32, *SHAPE) * 3)
    model.eval()
    settings = SearchSettings(
        weights=WeightSource.STORED, norm="frozen", sparsity=0.0, start="uniform"
    )
    net = convert(model, settings, shape=SHAPE)
    with torch.no_grad():
        net.train()(images())
        found, expected = net.eval()(images()), model(images().float() / 255)
        assert likeness(found, expected) > 0.999
        # Biases too: of the convolution, behind the norm, and of the logits.
        assert (found - expected).abs().max() < 0.05 * expected.abs().max()
    for conv in net.convs:
        assert conv.units.abs().max() == 127
        assert torch.equal(conv.units, conv.units.round())


def test_normalised_inputs():
    code = InputCode.normalised((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5, bias=False))
    net = convert(model, SearchSettings(), shape=SHAPE, code=code)
    mean = torch.tensor((0.5, 0.4, 0.3))[:, None, None]
    deviation = torch.tensor((0.2, 0.25, 0.3))[:, None, None]
    with torch.no_grad():
        expected = worn(model, net)((images().float() / 255 - mean) / deviation)
        assert likeness(net(images()), expected) > 0.999
    with pytest.raises(ConfigError, match="each channel must have a mean and a deviation above 0"):
        InputCode.normalised((0.5,), (0.0,))


@pytest.mark.parametrize(
    ("settings", "most"), [({"activation_bits": 4}, 15), ({"activation_bits": 1}, 1)]
)
def test_narrow_activations(settings, most):
    model = build("conv2", shape=SHAPE, classes=10, width=1 / 16)
    net = convert(model, SearchSettings(**settings), shape=SHAPE)
    seen = []
    for layer in net.layers[:-1]:
        layer.register_forward_hook(lambda _, __, output: seen.append(output.values))
    net(images()).sum().backward()
    for values in seen:
        assert torch.equal(values, values.round())
        assert values.min() >= 0
        assert values.max() <= most
    assert all((conv.scores.grad != 0).any() for conv in net.convs)


def test_signs():
    model = build("resnet8", shape=SHAPE, classes=10, width=1 / 4)
    net = convert(model, SearchSettings(activation="sign"), shape=SHAPE)
    kinds = set()
    for layer in net.layers[:-1]:
        layer.register_forward_hook(
            lambda _, __, output: kinds.add(frozenset(output.values.unique().tolist()))
        )
    net(images()).sum().backward()
    assert frozenset({-1.0, 1.0}) in kinds
    assert all((conv.scores.grad != 0).any() for conv in net.convs)


def test_no_norms():
    model = build("conv2", shape=SHAPE, classes=10, width=1 / 8)
    net = convert(model, SearchSettings(norm="none"), shape=SHAPE)
    assert not any(isinstance(module, BatchNorm) for module in net.modules())


def test_without_norms_steps_follow_the_deviation():
    model = build("conv2", shape=SHAPE, classes=10, width=1 / 8, batch_norm=False)
    net = convert(model, SearchSettings(), shape=SHAPE).train()
    quantiser = net.layers[0].quantiser
    assert not quantiser.seen
    net(images())
    seen = []
    quantiser.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    first = float(quantiser.step)
    net.eval()(images())
    assert float(quantiser.step) == first  # at rest it stays
    deviation = float(seen[0].detach().square().mean().sqrt())
    assert first == pytest.approx(deviation / 32)
    net.train()
    for conv in net.convs:
        conv.weights.mul_(2)
    net(images())
    # A tenth of the way to twice the step.
    assert float(quantiser.step) == pytest.approx(1.1 * first)
