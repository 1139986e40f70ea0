"""From a float network to a ticket: norms, constants and steps become integer requantisation."""

from dataclasses import dataclass, field

import numpy as np

from tombola.model.description import (
    Activation,
    FloatAveragePool,
    FloatConv,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    Sign,
)
from tombola.model.fold import Folded, fold, fold_logits, fold_sign
from tombola.spec import mask_code, rules, weight_stream
from tombola.spec.arithmetic import LOGITS, NumberType, accumulator_bound
from tombola.spec.errors import ConfigError
from tombola.spec.ticket import (
    AveragePool,
    Conv,
    Layer,
    Mask,
    MaxPool,
    Requantisation,
    Rescale,
    Residual,
    Ticket,
)
from tombola.spec.weight_stream import WeightSet


@dataclass(frozen=True, kw_only=True)
class _Tensor:
    """What a tensor's integers stand for: real value ``step * q``."""

    channels: int
    step: float
    type: NumberType


@dataclass
class _Parts:
    """The tables of the ticket, as they grow layer by layer."""

    network: FloatNetwork
    tensors: list[_Tensor]
    weight_sets: list[WeightSet] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    mask_weights: list[np.ndarray] = field(default_factory=list)
    requantisations: list[Requantisation] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)


def convert(network: FloatNetwork) -> Ticket:
    """The ticket that computes what `network` computes, up to the rounding of the tables.

    Weight sets and masks that several layers share are stored once.

    Raises
    ------
    ConfigError
        If a number does not fit its integer.
    TicketError
        If the result breaks a rule of the ticket.
    """
    source = network.input
    first = _Tensor(channels=source.shape[0], step=network.input_step, type=source.type)
    parts = _Parts(network=network, tensors=[first])
    for layer in network.layers:
        made, tensor = _convert_layer(parts, layer)
        parts.layers.append(made)
        parts.tensors.append(tensor)
    ticket = Ticket(
        seed=network.seed,
        input=source,
        classes=network.classes,
        weight_sets=tuple(parts.weight_sets),
        masks=tuple(parts.masks),
        requantisations=tuple(parts.requantisations),
        layers=tuple(parts.layers),
        provenance=dict(network.provenance),
    )
    rules.check(ticket)
    return ticket


def _convert_layer(parts: _Parts, layer: FloatLayer) -> tuple[Layer, _Tensor]:
    source = parts.tensors[layer.input]
    if isinstance(layer, FloatMaxPool):
        return MaxPool(input=layer.input, kernel=layer.kernel, window=layer.window), source
    if isinstance(layer, FloatConv):
        return _convert_conv(parts, layer, source)
    if isinstance(layer, FloatAveragePool):
        positions = layer.kernel[0] * layer.kernel[1]
        factors = np.full(source.channels, source.step / positions)
        bound = accumulator_bound(positions, source.type, 1)
        requantisation, _, tensor = _requantise(
            parts, layer.activation, factors, np.zeros(source.channels), bound, None
        )
        return (
            AveragePool(
                input=layer.input,
                kernel=layer.kernel,
                window=layer.window,
                requantisation=requantisation,
            ),
            tensor,
        )
    factors = np.full(source.channels, source.step)
    requantisation, residual, tensor = _requantise(
        parts,
        layer.activation,
        factors,
        np.zeros(source.channels),
        source.type.magnitude,
        layer.residual,
    )
    return Rescale(input=layer.input, requantisation=requantisation, residual=residual), tensor


def _convert_conv(parts: _Parts, layer: FloatConv, source: _Tensor) -> tuple[Layer, _Tensor]:
    channels = layer.weight_set.out_channels
    factors = np.broadcast_to(np.asarray(layer.constant * source.step, np.float64), channels)
    offsets = np.zeros(channels)
    if layer.norm is not None:
        factors, offsets = factors * layer.norm.slope, layer.norm.offset
        # A channel without weights always sums to 0: its scale must not cost the others a shift.
        factors = np.where(layer.weights.any(axis=1), factors, 0.0)
    fan_in = layer.weight_set.layout.weights
    bound = accumulator_bound(fan_in, source.type, layer.coding.magnitude)
    requantisation, residual, tensor = _requantise(
        parts, layer.activation, factors, offsets, bound, layer.residual
    )
    conv = Conv(
        input=layer.input,
        mask=_mask(parts, layer),
        requantisation=requantisation,
        window=layer.window,
        groups=layer.groups,
        residual=residual,
    )
    return conv, tensor


def _requantise(
    parts: _Parts,
    activation: Activation | Sign | None,
    factors: np.ndarray,
    offsets: np.ndarray,
    sum_bound: int,
    residual: int | None,
) -> tuple[int, Residual | None, _Tensor]:
    """Adds a table for real values ``factors * sum + offsets``; its index, residual and tensor."""
    other = None if residual is None else parts.tensors[residual]
    added = 0.0 if other is None else other.step
    clamp: tuple[int, int] | None
    if activation is None:
        folded = fold_logits(
            factors,
            offsets,
            sum_bound=sum_bound,
            residual=added,
            residual_bound=0 if other is None else other.type.magnitude,
        )
        output, clamp, step = LOGITS, None, 1.0
    else:
        step, output, clamp = activation.step, activation.type, activation.clamp
        if isinstance(activation, Sign):
            folded = fold_sign(factors, offsets, residual=added)
        else:
            folded = fold(factors / step, offsets / step, residual=added / step)
    parts.requantisations.append(_table(folded, output, clamp))
    tensor = _Tensor(channels=factors.size, step=step, type=output)
    wired = None if residual is None else Residual(tensor=residual, scale=folded.residual_scale)
    return len(parts.requantisations) - 1, wired, tensor


def _table(folded: Folded, output: NumberType, clamp: tuple[int, int] | None) -> Requantisation:
    return Requantisation(
        scale=folded.scale, bias=folded.bias, shift=folded.shift, output=output, clamp=clamp
    )


def _mask(parts: _Parts, layer: FloatConv) -> int:
    """Index of the layer's mask, which is added unless an earlier layer has the same one."""
    if layer.weight_set not in parts.weight_sets:
        parts.weight_sets.append(layer.weight_set)
    weight_set = parts.weight_sets.index(layer.weight_set)
    for index, mask in enumerate(parts.masks):
        same = mask.weight_set == weight_set and mask.coding == layer.coding
        if same and np.array_equal(parts.mask_weights[index], layer.weights):
            return index
    seed = parts.network.seed
    if layer.coding.stored is None:
        drawn = weight_stream.negative(seed, layer.weight_set)
        if ((layer.weights < 0) & ~drawn | (layer.weights > 0) & drawn).any():
            raise ConfigError(
                f"weight set {layer.weight_set.id} has signs that its seed does not draw; "
                "take them from the weight stream, or store the weights"
            )
    classes = weight_stream.freeze_classes(seed, layer.weight_set)
    bits = mask_code.encode(layer.weights, classes, layer.coding)
    parts.masks.append(Mask(weight_set=weight_set, coding=layer.coding, bits=bits))
    parts.mask_weights.append(layer.weights)
    return len(parts.masks) - 1
