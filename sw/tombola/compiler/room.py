"""Memories of an engine as large as a ticket needs them, within the block RAM of a part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tombola.compiler.area import Area, AreaModel
from tombola.compiler.block_ram import Memory, memories
from tombola.compiler.freezing import ratio_to_fit
from tombola.compiler.needs import Need
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.lfsr import WORD
from tombola.spec.ticket import Ticket

MEMORY_FIELDS = {
    "weights": "weight_lines",
    "activations": "activation_words",
    "ticket": "ticket_words",
    "table": "table_entries",
    "results": "result_words",
}
"""The parameter that is the depth of each memory."""
TITLES = {
    "weights": "weight buffer",
    "activations": "activation memory",
    "ticket": "ticket memory",
    "table": "requantisation table",
    "results": "result memory",
}
LEAST = {"weights": 64, "activations": 16, "ticket": 64, "table": 16, "results": 16}


class NoRoomError(FitError):
    """A ticket does not fit a part.

    Attributes
    ----------
    memory : str
        Which memory is too small.
    need_bits, have_bits : int
        What the ticket needs of it, and what the part leaves for it.
    frozen_to_fit : float or None
        Least part of frozen weights with which the ticket would fit; None if none helps.
    """

    def __init__(
        self, where: str, need: Need, *, have_bits: int, frozen_to_fit: float | None = None
    ) -> None:
        way_out = "use a larger part"
        if frozen_to_fit is not None:
            way_out = f"freeze {frozen_to_fit:.4f} of the weights or {way_out}"
        super().__init__(
            f"{TITLES[need.memory]} must have {need.bits} bits for this ticket, not {have_bits} "
            f"as {where} leaves for it; {way_out}"
        )
        self.memory, self.need_bits, self.have_bits = need.memory, need.bits, have_bits
        self.frozen_to_fit = frozen_to_fit


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an engine is planned for.

    Parameters
    ----------
    name : str
        The part, for people.
    base : EngineConfig
        The board's own engine: further ones are of its kind and have its widths.
    capacity : Area
    model : AreaModel
    clock_hz : int
    """

    name: str
    base: EngineConfig
    capacity: Area
    model: AreaModel
    clock_hz: int

    def memories(self, config: EngineConfig) -> tuple[Memory, ...]:
        """Those of an engine that lie in block RAM."""
        return memories(config, spram=self.model.spram > 0)

    def blocks(self, config: EngineConfig, name: str = "") -> int:
        """Block RAMs of an engine, or of its memories of one name."""
        found = self.memories(config)
        return sum(self.model.ram.blocks(x) for x in found if name in ("", x.name))


def with_memories(config: EngineConfig, needs: Mapping[str, Need]) -> EngineConfig:
    """An engine with the least depth of each memory that holds what is needed."""
    depths = {}
    for name, need in needs.items():
        field, least = MEMORY_FIELDS[name], LEAST[name]
        words = max(least, need.words)
        if field in config.free_depths:
            depths[field] = -(-words // least) * least
        else:
            depths[field] = 1 << (words - 1).bit_length()
    return replace(config, **depths)  # type: ignore[arg-type]


def check_room(
    ticket: Ticket, config: EngineConfig, needs: Mapping[str, Need], target: Target
) -> None:
    """Refuses an engine whose memories the part has not.

    Raises
    ------
    NoRoomError
        With the memory that is too small, and for that of the ticket the way to freeze more.
    """
    where, have = target.name, target.capacity.block_ram
    activations = needs["activations"]
    if target.model.spram and activations.words > target.base.activation_words:
        have_bits = target.base.activation_words * activations.width
        raise NoRoomError(where, activations, have_bits=have_bits)
    used = target.blocks(config)
    if used <= have:
        return
    left = have - (used - target.blocks(config, "ticket"))
    words = _ticket_words(max(0, left), target)
    fixed = sum(x for what, x in needs["ticket"].parts if not what.startswith("mask"))
    if words >= fixed:
        ratio = ratio_to_fit(ticket, other_words=fixed, words=words)
        raise NoRoomError(where, needs["ticket"], have_bits=words * WORD, frozen_to_fit=ratio)
    largest = max(needs, key=lambda name: target.blocks(config, name))
    left = have - (used - target.blocks(config, largest))
    have_bits = max(0, left) * target.model.ram.bits
    raise NoRoomError(where, needs[largest], have_bits=have_bits)


def _ticket_words(blocks: int, target: Target) -> int:
    """Deepest ticket memory of so many block RAMs."""
    least, ram = LEAST["ticket"], target.model.ram
    words = blocks * ram.bits // WORD // least * least
    while words and ram.blocks(Memory(name="ticket", width=WORD, depth=words)) > blocks:
        words -= least
    return words
