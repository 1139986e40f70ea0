"""Strips: how the rows of a tensor lie over the memories of an engine of several pixels.

Strip p of a tensor is rows ``p * height .. (p + 1) * height - 1``, in memory p, at the same address
in each. A layer runs in parallel, each pixel on the strip of the output that its memory holds, if
an input strip has `stride` times the rows of an output strip; else pixel 0 walks all of the output.
A pixel that needs rows of other strips reads them where they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tombola.compiler.grouping import grouped
from tombola.compiler.steps import Plan, Step
from tombola.spec import descriptor
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError

ADDRESS_MASK = (1 << descriptor.ADDRESS_BITS) - 1
STRIP_MASK = (1 << descriptor.STRIP_BITS) - 1
KEPT = 64
"""Ways to cut the tensors so far that are followed up at once."""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What matters of a layer for how its tensors are cut.

    Parameters
    ----------
    source, target : int
        Tensors; -1 for the target of logits, which only pixel 0 makes.
    stride : int
        Rows of the source from one row of the target to the next.
    rows : int
        Of the target.
    clocks : int
        That one of these rows takes.
    beside : tuple of int
        The tensor that is read at the place of the target, and so cut alike, if there is one.
    """

    source: int
    target: int
    stride: int
    rows: int
    clocks: int
    beside: tuple[int, ...] = ()

    def parallel(self, source: int, target: int) -> bool:
        """Whether it runs in parallel with strips of so many rows."""
        return self.target >= 0 and source == self.stride * target

    def walked(self, source: int, target: int) -> int:
        """Output rows that pixel 0 walks with strips of so many rows."""
        return min(target, self.rows) if self.parallel(source, target) else self.rows


def cut(plan: Plan, config: EngineConfig) -> Plan:
    """The plan with the strips of an engine's pixels; with one pixel a buffer is one strip."""
    if config.pixels == 1:
        return plan
    walks = [_walk(plan, step, config) for step in plan.steps]
    found = heights([buffer.shape[1] for buffer in plan.buffers], walks, config.pixels)
    buffers = [replace(each, strip=rows) for each, rows in zip(plan.buffers, found, strict=True)]
    buffers[plan.results] = plan.buffers[plan.results]
    return replace(plan, buffers=tuple(buffers))


def _walk(plan: Plan, step: Step, config: EngineConfig) -> Walk:
    source, target = plan.buffers[step.source], plan.buffers[step.target]
    channels, height, width = target.shape
    if step.channel is not None:
        channels = source.shape[0]
    grouping = grouped(step.operation, step.groups, source.shape[0], channels, config)
    # The output unit takes a clock for each channel of a position.
    clocks = max(
        step.kernel[0] * step.kernel[1] * grouping.inner, min(grouping.channels, channels)
    )
    return Walk(
        source=step.source,
        target=-1 if step.target == plan.results else step.target,
        stride=step.stride[0] * step.pool[0],
        rows=height,
        clocks=step.pool[0] * step.pool[1] * width * -(-channels // grouping.channels) * clocks,
        beside=step.sources[1:],
    )


def heights(rows: Sequence[int], walks: Sequence[Walk], pixels: int) -> tuple[int, ...]:
    """Rows of a strip of each tensor, for the fewest clocks, then the fewest rows.

    Parameters
    ----------
    rows : sequence of int
        Of each tensor.
    walks : sequence of Walk
        In the order in which they run; tensors that none writes are there before.
    pixels : int
    """
    choices = _choices(rows, walks, pixels)
    last_use: dict[int, int] = {}
    for index, walk in enumerate(walks):
        last_use |= dict.fromkeys((walk.source, walk.target, *walk.beside), index)
    # Each way so far: what it costs and all heights; of ways that agree in what is still used,
    # the best is kept.
    ways: dict[tuple[tuple[int, int], ...], tuple[int, int, dict[int, int]]] = {(): (0, 0, {})}
    for index, walk in enumerate(walks):
        met: dict[tuple[tuple[int, int], ...], tuple[int, int, dict[int, int]]] = {}
        for clocks, total, chosen in ways.values():
            for more in _more(walk, choices, chosen):
                walked = walk.walked(more[walk.source], more.get(walk.target, 0))
                new = sum(more[tensor] for tensor in more.keys() - chosen.keys())
                way = (clocks + walked * walk.clocks, total + new, more)
                key = tuple(sorted((t, h) for t, h in more.items() if last_use[t] > index))
                if key not in met or way[:2] < met[key][:2]:
                    met[key] = way
        ways = dict(sorted(met.items(), key=lambda item: item[1][:2])[:KEPT])
    if not ways:
        raise FitError(
            "a residual of logits must be in one strip, which other layers forbid; use an engine "
            "of 1 pixel"
        )
    _, _, best = min(ways.values(), key=lambda way: way[:2])
    return tuple(best.get(tensor, choices[tensor][0]) for tensor in range(len(rows)))


def _more(
    walk: Walk, choices: Sequence[Sequence[int]], chosen: Mapping[int, int]
) -> list[dict[int, int]]:
    """Every choice for the tensors of a walk, with what is `chosen` before."""
    found = [dict(chosen)]
    for tensor in (walk.source, *walk.beside, *((walk.target,) if walk.target >= 0 else ())):
        alike = walk.beside[0] if tensor == walk.target and walk.beside else tensor
        found = [
            {**heights, tensor: height}
            for heights in found
            for height in ([heights[alike]] if alike in heights else choices[tensor])
        ]
    if walk.target < 0:  # logits are one strip
        found = [heights for heights in found if all(heights[x] == walk.rows for x in walk.beside)]
    return found


def _choices(rows: Sequence[int], walks: Sequence[Walk], pixels: int) -> list[list[int]]:
    """Heights that may be worth it: the least, and those that make a neighbour parallel."""
    least = [-(-count // pixels) for count in rows]
    found = [{height} for height in least]
    for _ in range(2):
        for walk in reversed(walks):
            if walk.target >= 0:
                found[walk.source] |= {walk.stride * height for height in found[walk.target]}
        for walk in walks:
            if walk.target < 0:
                for tensor in walk.beside:
                    found[tensor].add(walk.rows)
                continue
            found[walk.target] |= {
                height // walk.stride
                for height in found[walk.source]
                if height % walk.stride == 0 and height // walk.stride >= least[walk.target]
            }
            for tensor in walk.beside:
                found[tensor] |= found[walk.target]
    return [
        sorted(height for height in heights if least[tensor] <= height <= rows[tensor])
        for tensor, heights in enumerate(found)
    ]


def walked_rows(plan: Plan, step: Step, config: EngineConfig) -> int:
    """Output rows that a pixel walks."""
    target = plan.buffers[step.target]
    if config.pixels == 1:
        return target.shape[1]
    return _walk(plan, step, config).walked(plan.buffers[step.source].rows, target.rows)


def fields(
    plan: Plan, step: Step, described: Mapping[str, int], config: EngineConfig
) -> dict[str, int]:
    """The descriptor's fields of the feature ``pixels``, and those of `described` that it changes.

    Raises
    ------
    FitError
        If windows reach further beyond the map than strips have numbers.
    """
    walk, pixels = _walk(plan, step, config), config.pixels
    strip, target = plan.buffers[step.source].rows, plan.buffers[step.target].rows
    parallel, walked = walk.parallel(strip, target), described["out_height"]
    first, in_rows, pitch = (described[x] for x in ("first_y", "in_height", "kernel_row_step"))
    lowest, first_row = divmod(first, strip)
    reach = (step.pool[0] - 1) * step.stride[0] + step.kernel[0]  # rows behind a position written
    highest = (first + walk.stride * (walked - 1) + reach - 1) // strip
    if lowest < -3 * pixels or highest + (pixels - 1) * parallel >= 4 * pixels:
        raise FitError(
            f"layer {step.layer}: windows reach strips {lowest} to {highest} of {strip} rows, "
            f"further beyond the map than {pixels} pixels count; use an engine of 1 pixel"
        )
    strips, rows = divmod(walk.stride, strip)
    pool_strips, pool_rows = divmod(step.stride[0], strip)
    line_step, pool_row_step, words = rows * pitch, pool_rows * pitch, strip * pitch
    return {
        "input_base": (described["input_base"] - first * pitch + first_row * pitch) & ADDRESS_MASK,
        "line_step": line_step,
        "parallel": int(parallel),
        "first_strip": lowest & STRIP_MASK,
        "first_row": first_row,
        "stride_strips": strips & STRIP_MASK,
        "stride_rows": rows,
        "last_row": strip - 1,
        "window_limit": strip - rows,
        "whole_strips": in_rows // strip,
        "rest_rows": in_rows % strip,
        "kernel_row_wrap": (pitch - words) & ADDRESS_MASK,
        "line_wrap": (line_step - words) & ADDRESS_MASK,
        "pool_row_step": pool_row_step,
        "pool_strips": pool_strips & STRIP_MASK,
        "pool_rows": pool_rows,
        "pool_limit": strip - pool_rows,
        "pool_row_wrap": (pool_row_step - words) & ADDRESS_MASK,
        "strip_positions": target * described["out_width"],
    }
