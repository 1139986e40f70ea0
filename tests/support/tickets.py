"""Small random tickets, built layer by layer without any search."""

import numpy as np

from tombola.spec import mask_code, rules, weight_stream
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    Aggregate,
    AveragePool,
    Conv,
    Input,
    Layer,
    Mask,
    MaxPool,
    Requantisation,
    Rescale,
    Residual,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import FreezeClass, WeightSet

UNSIGNED = NumberType(bits=8, signed=False)
SIGNED = NumberType(bits=8, signed=True)


class TicketBuilder:
    """Adds layers one after the other; weights that the seed leaves open are drawn at random."""

    def __init__(
        self, shape: tuple[int, int, int], *, seed: int = 1, type: NumberType = UNSIGNED
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        low, _ = type.range
        table = np.arange(256, dtype=np.int16)[None, :] + low
        self.input = Input(shape=shape, type=type, table=np.repeat(table, shape[0], axis=0))
        self.weight_sets: list[WeightSet] = []
        self.masks: list[Mask] = []
        self.tables: list[Requantisation] = []
        self.layers: list[Layer] = []

    def _mask(self, weight_set: WeightSet, coding: Coding) -> int:
        classes = weight_stream.freeze_classes(self.seed, weight_set)
        low = 0 if coding.coats is not None else -coding.magnitude
        values = self.rng.integers(low, coding.magnitude + 1, classes.shape)
        values[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
        values[classes == FreezeClass.LOCKED] = coding.magnitude
        bits = mask_code.encode(values, classes, coding)
        self.weight_sets.append(weight_set)
        self.masks.append(Mask(weight_set=len(self.weight_sets) - 1, coding=coding, bits=bits))
        return len(self.masks) - 1

    def _table(self, channels: int, output: NumberType, fan_in: int) -> int:
        # Scales that spread typical sums over the output's range, and now and then beyond it.
        shift = int(self.rng.integers(6, 14))
        top = max(2, int(3 * (1 << shift) / max(1, fan_in) ** 0.5))
        self.tables.append(
            Requantisation(
                scale=self.rng.integers(-top // 8 - 1, top, channels).astype(np.int16),
                bias=self.rng.integers(-50 << shift, 90 << shift, channels).astype(np.int32),
                shift=shift,
                output=output,
                clamp=output.range,
            )
        )
        return len(self.tables) - 1

    def conv(
        self,
        channels: int,
        kernel: tuple[int, int] = (3, 3),
        *,
        window: Window | None = None,
        freeze: tuple[int, int] = (0, 0),
        coding: Coding | None = None,
        output: NumberType = UNSIGNED,
        logits: bool = False,
        in_channels: int,
        groups: int = 1,
        input: int | None = None,
        residual: Residual | None = None,
        same_mask_as: int | None = None,
    ) -> "TicketBuilder":
        """A convolution; `freeze` counts draw values that prune and that lock.

        `in_channels` are those of a group; the input is the layer before, if no tensor is named.
        """
        weight_set = WeightSet(
            id=len(self.weight_sets),
            out_channels=channels,
            in_channels=in_channels,
            kernel=kernel,
            prune=freeze[0],
            lock=freeze[1],
        )
        if same_mask_as is None:
            mask = self._mask(weight_set, coding or Coding(coats=1))
        else:
            twin = self.layers[same_mask_as]
            assert isinstance(twin, Conv)
            mask = twin.mask
        if logits:
            self.tables.append(
                Requantisation(
                    scale=self.rng.integers(-300, 300, channels).astype(np.int16),
                    bias=self.rng.integers(-9999, 9999, channels).astype(np.int32),
                    shift=2,
                    output=LOGITS,
                    clamp=None,
                )
            )
            table = len(self.tables) - 1
        else:
            table = self._table(channels, output, weight_set.layout.weights)
        self.layers.append(
            Conv(
                input=len(self.layers) if input is None else input,
                mask=mask,
                requantisation=table,
                window=window or Window(),
                groups=groups,
                residual=residual,
            )
        )
        return self

    def max_pool(self, kernel: tuple[int, int], window: Window) -> "TicketBuilder":
        """A max pooling."""
        self.layers.append(MaxPool(input=len(self.layers), kernel=kernel, window=window))
        return self

    def average_pool(
        self, kernel: tuple[int, int], window: Window, *, channels: int
    ) -> "TicketBuilder":
        """An average pooling whose result is an unsigned byte."""
        table = self._table(channels, UNSIGNED, kernel[0] * kernel[1])
        self.layers.append(
            AveragePool(
                input=len(self.layers), kernel=kernel, window=window, requantisation=table
            )
        )
        return self

    def rescale(
        self,
        *,
        channels: int,
        input: int | None = None,
        residual: Residual | None = None,
        output: NumberType = UNSIGNED,
    ) -> "TicketBuilder":
        """A requantisation, maybe with a further tensor."""
        self.layers.append(
            Rescale(
                input=len(self.layers) if input is None else input,
                requantisation=self._table(channels, output, 1),
                residual=residual,
            )
        )
        return self

    def aggregate(self, *, channels: int, edges_a_node: int) -> "TicketBuilder":
        """A sum over the edges of a graph whose result is a signed byte."""
        table = self._table(channels, SIGNED, 64 * edges_a_node)
        self.layers.append(Aggregate(input=len(self.layers), requantisation=table))
        return self

    def build(self, *, checked: bool = True) -> Ticket:
        """The ticket; its last layer must make logits."""
        ticket = Ticket(
            seed=self.seed,
            input=self.input,
            classes=(),
            weight_sets=tuple(self.weight_sets),
            masks=tuple(self.masks),
            requantisations=tuple(self.tables),
            layers=tuple(self.layers),
            provenance={},
        )
        if checked:
            rules.check(ticket)
        return ticket

    def images(self, count: int) -> np.ndarray:
        """Random bytes of the input's shape, (count, channels, height, width)."""
        return self.rng.integers(0, 256, (count, *self.input.shape)).astype(np.uint8)


def mixed_network(seed: int = 1) -> TicketBuilder:
    """Every feature the engine runs, in seven small layers.

    Three signed input channels, odd sizes, uneven strides and asymmetric padding, freezing, a
    layer wider than 32 channels, both poolings, a linear layer over the map.
    """
    return (
        TicketBuilder((3, 9, 8), seed=seed, type=SIGNED)
        .conv(7, (3, 3), window=Window(padding=(1, 1, 1, 1)), freeze=(60, 70), in_channels=3)
        .conv(5, (2, 3), window=Window(stride=(1, 2), padding=(0, 2, 1, 1)), in_channels=7,
              output=SIGNED)
        .max_pool((3, 2), Window(stride=(2, 1), padding=(1, 1, 1, 0)))
        .conv(37, (1, 1), freeze=(90, 0), in_channels=5)
        .average_pool((2, 2), Window(stride=(2, 2), padding=(1, 0, 0, 0)), channels=37)
        .conv(9, (2, 2), window=Window(padding=(1, 0, 1, 0)), freeze=(0, 128), in_channels=37)
        .conv(11, (4, 1), freeze=(90, 90), in_channels=9, logits=True)
    )
