"""Random tickets that use everything the format has."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from tombola.spec import arithmetic, mask_code, rules, weight_stream
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.errors import TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
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


@dataclass
class Builder:
    """Grows a ticket layer by layer; `shapes` and `types` say what each tensor is."""

    rng: np.random.Generator
    shapes: list[tuple[int, int, int]]
    types: list[NumberType]
    seed: int
    weight_sets: list[WeightSet] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    tables: list[Requantisation] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def type(self) -> NumberType:
        return NumberType(bits=self.integer(1, 8), signed=bool(self.integer(0, 1)))

    def window(self, kernel: tuple[int, int]) -> Window:
        sides = [self.integer(0, kernel[i % 2] - 1) for i in range(4)]
        return Window(
            stride=(self.integer(1, 3), self.integer(1, 3)),
            padding=(sides[0], sides[1], sides[2], sides[3]),
        )

    def table(self, channels: int, bound: int, *, logits: bool) -> int:
        scale = self.rng.integers(-20 if logits else -32768, 20 if logits else 32767, channels)
        reach = max(1, int(np.abs(scale).max()) * bound)
        bias = self.rng.integers(-min(reach, 1 << 30), min(reach, 1 << 30), channels)
        output = LOGITS if logits else self.type()
        shift = max(0, min(31, reach.bit_length() - output.bits - self.integer(0, 3)))
        clamp = tuple(sorted(self.rng.integers(output.range[0], output.range[1], 2)))
        self.tables.append(
            Requantisation(
                scale=scale.astype(np.int16),
                bias=bias.astype(np.int32),
                shift=self.integer(0, 4) if logits else shift,
                output=output,
                clamp=None if logits else (int(clamp[0]), int(clamp[1])),
            )
        )
        self.types.append(output)
        return len(self.tables) - 1

    def residual(self, shape: tuple[int, int, int]) -> Residual | None:
        same = [i for i, other in enumerate(self.shapes) if other == shape]
        if not same or self.integer(0, 2) == 0:
            return None
        return Residual(tensor=int(self.rng.choice(same)), scale=self.integer(-32768, 32767))

    def mask(self, weight_set: WeightSet) -> int:
        if weight_set.frozen or self.integer(0, 1):
            coding = Coding(coats=self.integer(1, 4))
        else:
            coding = Coding(stored=self.integer(2, 8))
        classes = weight_stream.freeze_classes(self.seed, weight_set)
        weights = self.rng.integers(-coding.magnitude, coding.magnitude, classes.shape)
        weights[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
        weights[classes == FreezeClass.LOCKED] = coding.magnitude
        self.weight_sets.append(weight_set)
        self.masks.append(
            Mask(
                weight_set=len(self.weight_sets) - 1,
                coding=coding,
                bits=mask_code.encode(weights, classes, coding),
            )
        )
        return len(self.masks) - 1

    def conv(self, source: int, *, whole_map: bool = False) -> None:
        channels, height, width = self.shapes[source]
        kernel = (self.integer(1, min(3, height)), self.integer(1, min(3, width)))
        kernel = (height, width) if whole_map else kernel
        window = Window() if whole_map else self.window(kernel)
        groups = channels if not whole_map and self.integer(0, 2) == 0 else 1
        prune = self.integer(0, 128)
        frozen = bool(self.integer(0, 1))
        weight_set = WeightSet(
            id=len(self.weight_sets),
            out_channels=groups * self.integer(1, 3),
            in_channels=channels // groups,
            kernel=kernel,
            prune=prune if frozen else 0,
            lock=self.integer(0, 256 - prune) if frozen else 0,
        )
        mask = self.mask(weight_set)
        shape = self._shape(source, kernel, window, weight_set.out_channels)
        bound = arithmetic.accumulator_bound(
            weight_set.layout.weights, self.types[source], self.masks[mask].coding.magnitude
        )
        residual = None if whole_map else self.residual(shape)
        self.layers.append(
            Conv(
                input=source,
                mask=mask,
                requantisation=self.table(shape[0], bound, logits=whole_map),
                window=window,
                groups=groups,
                residual=residual,
            )
        )
        self.shapes.append(shape)

    def pool(self, source: int, kind: type) -> None:
        channels, height, width = self.shapes[source]
        kernel = (self.integer(1, min(3, height)), self.integer(1, min(3, width)))
        window = self.window(kernel)
        if kind is MaxPool:
            self.layers.append(MaxPool(input=source, kernel=kernel, window=window))
            self.types.append(self.types[source])
        else:
            bound = arithmetic.accumulator_bound(kernel[0] * kernel[1], self.types[source], 1)
            table = self.table(channels, bound, logits=False)
            self.layers.append(
                AveragePool(input=source, kernel=kernel, window=window, requantisation=table)
            )
        self.shapes.append(self._shape(source, kernel, window, channels))

    def rescale(self, source: int) -> None:
        shape = self.shapes[source]
        residual = self.residual(shape)
        table = self.table(shape[0], self.types[source].magnitude, logits=False)
        self.layers.append(Rescale(input=source, requantisation=table, residual=residual))
        self.shapes.append(shape)

    def _shape(
        self, source: int, kernel: tuple[int, int], window: Window, channels: int
    ) -> tuple[int, int, int]:
        _, height, width = self.shapes[source]
        top, left, bottom, right = window.padding
        return (
            channels,
            (height + top + bottom - kernel[0]) // window.stride[0] + 1,
            (width + left + right - kernel[1]) // window.stride[1] + 1,
        )


def build(seed: int) -> Ticket:
    """A ticket of 3 to 8 layers with every operation, number type, coding and wiring."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 5)), int(rng.integers(4, 10)), int(rng.integers(4, 10)))
    builder = Builder(rng=rng, shapes=[shape], types=[], seed=seed * 0x9E3779B97F4A7C15 % 2**64)
    builder.types.append(builder.type())
    low, high = builder.types[0].range
    table = rng.integers(low, high, (shape[0], 256), endpoint=True).astype(np.int16)
    makers: list[Callable[[int], None]] = [
        builder.conv,
        lambda source: builder.pool(source, MaxPool),
        lambda source: builder.pool(source, AveragePool),
        builder.rescale,
    ]
    for _ in range(int(rng.integers(2, 8))):
        source = int(rng.integers(max(0, len(builder.shapes) - 2), len(builder.shapes)))
        makers[rng.choice(4, p=(0.5, 0.15, 0.15, 0.2))](source)
    builder.conv(len(builder.shapes) - 1, whole_map=True)
    ticket = Ticket(
        seed=builder.seed,
        input=Input(shape=shape, type=builder.types[0], table=table),
        classes=(),
        weight_sets=tuple(builder.weight_sets),
        masks=tuple(builder.masks),
        requantisations=tuple(builder.tables),
        layers=tuple(builder.layers),
        provenance={},
    )
    try:
        rules.check(ticket)
    except TicketError as error:
        if "logits of" in str(error):  # too wide a sum at the end: draw another one
            return build(seed + 1_000_000)
        raise
    return ticket


@pytest.fixture
def random_ticket() -> Callable[[int], Ticket]:
    """`build`: a number to a ticket."""
    return build


@pytest.fixture(autouse=True)
def one_thread():
    """Tests share the cores with each other; more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
