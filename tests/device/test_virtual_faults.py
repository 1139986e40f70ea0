"""The driver on a simulated board over a line that loses and damages bytes, cut or stalled."""

import time

import numpy as np
import pytest
from support.fake_board import Faults
from support.fake_device import small_network
from support.faulty_line import FaultyLine

from tombola.device import Device
from tombola.device.virtual import VirtualBoard
from tombola.spec import reference
from tombola.spec.errors import DeviceError

KINDS = {
    "flip": {"flip": 1e-4},
    "drop": {"drop": 1e-3},
    "double": {"double": 1e-3},
    "cut": {"cut": 3e-4},
    "stall": {"stall": 3e-4},
}
BATCH = 25
SECONDS_AN_IMAGE = 10.0
"""Of the host: far above what an image takes, so that only a hang is longer."""


@pytest.fixture(scope="module")
def board():
    with VirtualBoard("icebreaker") as board:
        yield board


@pytest.fixture(scope="module")
def network():
    return small_network()


def exercise(board, network, count: int, **faults) -> int:
    """Infers `count` images; the number of calls that ended in an error, never a wrong answer."""
    ticket, images = network.build(), network.images(12)
    expected = reference.logits(ticket, images)
    order = np.random.default_rng(count)
    line = FaultyLine(board, Faults(seed=count, **faults))
    device, failures, began = None, 0, time.monotonic()
    for start in range(0, count, BATCH):
        chosen = order.integers(0, len(images), min(BATCH, count - start))
        try:
            if device is None:
                device = Device(line)
            if device.program is None:
                device.load(ticket)
            results = device.infer(images[chosen])
        except DeviceError:
            failures += 1
            continue
        np.testing.assert_array_equal(results.logits, expected[chosen])
        np.testing.assert_array_equal(results.classes, expected[chosen].argmax(axis=1))
    assert time.monotonic() - began < count * SECONDS_AN_IMAGE
    assert line.faults.happened > 0
    # The link is alive afterwards, over a sound line.
    sound = Device(board)
    sound.load(ticket)
    np.testing.assert_array_equal(sound.infer(images).logits, expected)
    return failures


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_never_a_wrong_answer(board, network, kind, count):
    assert exercise(board, network, count, **KINDS[kind]) == 0


def test_a_hopeless_line_ends_in_errors_or_right_answers(board, network):
    exercise(board, network, 5, flip=5e-3)
