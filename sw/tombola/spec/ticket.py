"""The ticket: seed, graph, masks and requantisation of one network, independent of any engine."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tombola.spec import mask_code, weight_stream
from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.weight_stream import WeightSet

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Mask:
    """One searched mask over a weight set.

    Parameters
    ----------
    weight_set : int
        Index into `Ticket.weight_sets`.
    coding : Coding
    bits : bool array (bits,)
        As `mask_code.encode` orders them.
    """

    weight_set: int
    coding: Coding
    bits: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Requantisation:
    """Table that turns sums into the integers of the next tensor; see `arithmetic.requantise`.

    Parameters
    ----------
    scale : int16 array (channels,)
    bias : int32 array (channels,)
    shift : int
    output : NumberType
    clamp : (int, int) or None
        None for logits, else within the range of `output`.
    """

    scale: np.ndarray
    bias: np.ndarray
    shift: int
    output: NumberType
    clamp: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Window:
    """Kernel positions of a convolution or pooling: padding is (top, left, bottom, right)."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Residual:
    """A tensor added before the shift, times one int16 scale for the layer."""

    tensor: int
    scale: int


@dataclass(frozen=True, kw_only=True)
class Conv:
    """Convolution with weights of a mask; a linear layer is one whose kernel is the whole map."""

    input: int
    mask: int
    requantisation: int
    window: Window = field(default_factory=Window)
    groups: int = 1
    residual: Residual | None = None


@dataclass(frozen=True, kw_only=True)
class MaxPool:
    """Largest value of each window; positions of the padding do not take part."""

    input: int
    kernel: tuple[int, int]
    window: Window


@dataclass(frozen=True, kw_only=True)
class AveragePool:
    """Sum of each window, padding counted as 0, then requantised."""

    input: int
    kernel: tuple[int, int]
    window: Window
    requantisation: int


@dataclass(frozen=True, kw_only=True)
class Rescale:
    """Requantises a tensor as it is, with an optional residual: an addition without weights."""

    input: int
    requantisation: int
    residual: Residual | None = None


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """For each node (position) the weighted sum over its incoming edges, then requantised.

    The edge list (source, target, int8 weight) is an input of the run, not part of the ticket.
    """

    input: int
    requantisation: int


Layer = Conv | MaxPool | AveragePool | Rescale | Aggregate


@dataclass(frozen=True, kw_only=True)
class Input:
    """Shape (channels, height, width) of an image, and the table its bytes go through.

    Parameters
    ----------
    shape : (int, int, int)
    type : NumberType
        Of the table's values.
    table : int16 array (channels, 256), or (1, 256) for all channels
    """

    shape: tuple[int, int, int]
    type: NumberType
    table: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Ticket:
    """A whole network. Tensor 0 is the input, layer i makes tensor i + 1, the last the logits.

    `tombola.spec.rules.check` says whether a ticket keeps the rules; loading and saving call it.
    """

    seed: int
    input: Input
    classes: tuple[str, ...]
    weight_sets: tuple[WeightSet, ...]
    masks: tuple[Mask, ...]
    requantisations: tuple[Requantisation, ...]
    layers: tuple[Layer, ...]
    provenance: dict[str, str | int | float]
    generator: tuple[str, str] = ("tombola", "0.1.0")

    @cached_property
    def decoded(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each mask: weights int16 (out, positions) in stream order, and channel bit starts.

        Raises
        ------
        TicketError
            If the bits of a mask do not add up.
        """
        return tuple(self._decode(index) for index in range(len(self.masks)))

    def _decode(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        mask = self.masks[index]
        weight_set = self.weight_sets[mask.weight_set]
        try:
            return mask_code.decode(
                mask.bits,
                weight_stream.freeze_classes(self.seed, weight_set),
                weight_stream.negative(self.seed, weight_set),
                mask.coding,
            )
        except TicketError as error:
            raise TicketError(f"mask {index} is damaged: {error}") from None

    def weights(self, mask: int) -> np.ndarray:
        """Int16 array (out, channels of a group, height, width) of one mask's weights."""
        weight_set = self.weight_sets[self.masks[mask].weight_set]
        return weight_set.layout.from_stream(self.decoded[mask][0])
