"""A virtual board as a transport: a program of its own behind a pseudo-terminal."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue

from tombola.device.serial_port import SerialPort
from tombola.device.transport import Transport
from tombola.spec.errors import DeviceError

START_SECONDS = 900.0
"""The first start builds the simulator of the board."""
STOP_SECONDS = 5.0
DYING_SECONDS = 1.0
"""The pseudo-terminal is gone a moment before the program is."""
SLOWNESS = 40.0
"""A 24 MHz board runs at some 600 kHz in simulation."""


def command(name: str) -> list[str]:
    """The program that simulates the board `name`.

    The first line it prints is the path of the pseudo-terminal; it serves that until it is ended.
    """
    return [sys.executable, "-m", "tombola.cli.main", "board", "--virtual", name]


class VirtualBoard(Transport):
    """Starts a virtual board and speaks to it; ends it with `close`.

    Parameters
    ----------
    name : str
        Of the board.
    baud : int
        In simulated time.

    Raises
    ------
    DeviceError
        If it does not start; with the last line it said.
    """

    def __init__(self, name: str, *, baud: int) -> None:
        self.name, self.baud, self.slowness = f"virtual:{name}", baud, SLOWNESS
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                command(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
            )
            path = self._first_line()
            if path is None or not Path(path).exists():
                self._end()
                complaints.seek(0)
                said = complaints.read().decode(errors="replace").strip().splitlines()
                why = said[-1] if said else path or "it said nothing"
                why = why.removeprefix("tombola: error: ")
                raise DeviceError(f"the virtual board {name} did not start: {why}")
        try:
            self._port = SerialPort(path, baud=baud, slowness=SLOWNESS)
        except DeviceError:
            self._end()
            raise

    def _first_line(self) -> str | None:
        lines: Queue[bytes] = Queue()
        stream = self._process.stdout
        assert stream is not None
        threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
        try:
            return lines.get(timeout=START_SECONDS).decode().strip() or None
        except Empty:
            return None

    def write(self, content: bytes) -> None:
        """As `Transport.write`."""
        try:
            self._port.write(content)
        except DeviceError as error:
            raise self._ended(DYING_SECONDS) or error from None

    def read(self, timeout: float) -> bytes:
        """As `Transport.read`."""
        try:
            content = self._port.read(timeout)
        except DeviceError as error:
            raise self._ended(DYING_SECONDS) or error from None
        if not content and (ended := self._ended()):
            raise ended
        return content

    def _ended(self, within: float = 0.0) -> DeviceError | None:
        try:
            status = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        return DeviceError(
            f"{self.name} ended by itself with status {status}; connect again to start a new one"
        )

    def close(self) -> None:
        """Ends the virtual board."""
        self._port.close()
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
