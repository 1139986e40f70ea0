"""Where each buffer lies in the activation memory; space is reused once nothing reads it."""

from dataclasses import dataclass

from tombola.compiler.arrange import Life, arrange
from tombola.compiler.steps import Plan
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Words of each activation memory that one tensor takes.

    Word ``base + (y * width + x) * groups + g`` holds channels ``g * lanes ..`` at (y, x) of the
    memory's strip, which is the whole tensor in an engine of one pixel.
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

    A buffer's words are free again after the last step that uses it. With two banks a buffer lies
    in one bank, and a step never writes the bank it reads.

    Raises
    ------
    FitError
        With the buffer, the words that it and those still read need, and how many there are.
    """
    lives = buffer_lives(plan, config)
    bank_words = config.activation_words // config.activation_banks
    banks = _banks(plan) if config.activation_banks == 2 else dict.fromkeys(lives, 0)
    placed: dict[int, Placement] = {}
    for bank in range(config.activation_banks):
        members = {index: life for index, life in lives.items() if banks[index] == bank}
        bases = arrange(list(members.values()))
        for (index, life), base in zip(members.items(), bases, strict=True):
            if base + life.words > bank_words:
                raise FitError(_too_little(index, base + life.words, bank_words, config))
            placed[index] = Placement(
                base=bank * bank_words + base,
                words=life.words,
                groups=_groups(plan, index, config),
            )
    return placed


def buffer_lives(plan: Plan, config: EngineConfig) -> dict[int, Life]:
    """Words and steps of every buffer but the logits, by its index, in order of creation.

    The input is there before the first step; what a step writes first, it makes.
    """
    made, last_use = {0: -1}, {0: -1}
    for index, step in enumerate(plan.steps):
        made.setdefault(step.target, index)
        last_use |= dict.fromkeys((*step.sources, step.target), index)
    order = sorted(made.keys() - {plan.results}, key=lambda buffer: (made[buffer], buffer))
    lives = {}
    for buffer in order:
        _, _, width = plan.buffers[buffer].shape
        words = _groups(plan, buffer, config) * plan.buffers[buffer].rows * width
        lives[buffer] = Life(words=words, born=made[buffer], dies=last_use[buffer])
    return lives


def _groups(plan: Plan, buffer: int, config: EngineConfig) -> int:
    return -(-plan.buffers[buffer].shape[0] // config.lanes)


def _too_little(buffer: int, need: int, have: int, config: EngineConfig) -> str:
    memory = "activation memory" if config.activation_banks == 1 else "bank of activation memory"
    return (
        f"{memory}: tensor {buffer} and those still read need {need} words of {config.lanes} bytes "
        f"but the engine has {have}; use an engine with more activation memory"
    )


def _banks(plan: Plan) -> dict[int, int]:
    """Bank of each buffer: the input in bank 0, and each in the bank that its step does not read.

    Raises
    ------
    FitError
        If a step reads buffers of both banks.
    """
    banks = {0: 0}
    for step in plan.steps:
        read = {banks[source] for source in step.sources}
        if step.target == plan.results:
            continue
        if len(read) == 2 or banks.get(step.target) in read:
            raise FitError(
                f"layer {step.layer} reads both banks of the activation memory, which leaves none "
                "to write; use an engine with one bank"
            )
        banks[step.target] = 1 - read.pop()
    return banks
