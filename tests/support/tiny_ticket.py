"""The ticket that docs/ticket-format.md prints whole: every coding, a pooling and a residual."""

import numpy as np

from tombola.spec import mask_code, weight_stream
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    Conv,
    Input,
    Mask,
    MaxPool,
    Requantisation,
    Residual,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import FreezeClass, WeightSet

SEED = 0x0123456789ABCDEF
SETS = (
    WeightSet(id=7, out_channels=5, in_channels=3, kernel=(3, 3), prune=51, lock=26),
    WeightSet(id=0, out_channels=5, in_channels=5),
    WeightSet(id=70000, out_channels=4, in_channels=5, kernel=(3, 2), prune=77),
)
CODINGS = (Coding(coats=1), Coding(stored=3), Coding(coats=3))


def _scattered(count: int, low: int, high: int, *, salt: int) -> np.ndarray:
    """Integers low .. high that look random and are the same with every version of numpy."""
    hashed = (np.arange(count, dtype=np.uint64) + np.uint64(977 * salt)) * np.uint64(2654435761)
    return low + (((hashed & np.uint64(0xFFFFFFFF)) >> np.uint64(9)) % (high + 1 - low)).astype(int)


def _mask(index: int) -> Mask:
    weight_set, coding = SETS[index], CODINGS[index]
    classes = weight_stream.freeze_classes(SEED, weight_set)
    low = -coding.magnitude if coding.stored is not None else 0
    values = _scattered(classes.size, low, coding.magnitude, salt=index).reshape(classes.shape)
    values[classes != FreezeClass.SEARCHABLE] = 0
    values[classes == FreezeClass.LOCKED] = coding.magnitude
    return Mask(weight_set=index, coding=coding, bits=mask_code.encode(values, classes, coding))


def _table(scale: list[int], bias: list[int], **rest) -> Requantisation:
    return Requantisation(
        scale=np.array(scale, dtype=np.int16), bias=np.array(bias, dtype=np.int32), **rest
    )


def tiny_ticket() -> Ticket:
    """Input 3x5x4, convolution, max pooling, stored weights with a residual, linear layer."""
    return Ticket(
        seed=SEED,
        generator=("tombola", "0.1.0"),
        input=Input(
            shape=(3, 5, 4),
            type=NumberType(bits=4, signed=True),
            table=(np.arange(256, dtype=np.int16) // 16 - 8)[None],
        ),
        classes=("ant", "bee", "cat", "olé"),
        weight_sets=SETS,
        masks=tuple(_mask(index) for index in range(len(SETS))),
        requantisations=(
            _table(
                [11, 9, -8, 12, 10],
                [40, -7, 90, 0, 25],
                shift=4,
                output=NumberType(bits=4, signed=False),
                clamp=(0, 15),
            ),
            _table(
                [3, -4, 5, 2, 7],
                [-30, 14, 0, 9, -2],
                shift=3,
                output=NumberType(bits=6, signed=True),
                clamp=(-20, 31),
            ),
            _table(
                [200, -150, 32767, 90],
                [5, -2000, 0, 77],
                shift=1,
                output=LOGITS,
                clamp=None,
            ),
        ),
        layers=(
            Conv(input=0, mask=0, requantisation=0, window=Window(padding=(1, 1, 1, 1))),
            MaxPool(input=1, kernel=(2, 2), window=Window(stride=(2, 2), padding=(1, 0, 0, 0))),
            Conv(input=2, mask=1, requantisation=1, residual=Residual(tensor=2, scale=-9)),
            Conv(input=3, mask=2, requantisation=2),
        ),
        provenance={"accuracy": 0.25, "data": "known answer", "epochs": 0},
    )


def tiny_image() -> np.ndarray:
    """Uint8 (1, 3, 5, 4): bytes that reach both ends of the input table."""
    return _scattered(60, 0, 255, salt=3).astype(np.uint8).reshape(1, 3, 5, 4)
