"""Addresses, and virtual boards as programs of their own."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tombola import device
from tombola.device import connection, link, virtual
from tombola.device.usb import Found
from tombola.spec import reference
from tombola.spec.errors import ConfigError, DeviceError

TESTS = Path(__file__).parents[1]


@pytest.fixture
def program(monkeypatch):
    """The virtual board is a small program of the tests; its argument is the board's name."""
    script = TESTS / "support" / "fake_virtual_board.py"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *sys.path]))
    monkeypatch.setattr(
        virtual, "command", lambda name, baud, engine: [sys.executable, str(script), name]
    )


def test_the_command_of_a_virtual_board():
    words = ["-m", "tombola.cli.main", "board", "--virtual", "icebreaker"]
    assert virtual.command("icebreaker", None)[1:] == words
    assert virtual.command("icebreaker", 3_000_000)[1:] == [*words, "--baud", "3000000"]
    engine = Path("plan.json")
    assert virtual.command("icebreaker", None, engine)[1:] == [*words, "--engine", "plan.json"]


def test_a_real_board_tells_itself_what_its_engine_is():
    with pytest.raises(ConfigError) as caught:
        device.connect("serial:/dev/null", engine="plan.json")
    assert str(caught.value) == (
        "engine must be left out for serial:/dev/null, which tells itself what its engine is"
    )


def test_a_virtual_board_runs_a_ticket(program, network, ticket):
    images = network.images(3)
    with device.connect("virtual:ok") as board:
        assert board.info.address == "virtual:ok"
        assert board.info.board == "ok"
        assert board._transport.baud == 1_000_000
        process = board._transport._process
        board.load(ticket)
        np.testing.assert_array_equal(
            board.infer(images).logits, reference.logits(ticket, images)
        )
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.parametrize("name, why", [
    ("quiet", "it said nothing"), ("wrong", "board must be one of a, b, not c"),
])  # fmt: skip
def test_a_virtual_board_that_does_not_start(program, name, why):
    with pytest.raises(DeviceError) as caught:
        device.connect(f"virtual:{name}")
    assert str(caught.value) == f"the virtual board {name} did not start: {why}"


def test_a_virtual_board_that_ends_by_itself(program):
    with device.connect("virtual:dies") as board:
        time.sleep(0.5)
        with pytest.raises(DeviceError) as caught:
            board.reset()
    assert str(caught.value) in (
        "virtual:dies ended by itself with status 3; connect again to start a new one",
    )


def test_a_virtual_board_whose_time_stands_still(program, monkeypatch):
    monkeypatch.setattr(virtual, "STANDSTILL_SECONDS", 0.5)
    with device.connect("virtual:still") as board, pytest.raises(DeviceError) as caught:
        board._transport.read(10.0)
    assert str(caught.value) == (
        "virtual:still has stood still for 0 s; is its program stopped? Connect again to start a "
        "new one"
    )


def test_the_clock_is_the_boards(program):
    with device.connect("virtual:ok") as board:
        transport = board._transport
        before = transport.clock()
        transport.read(0.2)
        assert 0.2 <= transport.clock() - before < 2.0
        assert transport.time.lamps == 1


def test_a_serial_address(monkeypatch, board):
    opened = []

    def open_port(port, *, baud):
        opened.append((port, baud))
        return board

    monkeypatch.setattr(connection, "SerialPort", open_port)
    slow = Found(port="/dev/b", board="ulx3s-85f", baud=115_200)
    monkeypatch.setattr(connection, "find_boards", lambda: [slow])
    monkeypatch.setattr(connection, "the_board", lambda: Found(port="/dev/c", board=None))
    assert device.connect("serial:/dev/b").info.board == "ulx3s-85f"
    assert device.connect("serial:/dev/b", baud=3_000_000).info.board == "ulx3s-85f"
    assert device.connect("serial:/dev/a").info.board is None
    assert device.connect().info.board is None
    assert opened == [
        ("/dev/b", 115_200), ("/dev/b", 3_000_000), ("/dev/a", 1_000_000), ("/dev/c", 1_000_000),
    ]


def test_a_board_that_does_not_answer_leaves_its_port_closed(monkeypatch, board):
    board.dead = True
    monkeypatch.setattr(connection, "SerialPort", lambda port, *, baud: board)
    monkeypatch.setattr(link, "GREETINGS", 2)
    with pytest.raises(DeviceError, match="^no answer from "):
        device.connect("serial:/dev/a")
    assert board.closed


@pytest.mark.parametrize("address", ["", "serial", "serial:", "virtual:", "usb:1", "/dev/ttyUSB1"])
def test_addresses_that_are_none(address):
    with pytest.raises(ConfigError) as caught:
        device.connect(address)
    assert str(caught.value) == f"device must be serial:PORT, virtual:BOARD or auto, not {address}"


@pytest.mark.parametrize("baud", [0, -1, "fast"])
def test_baud_rates_that_are_none(baud):
    with pytest.raises(ConfigError) as caught:
        device.connect("serial:/dev/a", baud=baud)
    assert str(caught.value) == f"baud must be a positive integer, not {baud!r}"
