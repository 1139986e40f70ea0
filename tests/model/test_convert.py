"""Float networks to tickets: what every layer computes, and how far it is from the reals."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from tombola.model.convert import convert
from tombola.model.description import (
    Activation,
    Affine,
    FloatAdd,
    FloatAveragePool,
    FloatConv,
    FloatMaxPool,
    FloatNetwork,
)
from tombola.model.integer import IntegerModel
from tombola.spec import weight_stream
from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Input, MaxPool, Window
from tombola.spec.weight_stream import FreezeClass, WeightSet

SEED = 0x1234_5678_9ABC_DEF0
SIGNED = NumberType(bits=8, signed=True)
UNSIGNED = NumberType(bits=8, signed=False)
PAD = Window(padding=(1, 1, 1, 1))


def draw(weight_set, coding, rng):
    """Weights in stream order that keep to the seed's signs and freeze classes."""
    classes = weight_stream.freeze_classes(SEED, weight_set)
    if coding.stored is not None:
        weights = rng.integers(-coding.magnitude, coding.magnitude + 1, classes.shape)
    else:
        weights = rng.integers(0, coding.magnitude + 1, classes.shape)
    weights[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
    weights[classes == FreezeClass.LOCKED] = coding.magnitude
    if coding.stored is None:
        weights[weight_stream.negative(SEED, weight_set)] *= -1
    return weights


def network(rng):
    """Every kind of layer, an affine norm, coats, stored weights, groups, two residuals."""

    def conv(number, out, channels, source, *, coding=None, prune=0, lock=0, **options):
        weight_set = WeightSet(
            id=number,
            out_channels=out,
            in_channels=channels,
            kernel=options.pop("kernel", (3, 3)),
            prune=prune,
            lock=lock,
        )
        coding = coding or Coding(coats=1)
        options.setdefault("norm", norm(out))
        options.setdefault("activation", Activation(step=1 / 32))
        return FloatConv(
            input=source,
            weight_set=weight_set,
            weights=draw(weight_set, coding, rng),
            constant=0.1,
            coding=coding,
            **options,
        )

    def norm(channels):
        return Affine.batch_norm(
            rng.normal(size=channels),
            rng.uniform(0.5, 2, channels),
            epsilon=1e-5,
            gamma=rng.uniform(0.5, 1.5, channels),
            beta=rng.normal(size=channels),
        )

    signed = Activation(step=1 / 16, type=SIGNED, clamp=(-128, 127))
    table = np.stack([np.arange(256) // 2 - 64, np.arange(256) - 128]).astype(np.int16)
    return FloatNetwork(
        seed=SEED,
        input=Input(shape=(2, 8, 8), type=SIGNED, table=table),
        input_step=1 / 64,
        classes=("a", "b", "c"),
        layers=(
            conv(0, 4, 2, 0, window=PAD),
            conv(1, 4, 1, 1, window=PAD, groups=4, coding=Coding(coats=3), activation=signed),
            conv(2, 4, 4, 2, window=PAD, residual=1, prune=40, lock=40),
            FloatAdd(input=3, residual=2, activation=signed),
            FloatMaxPool(input=4, kernel=(2, 2), window=Window(stride=(2, 2))),
            conv(3, 6, 4, 5, window=PAD, coding=Coding(stored=4)),
            FloatAveragePool(
                input=6,
                kernel=(3, 3),
                window=Window(stride=(2, 2), padding=(1, 0, 0, 1)),
                activation=Activation(step=1 / 64),
            ),
            conv(4, 3, 6, 7, kernel=(2, 2), activation=None),
        ),
    )


def real_values(layer, source, other):
    """The layer in float64, before its activation."""
    if isinstance(layer, FloatConv):
        layout = layer.weight_set.layout
        weights = torch.from_numpy(layout.from_stream(layer.weights) * layer.constant)
        top, left, bottom, right = layer.window.padding
        padded = functional.pad(source, (left, right, top, bottom))
        value = functional.conv2d(padded, weights, stride=layer.window.stride, groups=layer.groups)
        if layer.norm is not None:
            value = value * torch.from_numpy(layer.norm.slope)[:, None, None]
            value = value + torch.from_numpy(layer.norm.offset)[:, None, None]
    elif isinstance(layer, FloatAveragePool):
        top, left, bottom, right = layer.window.padding
        padded = functional.pad(source, (left, right, top, bottom))
        value = functional.avg_pool2d(padded, layer.kernel, layer.window.stride)
    else:
        value = source
    return value if other is None else value + other


@pytest.fixture(scope="module")
def pair():
    described = network(np.random.default_rng(7))
    return described, convert(described)


def test_each_layer_is_within_a_rounding_of_the_reals(pair):
    described, ticket = pair
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (20, 2, 8, 8), dtype=np.uint8)
    tensors = IntegerModel(ticket).tensors(images)
    steps = [described.input_step]
    for index, layer in enumerate(described.layers):
        source = tensors[layer.input].double() * steps[layer.input]
        found = tensors[index + 1].double()
        if isinstance(layer, FloatMaxPool):
            steps.append(steps[layer.input])
            continue
        residual = getattr(layer, "residual", None)
        other = None if residual is None else tensors[residual] * steps[residual]
        value = real_values(layer, source, other)
        if layer.activation is None:
            # Logits have a unit of their own; they must be proportional to the reals.
            unit = (value * found).sum() / (value * value).sum()
            assert unit > 0
            assert (found / unit - value).abs().max() < 1e-3 * value.abs().max()
            continue
        steps.append(layer.activation.step)
        expected = (value / layer.activation.step).clamp(*layer.activation.clamp)
        assert (found - expected).abs().max() <= 0.5 + 0.02, f"layer {index}"


def test_scales_use_their_16_bits(pair):
    _, ticket = pair
    for layer in ticket.layers[:-1]:
        if isinstance(layer, MaxPool):
            continue
        scales = ticket.requantisations[layer.requantisation].scale.astype(int).tolist()
        residual = getattr(layer, "residual", None)
        if residual is not None:
            scales.append(residual.scale)
        assert max(map(abs, scales)) >= 1 << 14


def plain(**changes):
    """One linear layer from 2x2 bytes to 3 logits."""
    weight_set = WeightSet(id=0, out_channels=3, in_channels=1, kernel=(2, 2))
    layer = FloatConv(
        input=0,
        weight_set=weight_set,
        weights=draw(weight_set, Coding(coats=1), np.random.default_rng(1)),
        constant=0.3,
    )
    return FloatNetwork(
        seed=SEED,
        input=Input(shape=(1, 2, 2), type=UNSIGNED, table=np.arange(256, dtype=np.int16)[None]),
        input_step=1 / 255,
        classes=(),
        layers=(replace(layer, **changes),),
    )


def test_plain_logits_are_the_sums_themselves():
    table = convert(plain()).requantisations[0]
    assert table.scale.tolist() == [1, 1, 1]
    assert table.bias.tolist() == [0, 0, 0]
    assert table.shift == 0


def test_a_channel_without_weights_keeps_its_offset_and_costs_no_precision():
    described = plain()
    weights = described.layers[0].weights.copy()
    weights[1] = 0
    # The dead channel has no variance, so its slope is huge; it must not matter.
    norm = Affine.batch_norm(np.array([0.0, -0.01, 0.0]), np.array([1.0, 0.0, 1.0]), epsilon=1e-5)
    ticket = convert(plain(weights=weights, norm=norm, activation=None))
    assert ticket.requantisations[0].scale[1] == 0
    assert ticket.requantisations[0].bias[1] > 0


def test_layers_that_share_a_mask_store_it_once():
    described = plain()
    first = replace(described.layers[0], activation=Activation(step=1 / 32))
    weight_set = WeightSet(id=1, out_channels=3, in_channels=3)
    shared = FloatConv(
        input=1,
        weight_set=weight_set,
        weights=draw(weight_set, Coding(coats=1), np.random.default_rng(2)),
        constant=0.3,
        activation=Activation(step=1 / 32),
    )
    layers = (first, shared, replace(shared, input=2), replace(shared, input=3, activation=None))
    ticket = convert(replace(described, layers=layers))
    assert [layer.mask for layer in ticket.layers] == [0, 1, 1, 1]
    assert len(ticket.weight_sets) == len(ticket.masks) == 2
    assert len(ticket.requantisations) == 4


def test_signs_that_the_seed_does_not_draw_are_refused():
    described = plain()
    with pytest.raises(ConfigError, match="weight set 0 has signs that its seed does not draw"):
        convert(plain(weights=-described.layers[0].weights))
