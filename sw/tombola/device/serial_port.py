"""A serial port as a transport, with errors that say what to check."""

import contextlib
import errno
import os

import serial
from serial.tools import list_ports

from tombola.device.transport import Transport
from tombola.spec.errors import DeviceError

WRITE_SECONDS = 10.0
"""Within this time a port takes what it is given, or it has hung."""


class SerialPort(Transport):
    """A serial port of the operating system, a pseudo-terminal included.

    Parameters
    ----------
    port : str
        Its name, such as /dev/ttyUSB1 or COM3.
    baud : int

    Raises
    ------
    DeviceError
        If it cannot be opened; with the way out.
    """

    def __init__(self, port: str, *, baud: int) -> None:
        self.name, self.baud = port, baud
        try:
            self._port = serial.Serial(
                port, baud, timeout=0, write_timeout=WRITE_SECONDS, exclusive=os.name == "posix"
            )
        except (OSError, ValueError) as error:
            raise DeviceError(_why_not_open(port, baud, error)) from error
        # Else the driver of an FTDI chip keeps short answers back for 16 ms; other ports have no
        # such mode.
        with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
            self._port.set_low_latency_mode(True)

    def write(self, content: bytes) -> None:
        """As `Transport.write`."""
        try:
            self._port.write(content)
        except serial.SerialTimeoutException:
            raise DeviceError(
                f"{self.name} takes no bytes any more; unplug the board and plug it in again"
            ) from None
        except (OSError, serial.SerialException) as error:
            raise self._gone(error) from error

    def read(self, timeout: float) -> bytes:
        """As `Transport.read`."""
        try:
            self._port.timeout = timeout
            first = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else b""
        except (OSError, TypeError, serial.SerialException) as error:
            # A port closed in mid-read shows as a TypeError.
            raise self._gone(error) from error

    def close(self) -> None:
        """As `Transport.close`."""
        self._port.close()

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"{self.name} is gone; check the cable and the board's power, then connect again"
        )


def _why_not_open(port: str, baud: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EACCES:
        return (
            f"no permission to open {port}; join its group, on most systems with "
            "sudo usermod -aG dialout $USER, and log in again"
        )
    if code == errno.ENOENT:
        there = ", ".join(sorted(each.device for each in list_ports.comports())) or "none"
        return f"there is no port {port}; check the cable; ports there are: {there}"
    if code in (errno.EBUSY, errno.EAGAIN):
        return f"{port} is in use by another program; close that first"
    if isinstance(error, ValueError):
        return f"{port} does not do {baud} baud; choose a rate that board and adapter share"
    return f"{port} cannot be opened: {error}"
