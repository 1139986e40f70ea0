"""A virtual board as a transport: a program of its own behind a pseudo-terminal."""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import IO

from tombola.device.serial_port import SerialPort
from tombola.device.simulated_time import SimulatedTime
from tombola.device.transport import Transport
from tombola.spec.errors import DeviceError

START_SECONDS = 900.0
"""The first start builds the simulator of the board."""
STOP_SECONDS = 5.0
DYING_SECONDS = 1.0
"""The pseudo-terminal is gone a moment before the program is."""
GLANCE_SECONDS = 0.002
"""Of the host, between looks at the board's time."""
STANDSTILL_SECONDS = 60.0
"""Of the host; a program that simulates nothing for so long never will."""


def command(name: str, baud: int | None = None, engine: Path | None = None) -> list[str]:
    """The program that simulates the board `name`, at another baud rate or with another engine.

    The first line it prints is the path of the pseudo-terminal, the second that of the file of
    `SimulatedTime`; it serves until it is ended.
    """
    rate = [] if baud is None else ["--baud", str(baud)]
    other = [] if engine is None else ["--engine", str(engine)]
    return [sys.executable, "-m", "tombola.cli.main", "board", "--virtual", name, *rate, *other]


class VirtualBoard(Transport):
    """Starts a virtual board and speaks to it; ends it with `close`.

    Time is the board's: a wait of a second is over when the board has simulated a second, however
    long that takes.

    Parameters
    ----------
    name : str
        Of the board.
    baud : int, optional
        That the board is built for; its own if not given.
    engine : Path, optional
        A file that describes an engine in place of the board's own; see `tombola.device.connect`.

    Attributes
    ----------
    time : SimulatedTime

    Raises
    ------
    DeviceError
        If it does not start; with the last line it said.
    """

    def __init__(
        self, name: str, *, baud: int | None = None, engine: Path | None = None
    ) -> None:
        self.name = f"virtual:{name}"
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                command(name, baud, engine),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                # Ctrl-C in a terminal interrupts the host alone; the board ends with its parent.
                start_new_session=True,
            )
            path, numbers = self._first_lines()
            if not Path(path).exists() or not Path(numbers).exists():
                self._end()
                raise DeviceError(f"the virtual board {name} did not start: {_why(complaints)}")
        try:
            self.time = SimulatedTime(numbers)
            self.baud = round(self.time.clock_hz / self.time.divisor)
            self._port = SerialPort(path, baud=self.baud)
        except (DeviceError, OSError, ValueError):
            self._end()
            raise
        self._seen, self._seen_at = 0, time.monotonic()

    def _first_lines(self) -> tuple[str, str]:
        lines: Queue[list[bytes]] = Queue()
        stream = self._process.stdout
        assert stream is not None
        threading.Thread(
            target=lambda: lines.put([stream.readline(), stream.readline()]), daemon=True
        ).start()
        try:
            path, numbers = lines.get(timeout=START_SECONDS)
        except Empty:
            path = numbers = b""
        return path.decode().strip() or "-", numbers.decode().strip() or "-"

    def clock(self) -> float:
        """Seconds since the board's power-up, in its own time."""
        return self.time.seconds

    def write(self, content: bytes) -> None:
        """As `Transport.write`."""
        try:
            self._port.write(content)
        except DeviceError as error:
            raise self._ended(DYING_SECONDS) or error from None

    def read(self, timeout: float) -> bytes:
        """As `Transport.read`; the timeout is in the board's time."""
        until = self.clock() + timeout
        while True:
            # In this order: what the board sent until now is there to be read.
            now = self.clock()
            try:
                content = self._port.read(GLANCE_SECONDS if now < until else 0.0)
            except DeviceError as error:
                raise self._ended(DYING_SECONDS) or error from None
            if content:
                return content
            if ended := self._ended() or self._standstill():
                raise ended
            if now >= until:
                return b""

    def _ended(self, within: float = 0.0) -> DeviceError | None:
        try:
            status = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        return DeviceError(
            f"{self.name} ended by itself with status {status}; connect again to start a new one"
        )

    def _standstill(self) -> DeviceError | None:
        clocks, now = self.time.clocks, time.monotonic()
        if clocks != self._seen:
            self._seen, self._seen_at = clocks, now
        if now - self._seen_at < STANDSTILL_SECONDS:
            return None
        return DeviceError(
            f"{self.name} has stood still for {STANDSTILL_SECONDS:.0f} s; is its program stopped? "
            "Connect again to start a new one"
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


def _why(complaints: IO[bytes]) -> str:
    """The last line that a program said."""
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip().splitlines()
    return said[-1].removeprefix("tombola: error: ") if said else "it said nothing"
