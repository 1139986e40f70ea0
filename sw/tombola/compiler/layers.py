"""One layer of a ticket to the fields of its descriptor."""

from dataclasses import dataclass

import numpy as np

from tombola.compiler.memory_plan import Placement
from tombola.spec import descriptor
from tombola.spec.arithmetic import LOGIT_BITS
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.identity import fingerprint
from tombola.spec.lfsr import WORD
from tombola.spec.rules import TensorInfo
from tombola.spec.ticket import AveragePool, Conv, MaxPool, Ticket, Window
from tombola.spec.weight_stream import WeightSet

ADDRESS_MASK = (1 << descriptor.ADDRESS_BITS) - 1
WEIGHT_FIELDS = (
    "weight_set",
    "prune",
    "frozen",
    "starts_base",
    "row_words",
    "chunk_words",
    "period",
    "line_positions",
    "word_mask",
    "tail_mask",
)
NO_WEIGHTS = dict.fromkeys(WEIGHT_FIELDS, 0)


@dataclass(frozen=True, kw_only=True)
class LayerPlaces:
    """Where the compiler put what one layer uses.

    Parameters
    ----------
    source, target : Placement
        Input and output tensors; for logits the target is the result memory.
    table : int
        First requantisation entry.
    starts : int
        Ticket word of the channel starts; 0 for a layer without weights.
    """

    source: Placement
    target: Placement
    table: int
    starts: int = 0


def fields(
    ticket: Ticket,
    layer: int,
    tensors: tuple[TensorInfo, ...],
    places: LayerPlaces,
    config: EngineConfig,
) -> dict[str, int]:
    """Every field of the descriptor of one layer that `fit.check_layer` has let pass."""
    operation = ticket.layers[layer]
    source, target = tensors[operation.input], tensors[layer + 1]
    if isinstance(operation, Conv):
        weight_set = ticket.weight_sets[ticket.masks[operation.mask].weight_set]
        kernel, inner, group_channels = weight_set.kernel, places.source.groups, config.rows
        column_step, group_step = 1, 0
        weights = _weight_fields(weight_set, places, target, config)
        code = Operation.CONVOLVE
    else:
        assert isinstance(operation, MaxPool | AveragePool)
        kernel, inner, group_channels = operation.kernel, 1, config.lanes
        column_step, group_step = places.source.groups, 1
        weights = NO_WEIGHTS
        code = Operation.MAX_POOL if isinstance(operation, MaxPool) else Operation.AVERAGE_POOL
    logits = target.type.bits == LOGIT_BITS
    return {
        "operation": code,
        "input_signed": source.type.signed,
        "logits": logits,
        "last": layer == len(ticket.layers) - 1,
        **_output_fields(ticket, layer, target, places, shared_entry=code is Operation.MAX_POOL),
        "groups": -(-target.shape[0] // group_channels),
        "channels": target.shape[0],
        "out_height": target.shape[1],
        "out_width": target.shape[2],
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "inner": inner,
        "lines": kernel[0] * kernel[1] * inner,
        **_window_fields(operation.window, source, places.source),
        "column_step": column_step,
        "group_step": group_step,
        "output_base": places.target.base,
        "output_step": target.shape[0] if logits else places.target.groups,
        **weights,
        "seed_low": ticket.seed & 0xFFFFFFFF,
        "seed_high": ticket.seed >> 32,
        "engine": fingerprint(config),
    }


def _window_fields(window: Window, source: TensorInfo, place: Placement) -> dict[str, int]:
    (down, across), (top, left, _, _) = window.stride, window.padding
    _, height, width = source.shape
    pitch = width * place.groups
    return {
        "in_height": height,
        "in_width": width,
        "stride_y": down,
        "stride_x": across,
        "first_y": -top,
        "first_x": -left,
        "input_base": (place.base - top * pitch - left * place.groups) & ADDRESS_MASK,
        "kernel_row_step": pitch,
        "pixel_step": across * place.groups,
        "line_step": down * pitch,
    }


def _output_fields(
    ticket: Ticket, layer: int, target: TensorInfo, places: LayerPlaces, *, shared_entry: bool
) -> dict[str, int]:
    operation = ticket.layers[layer]
    shift, clamp = 0, target.type.range
    if not isinstance(operation, MaxPool):
        table = ticket.requantisations[operation.requantisation]
        shift, clamp = table.shift, table.clamp or (0, 0)
    return {
        "shift": shift,
        "clamp_low": clamp[0],
        "clamp_high": clamp[1],
        "table_base": places.table,
        "table_step": 0 if shared_entry else 1,
    }


def chunk_words(weight_set: WeightSet, positions: int, config: EngineConfig) -> int:
    """Words of a row that are built before the next row's turn.

    The whole row where it fits the weight buffer, which it must when several output positions
    use it; else as much as half the buffer holds, so that the other half is read meanwhile.
    """
    layout = weight_set.layout
    lines_a_word = WORD // min(layout.padded_channels, config.lanes)
    if positions > 1 or layout.words * lines_a_word <= config.weight_lines:
        return layout.words
    return max(1, config.weight_lines // 2 // lines_a_word)


def _weight_fields(
    weight_set: WeightSet, places: LayerPlaces, target: TensorInfo, config: EngineConfig
) -> dict[str, int]:
    layout = weight_set.layout
    padded = layout.padded_channels
    # Up to 32 channels only the row's last word is cut; above, the last word of each position.
    period = layout.words if padded <= WORD else padded // WORD
    real = layout.real().reshape(-1, WORD)
    return {
        "weight_set": weight_set.id,
        "prune": weight_set.prune,
        "frozen": weight_set.prune + weight_set.lock,
        "starts_base": places.starts,
        "row_words": layout.words,
        "chunk_words": chunk_words(weight_set, target.shape[1] * target.shape[2], config),
        "period": period,
        "line_positions": min(padded, config.lanes).bit_length() - 1,
        "word_mask": _bits(real[0]),
        "tail_mask": _bits(real[period - 1]),
    }


def _bits(flags: np.ndarray) -> int:
    return int(np.packbits(flags, bitorder="little").view("<u4")[0])
