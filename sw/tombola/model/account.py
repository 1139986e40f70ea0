"""What a ticket is made of, counted: layer by layer and in all."""

import math
from typing import Any

import numpy as np

from tombola.spec import rules, size, weight_stream
from tombola.spec.ticket import Conv, MaxPool, Ticket
from tombola.spec.ticket_json import OPERATIONS
from tombola.spec.weight_stream import FreezeClass


def entropy_bits(kept: int, total: int) -> float:
    """Bits that `total` independent choices cost at the least when `kept` of them are 1."""
    if kept in (0, total):
        return 0.0
    ratio = kept / total
    return -total * (ratio * math.log2(ratio) + (1 - ratio) * math.log2(1 - ratio))


def account(ticket: Ticket) -> dict[str, Any]:
    """Counts of a ticket, as plain numbers, strings and lists.

    Returns
    -------
    dict
        ``layers``, ``weights``, ``layer_weights`` (a folded set once for each layer),
        ``searchable_weights``, ``kept_weights``, ``mask_bits``, ``mask_bits_a_weight``,
        ``entropy_bits``, ``requantisation_bits``, ``seed_and_mask_bytes``, ``model_bytes`` (with
        requantisation), ``dense_bytes``, ``seed_and_mask_compression`` and ``model_compression``
        (dense bytes to either size), ``seed``, ``input``, ``classes``,
        ``provenance`` and ``layer_table``.
    """
    shapes = [info.shape for info in rules.check(ticket)]
    measured = size.measure(ticket)
    masks = [_mask(ticket, index) for index in range(len(ticket.masks))]
    seed_and_mask_bytes = math.ceil(measured.seed_and_mask_bits / 8)
    model_bytes = math.ceil(measured.model_bits / 8)
    return {
        "format_seed_bits": size.SEED_BITS,
        "seed": f"{ticket.seed:016x}",
        "input": list(ticket.input.shape),
        "classes": list(ticket.classes),
        "layers": len(ticket.layers),
        "weights": measured.weights,
        "layer_weights": measured.layer_weights,
        "searchable_weights": measured.searchable_weights,
        "kept_weights": sum(mask["kept"] for mask in masks),
        "mask_bits": measured.mask_bits,
        "mask_bits_a_weight": measured.mask_bits / max(1, measured.weights),
        "entropy_bits": round(sum(mask["entropy_bits"] for mask in masks), 1),
        "requantisation_bits": measured.requantisation_bits,
        "seed_and_mask_bytes": seed_and_mask_bytes,
        "model_bytes": model_bytes,
        "dense_bytes": measured.dense_bytes,
        "seed_and_mask_compression": measured.dense_bytes / seed_and_mask_bytes,
        "model_compression": measured.dense_bytes / model_bytes,
        "layer_table": [
            _layer(ticket, index, shapes[index + 1], masks) for index in range(len(ticket.layers))
        ],
        "provenance": dict(ticket.provenance),
    }


def _mask(ticket: Ticket, index: int) -> dict[str, Any]:
    mask = ticket.masks[index]
    weight_set = ticket.weight_sets[mask.weight_set]
    classes = weight_stream.freeze_classes(ticket.seed, weight_set)
    magnitude = np.abs(ticket.decoded[index][0])
    searchable = classes == FreezeClass.SEARCHABLE
    levels = mask.coding.coats or 1
    # Coats are nested: coat i + 1 chooses among what coat i kept.
    counts = [int(searchable.sum())]
    counts += [int((searchable & (magnitude >= coat)).sum()) for coat in range(1, levels + 1)]
    entropy = sum(entropy_bits(counts[i + 1], counts[i]) for i in range(levels))
    if mask.coding.stored is not None:  # signs and magnitudes are taken as they are
        entropy += mask.coding.stored * counts[1]
    return {
        "weights": weight_set.weights,
        "pruned": int((classes == FreezeClass.PRUNED).sum()),
        "locked": int((classes == FreezeClass.LOCKED).sum()),
        "searchable": counts[0],
        "kept": int((magnitude > 0).sum()),
        "mask_bits": int(mask.bits.size),
        "entropy_bits": entropy,
    }


def _layer(
    ticket: Ticket, index: int, shape: tuple[int, int, int], masks: list[dict[str, Any]]
) -> dict[str, Any]:
    layer = ticket.layers[index]
    name = next(name for name, kind in OPERATIONS.items() if isinstance(layer, kind))
    entry: dict[str, Any] = {"layer": index, "op": name, "shape": list(shape)}
    if isinstance(layer, Conv):
        entry["kernel"] = list(ticket.weight_sets[ticket.masks[layer.mask].weight_set].kernel)
        entry |= {**masks[layer.mask], "mask": layer.mask}
    if not isinstance(layer, MaxPool):
        entry["shift"] = ticket.requantisations[layer.requantisation].shift
    return entry
