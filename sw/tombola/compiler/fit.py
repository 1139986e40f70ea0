"""Whether a ticket runs on an engine, decided before anything is built."""

from collections.abc import Mapping

import numpy as np

from tombola.compiler.grouping import convolved
from tombola.spec import arithmetic
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.lfsr import WORD
from tombola.spec.rules import TensorInfo
from tombola.spec.ticket import Aggregate, Conv, Rescale, Ticket


def require(need: int, have: int, what: str, way_out: str) -> None:
    """Raises a `FitError` that names the need, what there is and the way out."""
    if need > have:
        raise FitError(f"{what} needs {need} but the engine has {have}; {way_out}")


def check_step(fields: Mapping[str, int], layer: int, config: EngineConfig) -> None:
    """Refuses a descriptor whose weights or counts exceed the engine's buffer or counters.

    Raises
    ------
    FitError
        With the field, its value and the limit.
    """
    convolves = fields["operation"] == Operation.CONVOLVE
    if convolves:
        whole = fields["chunk_words"] == fields["row_words"]
        word = fields.get("planes", 1) * WORD >> fields["line_positions"]
        require(
            fields["lines"] if whole else min(word, fields["lines"]),
            config.weight_lines,
            f"layer {layer}: lines of the weight buffer",
            "use more lanes or a deeper weight buffer",
        )
    for field in config.descriptor.fields:
        bits = config.count_width(field) - field.signed
        value = fields[field.name]
        if field.is_count and not -(1 << bits) <= value < 1 << bits:
            raise FitError(
                f"layer {layer}: {field.name} is {value} but the engine counts below {1 << bits}; "
                "use an engine with wider counts"
            )


def check_layer(
    ticket: Ticket, layer: int, tensors: tuple[TensorInfo, ...], config: EngineConfig
) -> None:
    """Refuses what the engine does not run, and layers that exceed its widths or buffers.

    Raises
    ------
    FitError
        With the layer, the limit and the value.
    """
    operation = ticket.layers[layer]
    if isinstance(operation, Aggregate):
        raise FitError(f"layer {layer} is an aggregate, which no engine runs yet")
    if getattr(operation, "residual", None) is not None and not config.residual:
        raise FitError(
            f"layer {layer} adds a further tensor; use an engine built with residual"
        )
    if not isinstance(operation, Conv):
        kernel = (1, 1) if isinstance(operation, Rescale) else operation.kernel
        bits = arithmetic.raw_accumulator_bits(kernel[0] * kernel[1], 1)
        require(
            bits,
            config.pool_bits,
            f"layer {layer}: bits of a pooling sum",
            "use a smaller window or an engine with a wider accumulator",
        )
        return
    mask = ticket.masks[operation.mask]
    if operation.groups > 1 and not config.grouped:
        raise FitError(f"layer {layer} has groups; use an engine built with grouped")
    try:
        channels = tensors[operation.input].shape[0], tensors[layer + 1].shape[0]
        convolved(operation.groups, *channels, config)
    except FitError as error:
        raise FitError(f"layer {layer}: {error}") from None
    if mask.coding.stored is not None and not config.stored:
        raise FitError(
            f"layer {layer} has stored weights, which this engine does not run; "
            "use one that is made for stored weights"
        )
    require(
        mask.coding.planes,
        config.planes,
        f"layer {layer}: planes of its weights",
        "use one with more planes",
    )
    require(
        sum_bits(ticket, operation, config),
        config.accumulator_bits,
        f"layer {layer}: bits of a sum",
        "use an engine with a wider accumulator",
    )


def sum_bits(ticket: Ticket, layer: Conv, config: EngineConfig) -> int:
    """Accumulator bits of a layer: for all its weights if there are so many, else for those kept.

    Which weights are kept is decoded only where it matters.
    """
    mask = ticket.masks[layer.mask]
    fan_in, magnitude = ticket.weight_sets[mask.weight_set].layout.weights, mask.coding.magnitude
    bits = arithmetic.raw_accumulator_bits(fan_in, magnitude, operand_bits=config.operand_bits)
    if bits <= config.accumulator_bits:
        return bits
    kept = int(np.abs(ticket.decoded[layer.mask][0].astype(np.int64)).sum(axis=1).max())
    return arithmetic.raw_accumulator_bits(kept, 1, operand_bits=config.operand_bits)


def sum_bounds(weights: np.ndarray, source: arithmetic.NumberType) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest sum (channels,) that weights int64 (channels, positions) can make."""
    low, high = source.range
    added = np.where(weights > 0, weights, 0).sum(axis=1)
    taken = np.where(weights < 0, -weights, 0).sum(axis=1)
    return low * added - high * taken, high * added - low * taken
