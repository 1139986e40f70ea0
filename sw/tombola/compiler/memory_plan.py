"""Where each tensor lies in the activation memory; space is reused once nothing reads it."""

from dataclasses import dataclass

from tombola.compiler.steps import Plan
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Words of the activation memory that one tensor takes.

    Word ``base + (y * width + x) * groups + g`` holds channels ``g * lanes ..`` of pixel (y, x).
    """

    base: int
    words: int
    groups: int

    @property
    def end(self) -> int:
        """First word after the tensor."""
        return self.base + self.words


def place(plan: Plan, config: EngineConfig) -> dict[int, Placement]:
    """A placement for every buffer but the logits, by its index.

    First fit in order of creation; a buffer's words are free again after the last step that uses
    it. With two banks a buffer lies in one bank, and a step never writes the bank it reads.

    Raises
    ------
    FitError
        With the tensor, the words it needs and the words there are.
    """
    # The input is there before the first step; what a step writes first, it makes.
    made, last_use = {0: -1}, {0: -1}
    for index, step in enumerate(plan.steps):
        made.setdefault(step.target, index)
        last_use |= dict.fromkeys((*step.sources, step.target), index)
    bank_words = config.activation_words // config.activation_banks
    placed: dict[int, Placement] = {}
    for index in sorted(made.keys() - {plan.results}, key=lambda x: (made[x], x)):
        channels, height, width = plan.buffers[index].shape
        groups = -(-channels // config.lanes)
        words = groups * height * width
        living = [placed[other] for other in placed if last_use[other] >= made[index]]
        banned: set[int] = set()
        if config.activation_banks > 1:
            read = [step.sources for step in plan.steps if step.target == index]
            banned = {placed[x].base // bank_words for sources in read for x in sources}
        base = _first_fit(words, living, bank_words, config.activation_banks, banned)
        if base is None:
            raise FitError(
                f"tensor {index} needs {words} words of {config.lanes} activations but at most "
                f"{bank_words} words a bank, less what is still read, are there; "
                "use an engine with more activation memory"
            )
        placed[index] = Placement(base=base, words=words, groups=groups)
    return placed


def _first_fit(
    words: int, living: list[Placement], bank_words: int, banks: int, banned: set[int]
) -> int | None:
    for bank in range(banks):
        if bank in banned:
            continue
        start, stop = bank * bank_words, (bank + 1) * bank_words
        candidates = sorted({start} | {other.end for other in living if start <= other.base < stop})
        for base in candidates:
            free = all(base >= other.end or base + words <= other.base for other in living)
            if free and base + words <= stop:
                return base
    return None
