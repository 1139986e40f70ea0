"""From a searched network to its ticket, by way of the description that the model room converts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from tombola.model.convert import convert
from tombola.model.description import (
    Activation,
    FloatAdd,
    FloatAveragePool,
    FloatConv,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
)
from tombola.search.layers import AddLayer, AverageLayer, ConvLayer
from tombola.search.network import Network
from tombola.search.plan import Convolve, Pair, PoolAverage, PoolMax, Shape, Step, Subsample
from tombola.search.weight_source import WeightSource
from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Input, Ticket, Window
from tombola.spec.weight_stream import WeightSet


def describe(network: Network, *, classes: Sequence[str]) -> FloatNetwork:
    """The network as it stands, for `tombola.model.convert`.

    Raises
    ------
    ConfigError
        If its weights cannot be regenerated from the seed.
    """
    if network.settings.weights is WeightSource.TORCH:
        raise ConfigError(
            "weights of PyTorch's generator cannot be regenerated on a chip; search with "
            "--weights stream to export a ticket"
        )
    code = network.code
    layers: list[FloatLayer] = []
    types, sizes, shapes = [code.type], [code.step], [network.shape]
    fixed_sets = len(network.convs)
    for step, layer in zip(network.plan.steps, network.layers, strict=True):
        if isinstance(step, Subsample):
            activation = _as_it_is(types[step.input], sizes[step.input])
            made: FloatLayer = _subsample(step, shapes[step.input], fixed_sets, activation)
            fixed_sets += 1
        else:
            made = _describe(step, layer, sizes[step.input])
        activation = getattr(made, "activation", None)
        layers.append(made)
        types.append(types[step.input] if activation is None else activation.type)
        sizes.append(sizes[step.input] if activation is None else activation.step)
        shapes.append(step.shape)
    return FloatNetwork(
        seed=network.settings.seed,
        input=Input(shape=network.shape, type=code.type, table=code.table),
        input_step=code.step,
        classes=tuple(classes),
        layers=tuple(layers),
    )


def export(
    network: Network, *, classes: Sequence[str], provenance: dict[str, str | int | float]
) -> Ticket:
    """The ticket of a searched network; raises as `describe` and `convert` do."""
    return convert(replace(describe(network, classes=classes), provenance=provenance))


def _describe(
    step: Step, layer: ConvLayer | AddLayer | AverageLayer, input_step: float
) -> FloatLayer:
    if isinstance(step, Convolve):
        return _conv(step, layer)
    if isinstance(step, PoolMax):
        window = _window(step.stride, step.padding)
        return FloatMaxPool(input=step.input, kernel=step.kernel, window=window)
    if isinstance(step, PoolAverage):
        return _average(step, layer, input_step)
    activation = None if layer.quantiser is None else layer.quantiser.describe()
    return FloatAdd(input=step.input, activation=activation, residual=step.residual)


def _conv(step: Convolve, layer: ConvLayer) -> FloatConv:
    conv = layer.conv
    return FloatConv(
        input=step.input,
        weight_set=conv.weight_set,
        weights=conv.integers(),
        coding=conv.coding,
        constant=_constant(conv.constant),
        norm=None if layer.norm is None else layer.norm.describe(),
        activation=None if layer.quantiser is None else layer.quantiser.describe(),
        window=Window(stride=step.stride, padding=step.padding),
        groups=step.groups,
        residual=step.residual,
    )


def _constant(value: Tensor | float) -> float | np.ndarray:
    return value.flatten().cpu().double().numpy() if isinstance(value, Tensor) else value


def _subsample(
    step: Subsample, source: Shape, number: int, activation: Activation
) -> FloatConv:
    """A convolution that is stored: 1 from each channel to the same one, and nothing else."""
    weight_set = WeightSet(id=number, out_channels=step.shape[0], in_channels=source[0])
    weights = np.eye(step.shape[0], source[0], dtype=np.int16)[:, :, None, None]
    return FloatConv(
        input=step.input,
        weight_set=weight_set,
        weights=weight_set.layout.to_stream(weights),
        coding=Coding(stored=2),
        constant=1.0,
        activation=activation,
        window=_window(step.stride, (0, 0)),
    )


def _as_it_is(type_: NumberType, step: float) -> Activation:
    return Activation(step=step, type=type_, clamp=type_.range)


def _average(step: PoolAverage, layer: AverageLayer, input_step: float) -> FloatAveragePool:
    activation = None
    if not layer.logits:
        activation = _as_it_is(layer.type, input_step / layer.ratio)
    window = _window(step.stride, step.padding)
    return FloatAveragePool(
        input=step.input, kernel=step.kernel, window=window, activation=activation
    )


def _window(stride: Pair, padding: Pair) -> Window:
    return Window(stride=stride, padding=(*padding, *padding))
