"""From a searched network to its ticket, by way of the description that the model room converts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tombola.model.convert import convert
from tombola.model.description import (
    Activation,
    Affine,
    FloatAveragePool,
    FloatConv,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
)
from tombola.search import architecture
from tombola.search.layers import EPSILON, HIGHEST, STEP, MaskedConv, Norm
from tombola.search.network import INPUT_STEP, Network
from tombola.search.weight_source import WeightSource
from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError
from tombola.spec.ticket import Input, Ticket, Window

BYTE = NumberType(bits=8, signed=False)


def describe(network: Network, *, classes: Sequence[str]) -> FloatNetwork:
    """The network as it stands, for `tombola.model.convert`.

    Raises
    ------
    ConfigError
        If its weights cannot be regenerated from the seed.
    """
    if network.settings.weights is not WeightSource.STREAM:
        raise ConfigError(
            "weights of PyTorch's generator cannot be regenerated on a chip; search with "
            "--weights stream to export a ticket"
        )
    convs, norms = iter(network.convs), iter(network.norms)
    layers: list[FloatLayer] = []
    for index, part in enumerate(network.parts):
        if isinstance(part, architecture.MaxPooling | architecture.AveragePooling):
            layers.append(_pool(part, index))
        else:
            norm = None if index == len(network.parts) - 1 else next(norms)
            layers.append(_conv(next(convs), norm, index))
    table = np.tile(np.arange(256, dtype=np.int16), (network.shape[0], 1))
    return FloatNetwork(
        seed=network.settings.seed,
        input=Input(shape=network.shape, type=BYTE, table=table),
        input_step=INPUT_STEP,
        classes=tuple(classes),
        layers=tuple(layers),
    )


def export(
    network: Network, *, classes: Sequence[str], provenance: dict[str, str | int | float]
) -> Ticket:
    """The ticket of a searched network; raises as `describe` and `convert` do."""
    return convert(replace(describe(network, classes=classes), provenance=provenance))


def _pool(
    part: architecture.MaxPooling | architecture.AveragePooling, index: int
) -> FloatMaxPool | FloatAveragePool:
    kernel, window = (part.size, part.size), Window(stride=(part.size, part.size))
    if isinstance(part, architecture.MaxPooling):
        return FloatMaxPool(input=index, kernel=kernel, window=window)
    return FloatAveragePool(input=index, kernel=kernel, window=window, activation=_activation())


def _conv(conv: MaskedConv, norm: Norm | None, index: int) -> FloatConv:
    padding, stride = (conv.padding,) * 4, (conv.stride, conv.stride)
    affine = None
    if norm is not None:
        affine = Affine.batch_norm(
            norm.mean.double().numpy(), norm.variance.double().numpy(), epsilon=EPSILON
        )
    return FloatConv(
        input=index,
        weight_set=conv.weight_set,
        weights=conv.ternary(),
        constant=conv.constant,
        norm=affine,
        activation=None if norm is None else _activation(),
        window=Window(stride=stride, padding=padding),
    )


def _activation() -> Activation:
    return Activation(step=STEP, type=BYTE, clamp=(0, HIGHEST))
