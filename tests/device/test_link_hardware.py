"""The driver against the hardware's own link, compiled: exact, whatever happens to the line."""

import numpy as np
import pytest
from support.fake_board import Faults
from support.fake_device import CONFIG, open_device
from support.fake_engine import FakeEngine
from support.link_board import LinkBoard
from support.link_program import build

from tombola.spec import reference
from tombola.spec.errors import DeviceError

FAULTS = {
    "none": {},
    "flip": {"flip": 1e-4},
    "flip often": {"flip": 5e-4},
    "drop": {"drop": 1e-3},
    "double": {"double": 1e-3},
    "cut": {"cut": 3e-4},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The compiled link."""
    folder = tmp_path_factory.mktemp("link_pipe")
    return build(folder, "link_pipe.cpp", "-shared", "-fPIC")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_answer_is_right(library, network, ticket, kind, count):
    faults = Faults(seed=count, **FAULTS[kind])
    board = LinkBoard(library, FakeEngine(CONFIG, [ticket]), faults=faults)
    device = open_device(board)
    device.load(ticket)
    images = network.images(10)
    chosen = np.arange(count) % 10
    runs = board.engine.runs
    results = device.infer(images[chosen])
    np.testing.assert_array_equal(results.logits, reference.logits(ticket, images)[chosen])
    assert board.engine.runs == runs + count
    assert (device.statistics.resent > 0) == (kind != "none")


def test_an_endless_run_is_ended(library, network, ticket):
    board = LinkBoard(library, FakeEngine(CONFIG, [ticket]))
    device = open_device(board)
    device.load(ticket)
    board.engine.endless = True
    images = network.images(2)
    with pytest.raises(DeviceError, match="^the engine at /dev/ttyUSB1 did not end its run "):
        device.infer(images)
    board.engine.endless = False
    np.testing.assert_array_equal(device.infer(images).logits, reference.logits(ticket, images))
