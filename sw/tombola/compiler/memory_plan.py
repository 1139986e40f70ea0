"""Where each tensor lies in the activation memory; space is reused once nothing reads it."""

from dataclasses import dataclass

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.rules import TensorInfo
from tombola.spec.ticket import Ticket


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


def sources(ticket: Ticket, layer: int) -> set[int]:
    """Tensors that a layer reads."""
    residual = getattr(ticket.layers[layer], "residual", None)
    read = {ticket.layers[layer].input}
    return read if residual is None else read | {residual.tensor}


def place(
    ticket: Ticket, tensors: tuple[TensorInfo, ...], config: EngineConfig
) -> tuple[Placement, ...]:
    """A placement for every tensor but the last, which is the logits.

    First fit in order of creation; a tensor's words are free again after the last layer that reads
    it. With two banks a tensor lies in one bank, and a layer never writes the bank it reads.

    Raises
    ------
    FitError
        With the tensor, the words it needs and the words there are.
    """
    last_read = {0: 0}
    for layer in range(len(ticket.layers)):
        last_read |= dict.fromkeys(sources(ticket, layer), layer)
    bank_words = config.activation_words // config.activation_banks
    placed: list[Placement] = []
    for index, info in enumerate(tensors[:-1]):
        groups = -(-info.shape[0] // config.lanes)
        words = groups * info.shape[1] * info.shape[2]
        # A tensor lives from the layer that makes it to the last one that reads it.
        made = index - 1
        living = [
            placed[other] for other in range(index) if last_read.get(other, other - 1) >= made
        ]
        read = sources(ticket, made) if made >= 0 else set()
        banned = {placed[tensor].base // bank_words for tensor in read}
        if config.activation_banks == 1:
            banned = set()
        base = _first_fit(words, living, bank_words, config.activation_banks, banned)
        if base is None:
            raise FitError(
                f"tensor {index} needs {words} words of {config.lanes} activations but at most "
                f"{bank_words} words a bank, less what is still read, are there; "
                "use an engine with more activation memory"
            )
        placed.append(Placement(base=base, words=words, groups=groups))
    return tuple(placed)


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
