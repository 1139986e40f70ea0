"""Thousands of inferences over a line that loses and damages bytes: every answer is right."""

import numpy as np
import pytest
from support.fake_board import Faults
from support.fake_device import make_board, open_device

from tombola.spec import reference
from tombola.spec.errors import DeviceError

KINDS = {
    "flip": {"flip": 1e-4},
    "flip often": {"flip": 5e-4},
    "drop": {"drop": 1e-3},
    "double": {"double": 1e-3},
    "cut": {"cut": 3e-4},
    "stall": {"stall": 1e-4},
    "all": {"flip": 5e-5, "drop": 2e-4, "double": 2e-4, "cut": 1e-4, "stall": 2e-5},
}
DISTINCT = 12
BATCH = 25


def exercise(ticket, network, *, batches: int, **faults) -> int:
    """Runs batches of images; the number of calls that ended in an error, never a wrong answer."""
    faults = Faults(**faults)
    board = make_board(ticket, faults=faults)
    images = network.images(DISTINCT)
    expected = reference.logits(ticket, images)
    order = np.random.default_rng(faults.seed)
    device, failures = None, 0
    for _ in range(batches):
        chosen = order.integers(0, DISTINCT, BATCH)
        try:
            if device is None:
                device = open_device(board)
            if device.program is None:
                device.load(ticket)
            results = device.infer(images[chosen])
        except DeviceError:
            failures += 1
            continue
        np.testing.assert_array_equal(results.logits, expected[chosen])
        np.testing.assert_array_equal(results.classes, expected[chosen].argmax(axis=1))
    assert faults.happened > 0
    # The link is alive afterwards.
    for name in ("flip", "drop", "double", "cut", "stall"):
        setattr(faults, name, 0.0)
    faults.cut_left = 0
    board.now = max(board.now, board.to_board.free, board.to_host.free)
    device = device or open_device(board)
    device.load(ticket)
    np.testing.assert_array_equal(device.infer(images).logits, expected)
    return failures


@pytest.mark.parametrize("kind", KINDS)
def test_never_a_wrong_answer(network, ticket, kind):
    assert exercise(ticket, network, batches=4, seed=1, **KINDS[kind]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_never_a_wrong_answer_in_a_thousand(network, ticket, kind, seed):
    assert exercise(ticket, network, batches=40, seed=seed + 10, **KINDS[kind]) == 0


@pytest.mark.parametrize("faults", [
    {"flip": 5e-3}, {"drop": 0.03}, {"double": 0.03}, {"cut": 0.01}, {"stall": 2e-3},
])  # fmt: skip
def test_a_hopeless_line_ends_in_errors_or_right_answers(network, ticket, faults):
    exercise(ticket, network, batches=4, seed=5, **faults)


def test_rounds_of_requests_do_not_chase_each_other(network, ticket):
    # Here stalls once left several copies of three requests on the line; each refusal of the last
    # sent all three again, so that the first one came whenever the board was busy, for ever.
    assert exercise(ticket, network, batches=4, seed=15, stall=2e-5) == 0
