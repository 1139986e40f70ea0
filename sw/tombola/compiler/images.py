"""The memory images of a compiled ticket: masks with their starts, requantisation table, digest."""

import hashlib
import struct

import numpy as np

from tombola.compiler import fit
from tombola.compiler.steps import Plan, Step
from tombola.spec import arithmetic, descriptor, mask_code
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.identity import identity_words
from tombola.spec.ticket import Conv, MaxPool, Ticket


def digest(config: EngineConfig, content: np.ndarray, table_image: np.ndarray) -> np.ndarray:
    """First 8 bytes, as uint32 (2,), of the SHA-256 of all that a program is.

    That is the identity of the engine, the words of the ticket memory behind the digest and the
    entries of the table, all lowest byte first.
    """
    identity = identity_words(config)
    sha = hashlib.sha256(struct.pack(f"<{len(identity)}I", *identity.values()))
    sha.update(content.astype("<u4").tobytes())
    sha.update(table_image.astype("<u8").tobytes())
    return np.frombuffer(sha.digest()[: 4 * descriptor.FIRST], dtype="<u4")


def mask_memory(ticket: Ticket, first_word: int) -> tuple[list[int], np.ndarray]:
    """Word of each mask's channel starts, and the words that follow the descriptors.

    All channel starts come first, then all masks, each from a word boundary. A start is the
    absolute bit address of the channel's first mask bit.
    """
    packed = [mask_code.pack(mask.bits) for mask in ticket.masks]
    packed = [np.pad(bits, (0, -bits.size % 4)).view("<u4") for bits in packed]
    channels = [starts.size - 1 for _, starts in ticket.decoded]
    at = first_word + np.concatenate([[0], np.cumsum(channels)])
    mask_word, addresses = int(at[-1]), []
    for (_, starts), bits in zip(ticket.decoded, packed, strict=True):
        addresses.append(32 * mask_word + starts[:-1])
        mask_word += bits.size
    if 32 * mask_word >= 1 << 32:
        raise FitError("masks need more than 4 Gbit, which no engine addresses")
    image = np.concatenate([np.concatenate(addresses), *packed]) if packed else np.zeros(0)
    return [int(word) for word in at[:-1]], image.astype(np.uint32)


def missing(weights: np.ndarray, config: EngineConfig, *, signed: bool) -> np.ndarray:
    """What the array's sum of a channel lacks of the true one, whatever the activations are.

    Parameters
    ----------
    weights : int64 array (channels, positions)
    config : EngineConfig
    signed : bool
        Of the activations.
    """
    # The array adds ~a = -a - 1 for a negative weight.
    lacks = np.where(weights < 0, -weights, 0).sum(axis=1)
    if config.compact and not signed:
        # It subtracts 128 from unsigned activations.
        lacks = lacks + 128 * weights.sum(axis=1)
    if config.unsigned_sums:
        # It adds 128 to signed activations, and 256 to each ~a.
        lacks = lacks - 256 * np.where(weights < 0, -weights, 0).sum(axis=1)
        if signed:
            lacks = lacks - 128 * weights.sum(axis=1)
    return lacks


def table(
    ticket: Ticket, plan: Plan, config: EngineConfig
) -> tuple[list[int], np.ndarray]:
    """First table entry of each step, and all entries: scale in bits 63..48, bias below."""
    bases: list[int] = []
    entries: list[np.ndarray] = []
    shared: dict[int, int] = {}
    for step in plan.steps:
        scale, bias = _scale_and_bias(ticket, plan, step, config)
        entry = ((scale & 0xFFFF) << 48) | (bias & ((1 << config.bias_bits) - 1))
        base = sum(entry.size for entry in entries)
        if step.keeps_values:
            base = shared.setdefault(int(entry[0]), base)
        bases.append(base)
        if base not in bases[:-1]:
            entries.append(entry)
    image = np.concatenate(entries)
    fit.require(
        image.size,
        config.table_entries,
        "requantisation table: entries",
        "use a larger table",
    )
    return bases, image.astype(np.uint64)


def _scale_and_bias(
    ticket: Ticket, plan: Plan, step: Step, config: EngineConfig
) -> tuple[np.ndarray, np.ndarray]:
    layer, source = ticket.layers[step.layer], plan.buffers[step.source].type
    one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
    if step.operation is Operation.MAX_POOL:
        # A compact pooling unit gives ~maximum = -maximum - 1, the other adds 128 if signed.
        return (~zero, ~zero) if config.compact else (one, zero - 128 * source.signed)
    scale, bias = one, zero
    if not step.keeps_values:
        assert not isinstance(layer, MaxPool)
        values = ticket.requantisations[layer.requantisation]
        scale = values.scale.astype(np.int64)
        bias = values.bias.astype(np.int64) + arithmetic.half(values.shift)
    if step.operation is Operation.AVERAGE_POOL:
        weights = np.ones((1, step.kernel[0] * step.kernel[1]), np.int64)
    else:
        assert isinstance(layer, Conv)
        weights = ticket.decoded[layer.mask][0].astype(np.int64)
    if config.short_totals:
        totals = [sums * scale + bias for sums in fit.sum_bounds(weights, source)]
        fit.require(
            arithmetic.signed_bits(int(np.min(totals)), int(np.max(totals))),
            arithmetic.LOGIT_BITS,
            f"layer {step.layer}: bits of a scaled sum",
            "use an engine without short totals",
        )
    if config.compact and step.operation is Operation.AVERAGE_POOL:
        return scale, bias  # it has a pooling unit for it
    return scale, bias + scale * missing(weights, config, signed=source.signed)
