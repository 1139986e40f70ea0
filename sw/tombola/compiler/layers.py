"""One step to the fields of its descriptor."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tombola.compiler import strips
from tombola.compiler.grouping import grouped
from tombola.compiler.memory_plan import Placement
from tombola.compiler.steps import Buffer, Plan, Step
from tombola.spec import descriptor
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.identity import fingerprint
from tombola.spec.layout import RowLayout
from tombola.spec.lfsr import WORD
from tombola.spec.ticket import Conv, MaxPool, Rescale, Ticket

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
    "stored",
    "bit_layers",
)
NO_WEIGHTS = dict.fromkeys(WEIGHT_FIELDS, 0) | {"planes": 1}


@dataclass(frozen=True, kw_only=True)
class StepPlaces:
    """Where the compiler put what one step uses.

    Parameters
    ----------
    source, target : Placement
        Input and output tensors; for logits the target is the result memory.
    table : int
        First requantisation entry.
    starts : int
        Ticket word of the channel starts; 0 for a layer without weights.
    residual : Placement, optional
        Of what is added.
    """

    source: Placement
    target: Placement
    table: int
    starts: int = 0
    residual: Placement | None = None


def fields(
    ticket: Ticket, plan: Plan, step: Step, places: StepPlaces, config: EngineConfig
) -> dict[str, int]:
    """Every field of the descriptor of a step whose layer `fit.check_layer` has let pass."""
    source, target = plan.buffers[step.source], plan.buffers[step.target]
    convolves = step.operation is Operation.CONVOLVE
    channels = target.shape[0] if convolves else source.shape[0]
    grouping = grouped(step.operation, step.groups, source.shape[0], channels, config)
    logits = step.target == plan.results
    weights = NO_WEIGHTS
    rows = strips.walked_rows(plan, step, config)
    if convolves:
        positions = rows * target.shape[2] * step.pool[0] * step.pool[1]
        weights = _weight_fields(ticket, step, places, positions, config)
    every = {
        "operation": step.operation,
        "input_signed": source.type.signed,
        "logits": logits,
        "last": step is plan.steps[-1],
        **_output_fields(ticket, step, target, places),
        "groups": -(-channels // grouping.channels),
        "channels": channels,
        "group_channels": grouping.channels,
        "group_repeats": grouping.repeats,
        "lane_channels": grouping.lane_channels,
        "lane_step": grouping.lane_step,
        "out_height": rows,
        "out_width": target.shape[2],
        "kernel_height": step.kernel[0],
        "kernel_width": step.kernel[1],
        "inner": grouping.inner,
        "lines": step.kernel[0] * step.kernel[1] * grouping.inner * weights["planes"],
        **_window_fields(step, source, places.source),
        "column_step": places.source.groups - grouping.inner + 1,
        "group_step": grouping.step,
        "output_base": places.target.base + (step.channel or 0) // config.lanes,
        "output_lane": (step.channel or 0) % config.lanes,
        "output_step": target.shape[0] if logits else places.target.groups,
        **weights,
        **_residual_fields(ticket, plan, step, places),
        "seed_low": ticket.seed & 0xFFFFFFFF,
        "seed_high": ticket.seed >> 32,
        "engine": fingerprint(config),
    }
    if config.pixels > 1:
        every |= strips.fields(plan, step, every, config)
    if config.steps_from_last:
        every |= _steps_from_last(every, places.source.groups)
    return {name: every[name] for name in config.descriptor.places}


def positions(fields: Mapping[str, int]) -> int:
    """Output positions that are computed for each channel group, also those pooled away."""
    windows = fields.get("pool_height", 1) * fields.get("pool_width", 1)
    return fields["out_height"] * fields["out_width"] * windows


def _window_fields(step: Step, source: Buffer, place: Placement) -> dict[str, int]:
    (down, across), (top, left), (rows, columns) = step.stride, step.first, step.pool
    _, height, width = source.shape
    pitch = width * place.groups
    return {
        "in_height": height,
        "in_width": width,
        "pool_height": rows,
        "pool_width": columns,
        "pool_stride_y": down,
        "pool_stride_x": across,
        "stride_y": rows * down,
        "stride_x": columns * across,
        "first_y": top,
        "first_x": left,
        "input_base": (place.base + top * pitch + left * place.groups) & ADDRESS_MASK,
        "kernel_row_step": pitch,
        "pool_column_step": across * place.groups,
        "pool_row_step": down * pitch,
        "pixel_step": columns * across * place.groups,
        "line_step": rows * down * pitch,
    }


def _steps_from_last(fields: Mapping[str, int], column_pitch: int) -> dict[str, int]:
    """Every address step less the words from the first to the last one of the loops inside."""
    passed = fields["inner"] - 1 + (fields["kernel_width"] - 1) * column_pitch
    steps = {}
    for count, step in (
        ("kernel_height", "kernel_row_step"),
        ("pool_width", "pool_column_step"),
        ("pool_height", "pool_row_step"),
        ("out_width", "pixel_step"),
        ("out_height", "line_step"),
        ("groups", "group_step"),
    ):
        steps[step] = (fields[step] - passed) & ADDRESS_MASK
        passed += (fields[count] - 1) * fields[step]
    return steps


def _output_fields(
    ticket: Ticket, step: Step, target: Buffer, places: StepPlaces
) -> dict[str, int]:
    shift, clamp = 0, target.type.range
    if not step.keeps_values:
        work = ticket.layers[step.layer]
        assert not isinstance(work, MaxPool)
        table = ticket.requantisations[work.requantisation]
        shift, clamp = table.shift, table.clamp or (0, 0)
    return {
        "shift": shift,
        "clamp_low": clamp[0],
        "clamp_high": clamp[1],
        "table_base": places.table,
        "table_step": 0 if step.keeps_values else 1,
    }


def _residual_fields(
    ticket: Ticket, plan: Plan, step: Step, places: StepPlaces
) -> dict[str, int]:
    names = ("residual", "residual_signed", "residual_scale", "residual_base", "residual_step")
    if step.residual is None:
        return dict.fromkeys(names, 0)
    work = ticket.layers[step.layer]
    assert isinstance(work, Conv | Rescale) and work.residual and places.residual
    signed, scale = plan.buffers[step.residual].type.signed, work.residual.scale
    values = (1, int(signed), scale, places.residual.base, places.residual.groups)
    return dict(zip(names, values, strict=True))


def line_positions(layout: RowLayout, config: EngineConfig, *, packed: bool) -> int:
    """Positions of a row that make one line."""
    return config.lanes if packed else min(layout.padded_channels, config.lanes)


def chunk_words(
    layout: RowLayout, planes: int, config: EngineConfig, *, reused: bool, packed: bool
) -> int:
    """Words of a row that are built before the next row's turn.

    The whole row where it fits the weight buffer, which it must when it is `reused`; else as much
    as half the buffer holds, so that the other half is read meanwhile.
    """
    lines_a_word = planes * WORD // line_positions(layout, config, packed=packed)
    if reused or layout.words * lines_a_word <= config.weight_lines:
        return layout.words
    return max(1, config.weight_lines // 2 // lines_a_word)


def _weight_fields(
    ticket: Ticket, step: Step, places: StepPlaces, positions: int, config: EngineConfig
) -> dict[str, int]:
    work = ticket.layers[step.layer]
    assert isinstance(work, Conv)
    mask = ticket.masks[work.mask]
    weight_set, planes = ticket.weight_sets[mask.weight_set], mask.coding.planes
    layout = weight_set.layout
    # Rows of grouped convolutions are built whole too.
    reused = positions > 1 or step.groups > 1
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
        "chunk_words": chunk_words(layout, planes, config, reused=reused, packed=step.packed),
        "period": period,
        "line_positions": line_positions(layout, config, packed=step.packed).bit_length() - 1,
        "word_mask": _bits(real[0]),
        "tail_mask": _bits(real[period - 1]),
        "planes": planes,
        "stored": mask.coding.stored is not None,
        "bit_layers": mask.coding.bit_layers - 1,
    }


def _bits(flags: np.ndarray) -> int:
    return int(np.packbits(flags, bitorder="little").view("<u4")[0])
