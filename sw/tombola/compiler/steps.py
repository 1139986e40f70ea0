"""What the engine does for a ticket: steps, each of one descriptor, and the tensors between."""

from dataclasses import dataclass, replace

import numpy as np

from tombola.spec.arithmetic import NumberType
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.layout import RowLayout
from tombola.spec.rules import TensorInfo
from tombola.spec.ticket import Conv, MaxPool, Ticket, Window


@dataclass(frozen=True, kw_only=True)
class Buffer:
    """A tensor as it lies in the activation memory.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width as they are laid out.
    type : NumberType
    row : RowLayout or None
        The values of a map lie in stream order, as channels of one position: that of a layer whose
        kernel is the map.
    strip : int
        Rows in the memory of each pixel; 0: all in one.
    """

    shape: tuple[int, int, int]
    type: NumberType
    row: RowLayout | None = None
    strip: int = 0

    @property
    def rows(self) -> int:
        """Rows in one memory."""
        return self.strip or self.shape[1]

    def lay_out(self, images: np.ndarray) -> np.ndarray:
        """Values (batch, channels, height, width) to those of the buffer, image below image."""
        if self.row is None:
            return np.concatenate(images, axis=1)
        return self.row.to_stream(images)[:, : self.shape[0]].T[:, :, None]

    def take_up(self, values: np.ndarray) -> np.ndarray:
        """The way back, but for the images, which stay below each other."""
        if self.row is None:
            return values
        rows = np.zeros((values.shape[1], self.row.positions), dtype=values.dtype)
        rows[:, : self.shape[0]] = values[:, :, 0].T
        return np.concatenate(self.row.from_stream(rows), axis=1)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run of the engine's loops.

    Parameters
    ----------
    layer : int
        Of the ticket: the one it computes or prepares.
    operation : Operation
    source, target : int
        Buffers; the buffer of the last tensor stands for the logits.
    residual : int or None
        Buffer that is added.
    kernel, stride : (int, int)
    first : (int, int)
        Row and column of the input at which the first window begins.
    packed : bool
        Kernel positions lie side by side in the lanes.
    groups : int
        Of a convolution, whose channels do not meet.
    pool : (int, int)
        Rows and columns of output positions of which only the maximum is written.
    channel : int or None
        The step copies all channels of its source to the target's from this one on.
    """

    layer: int
    operation: Operation
    source: int
    target: int
    kernel: tuple[int, int]
    residual: int | None = None
    stride: tuple[int, int] = (1, 1)
    first: tuple[int, int] = (0, 0)
    packed: bool = False
    groups: int = 1
    pool: tuple[int, int] = (1, 1)
    channel: int | None = None

    @property
    def keeps_values(self) -> bool:
        """Whether what it writes stands in its source, without a requantisation."""
        return self.channel is not None or self.operation is Operation.MAX_POOL

    @property
    def sources(self) -> tuple[int, ...]:
        """Buffers that it reads."""
        return (self.source,) if self.residual is None else (self.source, self.residual)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All steps in order.

    Parameters
    ----------
    steps : tuple of Step
    buffers : tuple of Buffer
        First one a tensor of the ticket, the last of these being the logits; then those between.
    results : int
        The buffer that stands for the logits.
    """

    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    results: int


def plan(
    ticket: Ticket, tensors: tuple[TensorInfo, ...], config: EngineConfig, *, batch: int = 1
) -> Plan:
    """The steps of a ticket whose layers `fit.check_layer` has let pass.

    Images of a `batch` are the rows of maps of one column, which only linear layers leave apart.

    Raises
    ------
    FitError
        If a batch of several images has a layer that is not linear.
    """
    buffers = [Buffer(shape=info.shape, type=info.type) for info in tensors]
    steps = [_step(ticket, layer) for layer in range(len(ticket.layers))]
    readers = [step for step in steps if 0 in step.sources]
    if len(readers) == 1 and (
        row := _row_over_map(ticket, readers[0], tensors, config, batch)
    ):
        words = -(-row.kernel[0] * row.kernel[1] * row.padded_channels // config.lanes)
        buffers[0] = replace(buffers[0], shape=(words * config.lanes, 1, 1), row=row)
        steps[readers[0].layer] = replace(readers[0], kernel=(1, 1), packed=True)
    if batch > 1:
        buffers = [_in_rows(index, buffer, batch) for index, buffer in enumerate(buffers)]
    return Plan(steps=tuple(steps), buffers=tuple(buffers), results=len(tensors) - 1)


def _in_rows(tensor: int, buffer: Buffer, batch: int) -> Buffer:
    channels, height, width = buffer.shape
    if (height, width) != (1, 1):
        raise FitError(
            f"a batch needs linear layers alone, but tensor {tensor} is a map of {height}x{width} "
            "here; run its images one by one"
        )
    return replace(buffer, shape=(channels, batch, 1))


def _step(ticket: Ticket, layer: int) -> Step:
    work = ticket.layers[layer]
    window = getattr(work, "window", Window())
    kernel = getattr(work, "kernel", (1, 1))
    operation = Operation.MAX_POOL if isinstance(work, MaxPool) else Operation.AVERAGE_POOL
    if isinstance(work, Conv):
        operation = Operation.CONVOLVE
        kernel = ticket.weight_sets[ticket.masks[work.mask].weight_set].kernel
    residual = getattr(work, "residual", None)
    return Step(
        layer=layer,
        operation=operation,
        source=work.input,
        target=layer + 1,
        groups=getattr(work, "groups", 1),
        residual=None if residual is None else residual.tensor,
        kernel=kernel,
        stride=window.stride,
        first=(-window.padding[0], -window.padding[1]),
    )


def _row_over_map(
    ticket: Ticket,
    step: Step,
    tensors: tuple[TensorInfo, ...],
    config: EngineConfig,
    batch: int,
) -> RowLayout | None:
    """The row of a linear layer over a map of few channels, if `step` is one.

    That is fewer than lanes, or for a batch as many, or any that are not padded in the stream.
    """
    work = ticket.layers[step.layer]
    if not isinstance(work, Conv) or work.groups != 1 or step.kernel == (1, 1):
        return None
    row = ticket.weight_sets[ticket.masks[work.mask].weight_set].layout
    whole = (
        step.first == (0, 0)
        and step.residual != step.source
        and step.kernel == tensors[step.source].shape[1:]
        and tensors[step.target].shape[1:] == (1, 1)
    )
    few = row.padded_channels < config.lanes
    few |= batch > 1 and row.padded_channels in (row.channels, config.lanes)
    return row if whole and few else None
