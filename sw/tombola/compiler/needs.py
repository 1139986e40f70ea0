"""What a ticket needs of each memory of an engine, tensor by tensor and layer by layer."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tombola.compiler.layers import positions
from tombola.compiler.memory_plan import buffer_lives
from tombola.compiler.program import Program, compile_ticket
from tombola.compiler.sizing import LARGEST, accumulator_bits
from tombola.spec import descriptor
from tombola.spec.descriptor import Operation
from tombola.spec.engine import SHORT_SUM_BITS, EngineConfig
from tombola.spec.lfsr import WORD
from tombola.spec.ticket import Rescale, Ticket

TABLE_BITS = 64


@dataclass(frozen=True, kw_only=True)
class Need:
    """What is needed of one memory.

    Attributes
    ----------
    memory : str
        ``activations``, ``ticket``, ``table``, ``weights`` or ``results``.
    words : int
        Depth.
    width : int
        Bits of a word.
    parts : tuple of (str, int)
        What takes how many words, for people.
    """

    memory: str
    words: int
    width: int
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def bits(self) -> int:
        """All words."""
        return self.words * self.width

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        parts = [{"what": what, "bits": words * self.width} for what, words in self.parts]
        return {"memory": self.memory, "need_bits": self.bits, "parts": parts}


def boundless(ticket: Ticket, config: EngineConfig) -> EngineConfig:
    """An engine of the same geometry with all a ticket may ask for: memory, widths, features."""
    layers, codings = ticket.layers, [mask.coding for mask in ticket.masks]
    sums = max(config.accumulator_bits, accumulator_bits(ticket, config))
    return replace(
        config,
        accumulator_bits=sums,
        short_totals=config.short_totals and sums <= SHORT_SUM_BITS,
        weight_lines=LARGEST,
        activation_words=LARGEST,
        ticket_words=LARGEST,
        table_entries=LARGEST,
        result_words=LARGEST,
        planes=max((coding.planes for coding in codings), default=1),
        stored=any(coding.stored is not None for coding in codings),
        residual=any(
            isinstance(x, Rescale) or getattr(x, "residual", None) is not None for x in layers
        ),
        grouped=any(getattr(layer, "groups", 1) > 1 for layer in layers),
    )


def needs_of(program: Program) -> dict[str, Need]:
    """The needs of a program that was compiled for a `boundless` engine, by memory."""
    config, ticket, plan = program.config, program.ticket, program.plan
    lives = buffer_lives(plan, config)
    used = max(place.end for place in program.placements.values())
    if config.activation_banks == 2:
        used = 2 * max(place.end % (LARGEST // 2) for place in program.placements.values())
    peak = max(
        (life.born for life in lives.values()),
        key=lambda step: sum(x.words for x in lives.values() if x.born <= step <= x.dies),
    )
    largest = [
        (f"tensor {index}", life.words)
        for index, life in lives.items()
        if life.born <= peak <= life.dies
    ]
    channels = sum(starts.size - 1 for _, starts in ticket.decoded)
    masks = [(f"mask {index}", -(-x.bits.size // WORD)) for index, x in enumerate(ticket.masks)]
    frame = descriptor.FIRST + len(plan.steps) * config.descriptor.words
    several = [
        (f"step {index}", fields["lines"])
        for index, (step, fields) in enumerate(zip(plan.steps, program.descriptors, strict=True))
        if fields["operation"] == Operation.CONVOLVE
        and (positions(fields) > 1 or step.groups > 1)
    ]
    bases: dict[int, str] = {}
    for step, fields in zip(plan.steps, program.descriptors, strict=True):
        bases.setdefault(fields["table_base"], f"layer {step.layer}")  # some share entries
    ends = [*sorted(bases), program.table_image.size]
    entries = [(bases[base], end - base) for base, end in pairwise(ends)]
    found = (
        Need(
            memory="activations",
            words=used,
            width=8 * config.lanes * config.pixels,
            parts=tuple(largest),
        ),
        Need(
            memory="ticket",
            words=program.ticket_image.size,
            width=WORD,
            parts=(("descriptors", frame), ("channel starts", channels), *masks),
        ),
        Need(
            memory="table", words=program.table_image.size, width=TABLE_BITS, parts=tuple(entries)
        ),
        Need(
            memory="weights",
            words=max((lines for _, lines in several), default=1),
            width=2 * config.lanes * config.rows,
            parts=tuple(several),
        ),
        Need(memory="results", words=program.result_words[1], width=WORD),
    )
    return {need.memory: need for need in found}


def measure(
    ticket: Ticket, config: EngineConfig, *, batch: int = 1
) -> tuple[Program, dict[str, Need]]:
    """A ticket compiled for an engine with all it may ask for, and what it then needs."""
    program = compile_ticket(ticket, boundless(ticket, config), batch=batch)
    return program, needs_of(program)

