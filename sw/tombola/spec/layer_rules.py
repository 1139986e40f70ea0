"""The rules of one layer: what it reads exists and agrees, what it makes is bounded."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tombola.spec import arithmetic
from tombola.spec.arithmetic import LOGIT_BITS, NumberType
from tombola.spec.errors import TicketError
from tombola.spec.ticket import (
    Aggregate,
    AveragePool,
    Conv,
    Layer,
    MaxPool,
    Rescale,
    Ticket,
)

Item = TypeVar("Item")
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


def require(holds: bool, message: str) -> None:
    """Refuses a ticket with `message` unless the rule holds."""
    if not holds:
        raise TicketError(message)


def check_size(what: str, shape: tuple[int, int, int]) -> None:
    """Refuses a tensor that is empty or larger than a loader should allocate."""
    require(
        all(1 <= side < MAX_SIDE for side in shape)
        and int(np.prod(shape, dtype=np.int64)) <= MAX_VALUES,
        f"{what} must have sides of 1 to {MAX_SIDE - 1} and at most {MAX_VALUES} values, "
        f"not {'x'.join(map(str, shape))}",
    )


def _tensor(tensors: list[TensorInfo], tensor: int, layer: int) -> TensorInfo:
    require(
        0 <= tensor < len(tensors),
        f"layer {layer} reads tensor {tensor}; only tensors 0 to {layer} are made before it",
    )
    return tensors[tensor]


def _item(items: tuple[Item, ...], index: int, what: str, layer: int) -> Item:
    require(
        0 <= index < len(items),
        f"layer {layer} names {what} {index}, but the ticket has {len(items)}",
    )
    return items[index]


def check_layer(ticket: Ticket, index: int, layer: Layer, tensors: list[TensorInfo]) -> TensorInfo:
    """Checks layer `index` against the tensors before it, and returns what it makes."""
    source = _tensor(tensors, layer.input, index)
    require(source.type.bits <= 8, f"layer {index} reads logits; only the last layer makes them")
    magnitude, fan_in = 1, 1
    shape = source.shape
    if isinstance(layer, Conv):
        mask = _item(ticket.masks, layer.mask, "mask", index)
        weight_set = _item(ticket.weight_sets, mask.weight_set, "weight set", index)
        magnitude, fan_in = mask.coding.magnitude, weight_set.layout.weights
        require(
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
    check_size(f"tensor {index + 1}", shape)
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
    require(
        min(kernel) >= 1 and min(stride) >= 1 and max(*kernel, *stride) < MAX_SIDE,
        f"layer {index} must have a kernel and a stride of 1 to {MAX_SIDE - 1}, "
        f"not {kernel} and {stride}",
    )
    require(
        min(layer.window.padding) >= 0
        and max(top, bottom) < kernel[0]
        and max(left, right) < kernel[1],
        f"layer {index} has padding {layer.window.padding}, which must be smaller than its "
        f"{kernel[0]}x{kernel[1]} kernel",
    )
    height = (source.shape[1] + top + bottom - kernel[0]) // stride[0] + 1
    width = (source.shape[2] + left + right - kernel[1]) // stride[1] + 1
    require(
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
    table = _item(ticket.requantisations, layer.requantisation, "requantisation", index)
    require(
        table.scale.size == shape[0],
        f"layer {index} has {shape[0]} channels but its requantisation has {table.scale.size}",
    )
    require(
        bound < 1 << (arithmetic.ACCUMULATOR_BITS - 1),
        f"layer {index} can reach sums of {bound}, more than 32 bits hold",
    )
    extra = 0
    residual = getattr(layer, "residual", None)
    if residual is not None:
        other = _tensor(tensors, residual.tensor, index)
        low, high = arithmetic.signed_range(arithmetic.SCALE_BITS)
        require(
            other.shape == shape and other.type.bits <= 8 and low <= residual.scale <= high,
            f"layer {index} adds tensor {residual.tensor} of shape {other.shape}, which must have "
            f"the shape {shape} and an int16 scale",
        )
        extra = other.type.magnitude * abs(residual.scale)
    if table.output.bits == LOGIT_BITS:
        require(index == len(ticket.layers) - 1, f"layer {index} makes logits before the end")
        scale, bias = np.abs(table.scale.astype(np.int64)), np.abs(table.bias.astype(np.int64))
        most = (int((scale * bound + bias).max()) + extra + arithmetic.half(table.shift)) >> (
            table.shift
        )
        require(
            most < 1 << (LOGIT_BITS - 1),
            f"layer {index} can reach logits of {most}, more than 32 bits hold",
        )
    return TensorInfo(shape=shape, type=table.output)
