"""The driver on simulated boards: their own top level, clock by clock."""

import subprocess
import sys

import numpy as np
import pytest
from support.fake_device import small_network

from tombola import device
from tombola.spec import reference
from tombola.spec.errors import DeviceError
from tombola.spec.link import Command
from tombola.spec.registers import ADDRESS, Window

READY, ERROR = 0b01, 0b10


@pytest.fixture(scope="module")
def icebreaker():
    """Started once: that takes some seconds, and a minute if its simulator must be built."""
    with device.connect("virtual:icebreaker") as board:
        yield board


def lamps(board: device.Device) -> int:
    """As they are after some more clocks."""
    board._transport.read(1e-3)
    return board._transport.time.lamps


def test_a_ticket_runs_exactly(icebreaker):
    network = small_network()
    ticket, images = network.build(), network.images(5)
    icebreaker.load(ticket)
    results = icebreaker.infer(images)
    np.testing.assert_array_equal(results.logits, reference.logits(ticket, images))
    assert lamps(icebreaker) == READY


def test_another_ticket_follows_without_a_new_board(icebreaker):
    for seed in (2, 3):
        network = small_network(seed, channels=7)
        ticket, images = network.build(), network.images(3)
        icebreaker.load(ticket)
        np.testing.assert_array_equal(
            icebreaker.infer(images).logits, reference.logits(ticket, images)
        )


def test_lamps_tell_of_errors(icebreaker):
    link = icebreaker._link
    link.send(Command.WRITE, (max(Window) + 1) << 20, 0)
    link.finish()
    assert lamps(icebreaker) == ERROR
    icebreaker.reset()
    assert lamps(icebreaker) == READY


def test_time_is_simulated(icebreaker):
    """A read of a register takes the clocks of its bytes and few more."""
    link, time = icebreaker._link, icebreaker._transport.time
    before, sent = time.clocks, link.statistics.bytes_sent
    received = link.statistics.bytes_received
    for _ in range(20):
        link.finish(link.send(Command.READ, ADDRESS["identity"], 1))
    line = link.statistics.bytes_sent - sent + link.statistics.bytes_received - received
    assert time.clocks - before >= 10 * time.divisor * line


def test_three_megabaud():
    network = small_network()
    ticket, images = network.build(), network.images(3)
    with device.connect("virtual:icebreaker", baud=3_000_000) as board:
        assert board._transport.time.divisor == 8
        board.load(ticket)
        np.testing.assert_array_equal(board.infer(images).logits, reference.logits(ticket, images))


@pytest.mark.parametrize("name, baud, why", [
    ("de10", None, "board must be one of "),
    ("icebreaker", 7_000_000, "baud must divide the clock of 24000000 Hz with less than 2 % error"),
    ("icebreaker", 6_000_000, "baud must be at most 3000000 at a clock of 24000000 Hz"),
])  # fmt: skip
def test_boards_that_there_are_not(name, baud, why):
    with pytest.raises(DeviceError) as caught:
        device.connect(f"virtual:{name}", baud=baud)
    assert str(caught.value).startswith(f"the virtual board {name} did not start: {why}")


def test_the_command_says_in_one_line_what_is_wrong():
    done = subprocess.run(
        [sys.executable, "-m", "tombola.cli.main", "board", "--virtual", "de10"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tombola: error: board must be one of ")
    assert done.stderr.count("\n") == 1
