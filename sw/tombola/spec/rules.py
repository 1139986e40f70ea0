"""The rules a ticket keeps: shapes that agree, sizes within bounds, sums that cannot wrap."""

import numpy as np

from tombola.spec import arithmetic
from tombola.spec.arithmetic import BIAS_BITS, LOGIT_BITS, MAX_SHIFT, SCALE_BITS
from tombola.spec.layer_rules import MAX_VALUES, TensorInfo, check_layer, check_size, require
from tombola.spec.start_state import MAX_SEED
from tombola.spec.ticket import Conv, MaxPool, Requantisation, Ticket

__all__ = ["MAX_LAYERS", "TensorInfo", "check"]

MAX_LAYERS = 1024


def check(ticket: Ticket) -> tuple[TensorInfo, ...]:
    """Checks every rule of docs/ticket-format.md and returns what each tensor is.

    Raises
    ------
    TicketError
        With the layer, the rule and the value.
    """
    require(0 <= ticket.seed <= MAX_SEED, f"seed must have at most 64 bits, not {ticket.seed}")
    require(
        1 <= len(ticket.layers) <= MAX_LAYERS,
        f"a ticket has 1 to {MAX_LAYERS} layers, not {len(ticket.layers)}",
    )
    _check_input(ticket)
    _check_weight_sets(ticket)
    for index, requantisation in enumerate(ticket.requantisations):
        _check_requantisation(index, requantisation)
    tensors = [TensorInfo(shape=ticket.input.shape, type=ticket.input.type)]
    for index, layer in enumerate(ticket.layers):
        tensors.append(check_layer(ticket, index, layer, tensors))
    is_logits = tensors[-1].type.bits == LOGIT_BITS
    require(is_logits, "the last layer must have 32-bit logits as its output")
    require(
        len(ticket.classes) in (0, tensors[-1].shape[0]),
        f"ticket names {len(ticket.classes)} classes but has {tensors[-1].shape[0]} logits",
    )
    _check_all_used(ticket)
    _check_masks(ticket)
    return tuple(tensors)


def _check_input(ticket: Ticket) -> None:
    shape, table = ticket.input.shape, ticket.input.table
    check_size("input", shape)
    require(ticket.input.type.bits <= 8, "input values must have at most 8 bits, not 32")
    require(
        table.shape in ((1, 256), (shape[0], 256)),
        f"input table must be (1, 256) for all channels or ({shape[0]}, 256), not {table.shape}",
    )
    _check_range("input table", table, *ticket.input.type.range)


def _check_range(what: str, values: np.ndarray, low: int, high: int) -> None:
    require(values.dtype.kind in "iu", f"{what} must hold integers, not {values.dtype}")
    require(
        low <= int(values.min()) and int(values.max()) <= high,
        f"{what} must stay within {low}..{high}, not {values.min()}..{values.max()}",
    )


def _check_weight_sets(ticket: Ticket) -> None:
    ids = [weight_set.id for weight_set in ticket.weight_sets]
    require(len(set(ids)) == len(ids), "two weight sets share an id; folded layers share a set")
    sizes = [x.out_channels * x.layout.positions for x in ticket.weight_sets]
    # A mask of a frozen set may own no bit at all, so the file's size bounds nothing.
    uses = [x.weight_set for x in ticket.masks if 0 <= x.weight_set < len(sizes)]
    for what, positions in (
        ("weight sets", sum(sizes)),
        ("masks", sum(sizes[index] for index in uses)),
    ):
        require(
            positions <= MAX_VALUES,
            f"{what} have {positions} positions together; at most {MAX_VALUES} are allowed",
        )


def _check_masks(ticket: Ticket) -> None:
    for index, mask in enumerate(ticket.masks):
        require(
            mask.coding.stored is None or not ticket.weight_sets[mask.weight_set].frozen,
            f"mask {index} stores weights, so its weight set must not be frozen",
        )
    _ = ticket.decoded  # refuses masks whose bits do not add up


def _check_requantisation(index: int, table: Requantisation) -> None:
    what = f"requantisation {index}"
    require(
        0 <= table.shift <= MAX_SHIFT,
        f"{what} has shift {table.shift}; it must be 0 to {MAX_SHIFT}",
    )
    require(
        table.scale.shape == table.bias.shape and table.scale.ndim == 1 and table.scale.size > 0,
        f"{what} must have as many scales as biases, not {table.scale.size} and {table.bias.size}",
    )
    for name, values, bits in (("scale", table.scale, SCALE_BITS), ("bias", table.bias, BIAS_BITS)):
        _check_range(f"{what} {name}", values, *arithmetic.signed_range(bits))
    if table.output.bits == LOGIT_BITS:
        require(table.clamp is None, f"{what} makes logits, which are not clamped")
        return
    require(table.clamp is not None, f"{what} must have a clamp")
    assert table.clamp is not None
    (low, high), (least, most) = table.clamp, table.output.range
    require(
        least <= low <= high <= most,
        f"{what} clamps to {low}..{high}, which must lie within {least}..{most}",
    )


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
        require(not unused, f"{what} {min(unused, default=0)} is not used by any layer")
