"""Chooses an engine for a ticket and a part: geometry and memories, from what they cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tombola.compiler import estimate
from tombola.compiler.area import Area
from tombola.compiler.needs import Need, measure
from tombola.compiler.program import Program, compile_ticket
from tombola.compiler.room import NoRoomError, Target, check_room, with_memories
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, FitError
from tombola.spec.ticket import Ticket

ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
LANES = (4, 8, 16, 32)
SPRAM_LANES = (2, 4)
"""What large RAM blocks are wide enough for."""
PIXELS = (1, 2, 4, 8, 16)
CONSTRUCTION = (2, 4, 8, 16, 32)
FASTER: tuple[dict[str, bool], ...] = (
    {},
    {"fused_pooling": True},
    {"fused_pooling": True, "packing": True},
)
"""Features that a ticket need not have: pooling before the write, which saves clocks and memory;
kernel positions side by side in the lanes, which saves clocks and takes memory."""
FULL = {"lut4": 0.9, "ff": 0.9, "dsp": 1.0}
"""Part of the cells that is planned with: what is fuller is hard to route."""
TITLES = {"lut4": "cells", "ff": "flip-flops", "dsp": "multipliers"}
NEARLY = 1.01
"""Of two engines, the one that takes so many times the clocks is as fast as the other."""
DEEPER = (4, 2, 1)
"""Depths of the weight buffer to try, in what a channel group needs: with twice as much the next
group is built while one computes."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One engine that fits.

    Attributes
    ----------
    config : EngineConfig
    area : Area
    cycles : int
        Of an inference.
    """

    config: EngineConfig
    area: Area
    cycles: int


def choose(
    ticket: Ticket, target: Target, *, geometry: str | None = None, fps: float | None = None
) -> Choice:
    """The smallest of the fastest engines that fit a part, or the smallest that is fast enough.

    Parameters
    ----------
    ticket : Ticket
    target : Target
    geometry : str, optional
        Only this one.
    fps : float, optional
        Inferences a second that are enough.

    Raises
    ------
    NoRoomError
        If a memory is too small in every geometry; the one that the least freezing mends.
    FitError
        If the cells are too few, no engine is fast enough, or no engine runs a layer.
    """
    found: list[Choice] = []
    refusals: list[FitError] = []
    for configs in _candidates(target, geometry):
        found += _fitting(ticket, target, configs, refusals)
    if not found:
        raise min(refusals, key=_hardness)
    fewest = min(choice.cycles for choice in found)
    enough = NEARLY * fewest if fps is None else target.clock_hz / fps
    fast = [choice for choice in found if choice.cycles <= enough]
    if not fast:
        raise FitError(
            f"fps must be at most {target.clock_hz / fewest:.1f}, as the fastest engine on "
            f"{target.name} has it at {target.clock_hz / 1e6:g} MHz, not {fps:g}; use a larger part"
        )
    return _exact(ticket, min(fast, key=lambda choice: (choice.area.lut4, choice.cycles)))


def _exact(ticket: Ticket, choice: Choice) -> Choice:
    """The choice with the clocks of the ticket compiled for just that engine."""
    return replace(choice, cycles=compile_ticket(ticket, choice.config).cycles)


def _hardness(refusal: FitError) -> tuple[int, float]:
    """What the least freezing mends comes first, then what a larger memory does."""
    if not isinstance(refusal, NoRoomError):
        return (2, 0.0)
    if refusal.frozen_to_fit is None:
        return (1, refusal.need_bits / max(1, refusal.have_bits))
    return (0, refusal.frozen_to_fit)


def _candidates(target: Target, geometry: str | None) -> Iterator[list[EngineConfig]]:
    """Engines to consider; those together differ in rows and construction alone."""
    base = target.base
    widths = sorted({base.construction, *CONSTRUCTION})
    if geometry is not None:
        one = EngineConfig.for_geometry(geometry)
        shape = replace(base, rows=one.rows, lanes=one.lanes, pixels=one.pixels)
        for features in _features(target):
            yield [replace(shape, construction=width, **features) for width in widths]
        return
    several = not base.compact and base.activation_banks == 1
    for lanes in SPRAM_LANES if target.model.spram else LANES:
        for pixels in PIXELS if several else PIXELS[:1]:
            for features in _features(target):
                shape = replace(base, lanes=lanes, pixels=pixels, **features)
                yield [replace(shape, rows=r, construction=width) for r in ROWS for width in widths]


def _features(target: Target) -> tuple[dict[str, bool], ...]:
    """A compact engine spares cells, not clocks."""
    return FASTER[:1] if target.base.compact else FASTER


def _fitting(
    ticket: Ticket, target: Target, configs: Iterable[EngineConfig], refusals: list[FitError]
) -> Iterator[Choice]:
    """Engines of one width that fit; why the others do not goes to `refusals`."""
    measured: tuple[Program, dict[str, Need]] | None = None
    chunked: dict[int, Program] = {}
    for config in configs:
        if (refusal := _too_large(config, target)) and not _is_own(config, target):
            refusals.append(refusal)
            continue
        try:
            measured = measured or measure(ticket, config)
        except ConfigError as refusal:  # a feature that the ticket needs and such engines lack
            refusals.append(FitError(f"no engine on {target.name} runs this ticket: {refusal}"))
            return
        except FitError as refusal:  # whatever the rows
            refusals.append(refusal)
            return
        program, needs = measured
        shape = replace(
            program.config,
            rows=config.rows,
            construction=config.construction,
            activation_words=config.activation_words,
        )
        try:
            sized = _with_room(ticket, shape, needs, target)
        except FitError as refusal:
            refusals.append(refusal)
            continue
        # Deep memories take cells as well.
        if (crowded := _too_large(sized, target)) and not _is_own(sized, target):
            refusals.append(crowded)
            continue
        depth = sized.weight_lines
        if any(fields["lines"] > depth for fields in program.descriptors):
            # Rows longer than the weight buffer are built in turns.
            if depth not in chunked:
                chunked[depth] = compile_ticket(ticket, replace(program.config, weight_lines=depth))
            program = chunked[depth]
        cycles = sum(estimate.layer_cycles(x, sized) for x in program.descriptors)
        yield Choice(config=sized, area=target.model.estimate(sized), cycles=cycles)


def _is_own(config: EngineConfig, target: Target) -> bool:
    """Whether it is as large as the board's own engine, which has been built."""
    same = ("rows", "lanes", "pixels", "construction")
    return all(getattr(config, name) == getattr(target.base, name) for name in same)


def _with_room(
    ticket: Ticket, shape: EngineConfig, needs: dict[str, Need], target: Target
) -> EngineConfig:
    """The engine with memories for the ticket, and a deeper weight buffer where there is room."""
    least = with_memories(shape, needs)
    if target.model.spram:
        least = replace(least, activation_words=target.base.activation_words)
    check_room(ticket, least, needs, target)
    deep = [replace(least, weight_lines=factor * least.weight_lines) for factor in DEEPER]
    return next(x for x in deep if target.blocks(x) <= target.capacity.block_ram)


def _too_large(config: EngineConfig, target: Target) -> FitError | None:
    """Why an engine has more than the part can be filled with, if it has."""
    needs, capacity = target.model.estimate(config).to_json(), target.capacity.to_json()
    for name, title in TITLES.items():
        have = int(capacity[name] * FULL[name])
        if needs[name] > have:
            return FitError(
                f"geometry must leave room: an engine of {config.geometry} needs some "
                f"{needs[name]} {title}, but {target.name} can be filled with {have} of its "
                f"{capacity[name]}; choose a smaller one"
            )
    return None
