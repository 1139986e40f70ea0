"""Where each tensor lies in the activation memory; space is reused once nothing reads it."""

from dataclasses import dataclass

from tombola.compiler.arrange import Life, arrange
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

    A tensor's words are free again after the last layer that reads it. With two banks a tensor
    lies in one bank, and a layer never writes the bank it reads.

    Raises
    ------
    FitError
        With the layer at which most words are needed, how many, and how many there are.
    """
    lives = tensor_lives(ticket, tensors, config)
    bank_words = config.activation_words // config.activation_banks
    banks = _banks(ticket) if config.activation_banks == 2 else [0] * len(lives)
    bases = [0] * len(lives)
    for bank in set(banks):
        members = [index for index in range(len(lives)) if banks[index] == bank]
        for index, base in zip(members, arrange([lives[index] for index in members]), strict=True):
            bases[index] = base
            if base + lives[index].words > bank_words:
                raise FitError(_too_little(index, base + lives[index].words, bank_words, config))
    return tuple(
        Placement(
            base=bank * bank_words + base,
            words=life.words,
            groups=-(-info.shape[0] // config.lanes),
        )
        for bank, base, life, info in zip(banks, bases, lives, tensors[:-1], strict=True)
    )


def _too_little(tensor: int, need: int, have: int, config: EngineConfig) -> str:
    memory = "activation memory" if config.activation_banks == 1 else "bank of activation memory"
    return (
        f"{memory}: tensor {tensor} and those still read need {need} words of {config.lanes} bytes "
        f"but the engine has {have}; use an engine with more activation memory"
    )


def tensor_lives(
    ticket: Ticket, tensors: tuple[TensorInfo, ...], config: EngineConfig
) -> list[Life]:
    """Words of every tensor but the logits, from the layer that makes it to the last that reads it.

    The input is made before layer 0, and a tensor that nothing reads is in use while it is made.
    """
    last_read = dict.fromkeys(range(len(tensors)), -1)
    for layer in range(len(ticket.layers)):
        last_read |= dict.fromkeys(sources(ticket, layer), layer)
    return [
        Life(
            words=-(-info.shape[0] // config.lanes) * info.shape[1] * info.shape[2],
            born=index - 1,
            dies=max(index - 1, last_read[index]),
        )
        for index, info in enumerate(tensors[:-1])
    ]


def _banks(ticket: Ticket) -> list[int]:
    """Bank of each tensor: the input in bank 0, and each in the bank that its layer does not read.

    Raises
    ------
    FitError
        If a layer reads tensors of both banks.
    """
    banks = [0]
    for layer in range(len(ticket.layers) - 1):
        read = {banks[tensor] for tensor in sources(ticket, layer)}
        if len(read) == 2:
            raise FitError(
                f"layer {layer} reads both banks of the activation memory, which leaves none to "
                "write; use an engine with one bank"
            )
        banks.append(1 - read.pop())
    return banks
