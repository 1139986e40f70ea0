"""The serial port: over a real pseudo-terminal, and every way it can fail to open or vanish."""

import contextlib
import errno
import os
import threading

import pytest
import serial

from tombola.device import serial_port
from tombola.device.serial_port import SerialPort
from tombola.spec.errors import DeviceError

PORT = "/dev/ttyUSB1"


@pytest.fixture
def terminal():
    """The board's end of a pseudo-terminal, and the path of the host's."""
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    yield ours, path
    with contextlib.suppress(OSError):  # a test may have closed it
        os.close(ours)


def test_bytes_there_and_back(terminal):
    ours, path = terminal
    with SerialPort(path, baud=1_000_000) as port:
        assert (port.name, port.baud) == (path, 1_000_000)
        everything = bytes(range(256))
        port.write(everything)
        assert os.read(ours, 1000) == everything
        os.write(ours, everything)
        received = b""
        while len(received) < 256:
            part = port.read(5.0)
            assert part
            received += part
        assert received == everything
        assert port.read(0.0) == port.read(0.01) == b""


def test_read_returns_as_soon_as_something_comes(terminal):
    ours, path = terminal
    with SerialPort(path, baud=115_200) as port:
        threading.Timer(0.05, os.write, (ours, b"x")).start()
        assert port.read(30.0) == b"x"


def test_a_port_that_vanishes(terminal):
    ours, path = terminal
    with SerialPort(path, baud=1_000_000) as port:
        os.close(ours)
        for call in (lambda: port.read(1.0), lambda: port.write(b"x" * 10)):
            with pytest.raises(DeviceError) as caught:
                call()
            assert str(caught.value) == (
                f"{path} is gone; check the cable and the board's power, then connect again"
            )


def test_a_port_is_opened_once(terminal):
    _, path = terminal
    with SerialPort(path, baud=1_000_000), pytest.raises(DeviceError) as caught:
        SerialPort(path, baud=1_000_000)
    assert str(caught.value) == f"{path} is in use by another program; close that first"


def test_a_port_that_is_not_there(monkeypatch):
    ports = [type("Port", (), {"device": name}) for name in ("/dev/ttyUSB7", "/dev/ttyACM0")]
    monkeypatch.setattr(serial_port.list_ports, "comports", lambda: ports)
    with pytest.raises(DeviceError) as caught:
        SerialPort("/dev/no-such-port", baud=1_000_000)
    assert str(caught.value) == (
        "there is no port /dev/no-such-port; check the cable; ports there are: /dev/ttyACM0, "
        "/dev/ttyUSB7"
    )
    monkeypatch.setattr(serial_port.list_ports, "comports", lambda: [])
    with pytest.raises(DeviceError, match="ports there are: none$"):
        SerialPort("/dev/no-such-port", baud=1_000_000)


@pytest.mark.parametrize("error, message", [
    (serial.SerialException(errno.EACCES, "denied"),
     f"no permission to open {PORT}; join its group, on most systems with sudo usermod -aG dialout "
     "$USER, and log in again"),
    (serial.SerialException(errno.EBUSY, "busy"),
     f"{PORT} is in use by another program; close that first"),
    (ValueError("Invalid baud rate"),
     f"{PORT} does not do 7 baud; choose a rate that board and adapter share"),
    (serial.SerialException("some reason"), f"{PORT} cannot be opened: some reason"),
])  # fmt: skip
def test_a_port_that_cannot_be_opened(monkeypatch, error, message):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    with pytest.raises(DeviceError) as caught:
        SerialPort(PORT, baud=7)
    assert str(caught.value) == message


class Stuck:
    """A port that takes nothing."""

    def __init__(self, *arguments, **options):
        pass

    def write(self, content):
        raise serial.SerialTimeoutException("Write timeout")

    def close(self):
        pass


def test_a_port_that_takes_no_bytes(monkeypatch):
    monkeypatch.setattr(serial, "Serial", Stuck)
    with SerialPort(PORT, baud=9600) as port, pytest.raises(DeviceError) as caught:
        port.write(b"x")
    assert str(caught.value) == (
        f"{PORT} takes no bytes any more; unplug the board and plug it in again"
    )
