"""The rules a ticket keeps: shapes that agree, sizes within bounds, sums that cannot wrap."""

from dataclasses import dataclass

import numpy as np

from tombola.spec import arithmetic
from tombola.spec.arithmetic import LOGIT_BITS, NumberType
from tombola.spec.errors import TicketError
from tombola.spec.start_state import MAX_SEED
from tombola.spec.ticket import (
    Aggregate,
    AveragePool,
    Conv,
    Layer,
    MaxPool,
    Requantisation,
    Rescale,
    Ticket,
)

MAX_LAYERS = 1024
MAX_SIDE = 1 << 16
MAX_VALUES = 1 << 26
"""Values of one tensor, and positions of all weight sets: what a loader may have to allocate."""


@dataclass(frozen=True, kw_only=True)
class TensorInfo:
    """Shape (channels, height, width) and number type of one tensor of a ticket."""

    shape: tuple[int, int, int]
    type: NumberType

    @property
    def values(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise TicketError(message)


def check(ticket: Ticket) -> tuple[TensorInfo, ...]:
    """Checks every rule of docs/ticket-format.md and returns what each tensor is.

    Raises
    ------
    TicketError
        With the layer, the rule and the value.
    """
    _require(0 <= ticket.seed <= MAX_SEED, f"seed must have at most 64 bits, not {ticket.seed}")
    _require(
        1 <= len(ticket.layers) <= MAX_LAYERS,
        f"a ticket has 1 to {MAX_LAYERS} layers, not {len(ticket.layers)}",
    )
    _check_input(ticket)
    _check_weight_sets(ticket)
    for index, requantisation in enumerate(ticket.requantisations):
        _check_requantisation(index, requantisation)
    tensors = [TensorInfo(shape=ticket.input.shape, type=ticket.input.type)]
    for index, layer in enumerate(ticket.layers):
        tensors.append(_check_layer(ticket, index, layer, tensors))
    is_logits = tensors[-1].type.bits == LOGIT_BITS
    _require(is_logits, "the last layer must have 32-bit logits as its output")
    _require(
        len(ticket.classes) in (0, tensors[-1].shape[0]),
        f"ticket names {len(ticket.classes)} classes but has {tensors[-1].shape[0]} logits",
    )
    _check_all_used(ticket)
    for index in range(len(ticket.masks)):
        _check_mask(ticket, index)
    return tuple(tensors)


def _check_input(ticket: Ticket) -> None:
    shape, table = ticket.input.shape, ticket.input.table
    _check_size("input", shape)
    _require(ticket.input.type.bits <= 8, "input values must have at most 8 bits, not 32")
    _require(
        table.shape in ((1, 256), (shape[0], 256)),
        f"input table must be (1, 256) for all channels or ({shape[0]}, 256), not {table.shape}",
    )
    low, high = ticket.input.type.range
    _require(
        bool(((table >= low) & (table <= high)).all()),
        f"input table must stay within {low}..{high}, not {table.min()}..{table.max()}",
    )


def _check_size(what: str, shape: tuple[int, int, int]) -> None:
    _require(
        all(1 <= side < MAX_SIDE for side in shape)
        and int(np.prod(shape, dtype=np.int64)) <= MAX_VALUES,
        f"{what} must have sides of 1 to {MAX_SIDE - 1} and at most {MAX_VALUES} values, "
        f"not {'x'.join(map(str, shape))}",
    )


def _check_weight_sets(ticket: Ticket) -> None:
    ids = [weight_set.id for weight_set in ticket.weight_sets]
    _require(len(set(ids)) == len(ids), "two weight sets share an id; folded layers share a set")
    positions = sum(x.out_channels * x.layout.positions for x in ticket.weight_sets)
    _require(
        positions <= MAX_VALUES,
        f"weight sets have {positions} positions together; at most {MAX_VALUES} are allowed",
    )


def _check_mask(ticket: Ticket, index: int) -> None:
    mask = ticket.masks[index]
    if mask.coding.stored is not None:
        _require(
            not ticket.weight_sets[mask.weight_set].frozen,
            f"mask {index} stores weights, so its weight set must not be frozen",
        )
    try:
        _ = ticket.decoded
    except TicketError as error:
        raise TicketError(f"mask of the ticket is damaged: {error}") from None


def _check_requantisation(index: int, table: Requantisation) -> None:
    what = f"requantisation {index}"
    _require(0 <= table.shift <= 31, f"{what} has shift {table.shift}; it must be 0 to 31")
    _require(
        table.scale.shape == table.bias.shape and table.scale.ndim == 1 and table.scale.size > 0,
        f"{what} must have as many scales as biases, not {table.scale.size} and {table.bias.size}",
    )
    if table.output.bits == LOGIT_BITS:
        _require(table.clamp is None, f"{what} makes logits, which are not clamped")
        return
    _require(table.clamp is not None, f"{what} must have a clamp")
    assert table.clamp is not None
    (low, high), (least, most) = table.clamp, table.output.range
    _require(
        least <= low <= high <= most,
        f"{what} clamps to {low}..{high}, which must lie within {least}..{most}",
    )


def _item(items: tuple, index: int, what: str, layer: int):  # type: ignore[no-untyped-def]
    _require(
        0 <= index < len(items),
        f"layer {layer} names {what} {index}, but the ticket has {len(items)}",
    )
    return items[index]


def _check_layer(ticket: Ticket, index: int, layer: Layer, tensors: list[TensorInfo]) -> TensorInfo:
    source: TensorInfo = _item(tuple(tensors), layer.input, "tensor", index)
    _require(source.type.bits <= 8, f"layer {index} reads logits; only the last layer makes them")
    magnitude, fan_in = 1, 1
    shape = source.shape
    if isinstance(layer, Conv):
        mask = _item(ticket.masks, layer.mask, "mask", index)
        weight_set = _item(ticket.weight_sets, mask.weight_set, "weight set", index)
        magnitude, fan_in = mask.coding.magnitude, weight_set.layout.weights
        _require(
            layer.groups >= 1
            and layer.groups * weight_set.in_channels == source.shape[0]
            and weight_set.out_channels % layer.groups == 0,
            f"layer {index} has {layer.groups} groups of {weight_set.in_channels} channels, which "
            f"must make up the {source.shape[0]} channels of tensor {layer.input} and divide "
            f"{weight_set.out_channels} output channels",
        )
        shape = _window_shape(index, layer, weight_set.kernel, source, weight_set.out_channels)
    elif isinstance(layer, MaxPool | AveragePool):
        fan_in = layer.kernel[0] * layer.kernel[1]
        shape = _window_shape(index, layer, layer.kernel, source, source.shape[0])
    elif isinstance(layer, Aggregate):
        magnitude, fan_in = 128, MAX_SIDE
    _check_size(f"tensor {index + 1}", shape)
    if isinstance(layer, MaxPool):
        return TensorInfo(shape=shape, type=source.type)
    bound = arithmetic.accumulator_bound(fan_in, source.type, magnitude)
    return _requantised(ticket, index, layer, tensors, shape, bound)


def _window_shape(
    index: int,
    layer: Conv | MaxPool | AveragePool,
    kernel: tuple[int, int],
    source: TensorInfo,
    channels: int,
) -> tuple[int, int, int]:
    stride, (top, left, bottom, right) = layer.window.stride, layer.window.padding
    _require(
        min(kernel) >= 1 and min(stride) >= 1 and max(*kernel, *stride) < MAX_SIDE,
        f"layer {index} must have kernel and stride of at least 1, not {kernel} and {stride}",
    )
    _require(
        min(layer.window.padding) >= 0
        and max(top, bottom) < kernel[0]
        and max(left, right) < kernel[1],
        f"layer {index} has padding {layer.window.padding}, which must be smaller than its "
        f"{kernel[0]}x{kernel[1]} kernel",
    )
    height = (source.shape[1] + top + bottom - kernel[0]) // stride[0] + 1
    width = (source.shape[2] + left + right - kernel[1]) // stride[1] + 1
    _require(
        height >= 1 and width >= 1,
        f"layer {index} has a {kernel[0]}x{kernel[1]} kernel, larger than its padded input of "
        f"{source.shape[1] + top + bottom}x{source.shape[2] + left + right}",
    )
    return channels, height, width


def _requantised(
    ticket: Ticket,
    index: int,
    layer: Conv | AveragePool | Rescale | Aggregate,
    tensors: list[TensorInfo],
    shape: tuple[int, int, int],
    bound: int,
) -> TensorInfo:
    table: Requantisation = _item(
        ticket.requantisations, layer.requantisation, "requantisation", index
    )
    _require(
        table.scale.size == shape[0],
        f"layer {index} has {shape[0]} channels but its requantisation has {table.scale.size}",
    )
    _require(
        bound < 1 << (arithmetic.ACCUMULATOR_BITS - 1),
        f"layer {index} can reach sums of {bound}, more than 32 bits hold",
    )
    extra = 0
    residual = getattr(layer, "residual", None)
    if residual is not None:
        other: TensorInfo = _item(tuple(tensors), residual.tensor, "tensor", index)
        low, high = arithmetic.signed_range(arithmetic.SCALE_BITS)
        _require(
            other.shape == shape and other.type.bits <= 8 and low <= residual.scale <= high,
            f"layer {index} adds tensor {residual.tensor} of shape {other.shape}, which must have "
            f"the shape {shape} and an int16 scale",
        )
        extra = other.type.magnitude * abs(residual.scale)
    if table.output.bits == LOGIT_BITS:
        _require(index == len(ticket.layers) - 1, f"layer {index} makes logits before the end")
        scale, bias = np.abs(table.scale.astype(np.int64)), np.abs(table.bias.astype(np.int64))
        most = (int((scale * bound + bias).max()) + extra + arithmetic.half(table.shift)) >> (
            table.shift
        )
        _require(
            most < 1 << (LOGIT_BITS - 1),
            f"layer {index} can reach logits of {most}, more than 32 bits hold",
        )
    return TensorInfo(shape=shape, type=table.output)


def _check_all_used(ticket: Ticket) -> None:
    layers = ticket.layers
    for what, count, used in (
        ("mask", len(ticket.masks), {x.mask for x in layers if isinstance(x, Conv)}),
        ("weight set", len(ticket.weight_sets), {mask.weight_set for mask in ticket.masks}),
        (
            "requantisation",
            len(ticket.requantisations),
            {x.requantisation for x in layers if not isinstance(x, MaxPool)},
        ),
    ):
        unused = set(range(count)) - used
        _require(not unused, f"{what} {min(unused, default=0)} is not used by any layer")
