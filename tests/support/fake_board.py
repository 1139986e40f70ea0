"""A board behind a serial line, in Python and in simulated time, with faults on demand."""

import random
from collections import deque
from dataclasses import dataclass

from support.fake_engine import FakeEngine
from support.link_model import LinkModel
from tombola.device.transport import Transport
from tombola.spec.errors import ConfigError
from tombola.spec.link import CRC_BYTES, MAX_REQUEST_WORDS, SYNC, Command, Frame, busy_bytes, parse

FRAME_TIMEOUT = 10e-3


@dataclass(kw_only=True)
class Faults:
    """What a line does to bytes; probabilities a bit or a byte, stalls in seconds."""

    seed: int = 0
    flip: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    cut: float = 0.0
    stall: float = 0.0
    stall_seconds: float = 2.0

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.happened = 0
        self.cut_left = 0

    def apply(self, byte: int) -> tuple[bytes, float]:
        """What becomes of a byte, and by how much it and all after it are delayed."""
        chance = self.random.random
        delay = 0.0
        if self.stall and chance() < self.stall:
            delay, self.happened = self.stall_seconds, self.happened + 1
        if self.cut and chance() < self.cut:
            self.cut_left = self.random.randrange(1, 40)
        if self.cut_left:
            self.cut_left -= 1
            self.happened += 1
            return b"", delay
        if self.drop and chance() < self.drop:
            self.happened += 1
            return b"", delay
        if self.flip and chance() < 8 * self.flip:
            byte ^= 1 << self.random.randrange(8)
            self.happened += 1
        if self.double and chance() < self.double:
            self.happened += 1
            return bytes([byte, byte]), delay
        return bytes([byte]), delay


class Line:
    """One direction of the serial line: bytes with the time at which they arrive."""

    def __init__(self, byte_seconds: float, faults: Faults):
        self.byte_seconds, self.faults = byte_seconds, faults
        self.arrivals: deque[tuple[float, int]] = deque()
        self.free = 0.0

    def send(self, now: float, content: bytes) -> float:
        """The time at which the last byte has left."""
        left = now
        for byte in content:
            after, delay = self.faults.apply(byte)
            self.free = max(self.free, now) + self.byte_seconds + delay
            left = self.free
            self.arrivals.extend((self.free, each) for each in after)
        return left

    @property
    def next(self) -> float:
        return self.arrivals[0][0] if self.arrivals else float("inf")


class FakeBoard(Transport):
    """Receiver, executor and engine of a board, with the driver's clock.

    `read` moves time; nothing else does. `dead` boards hear nothing, `gone` ports raise.
    """

    def __init__(self, engine: FakeEngine, *, baud: int = 1_000_000, faults: Faults | None = None):
        self.name, self.baud, self.now = "/dev/ttyUSB1", baud, 0.0
        self.engine = engine
        engine.clock = lambda: self.now
        faults = faults or Faults()
        self.to_board, self.to_host = Line(10 / baud, faults), Line(10 / baud, faults)
        self.link = LinkModel(read=engine.read, write=engine.write)
        self.dead, self.gone, self.closed = False, None, False
        self.executed: list[Frame] = []
        self._frame = bytearray()
        self._last_byte = 0.0
        self._offered: Frame | None = None
        self._waiting: Frame | None = None
        self._free = 0.0

    def clock(self) -> float:
        return self.now

    def write(self, content: bytes) -> None:
        if self.gone:
            raise self.gone
        self.to_board.send(self.now, content)

    def read(self, timeout: float) -> bytes:
        if self.gone:
            raise self.gone
        deadline = self.now + timeout
        while self.to_host.next > self.now:
            event = min(self.to_board.next, self.to_host.next, self._executor_event())
            if event > deadline:
                self.now = max(self.now, deadline)
                return b""
            self.now = max(self.now, event)
            self._step()
        content = bytearray()
        while self.to_host.next <= self.now:
            content.append(self.to_host.arrivals.popleft()[1])
        return bytes(content)

    def close(self) -> None:
        self.closed = True

    def _executor_event(self) -> float:
        if self._waiting is not None:
            if self._offered is not None and self._offered.command == Command.RESET:
                return self.now
            return max(self.now, self.engine.ends) if self.engine.ends < 1e9 else float("inf")
        return max(self._free, self.now) if self._offered is not None else float("inf")

    def _step(self):
        while self.to_board.next <= self.now:
            self._receive(*self.to_board.arrivals.popleft())
        if self._waiting is not None:
            if self._offered is not None and self._offered.command == Command.RESET:
                self._waiting = None
            else:
                self._execute(self._waiting)
        if self._waiting is None and self._offered is not None and self._free <= self.now:
            frame, self._offered = self._offered, None
            self._execute(frame)

    def _receive(self, at: float, byte: int):
        if self._frame and at - self._last_byte > FRAME_TIMEOUT:
            self._frame.clear()
        self._last_byte = at
        if not self._frame:
            if byte == SYNC and not self.dead:
                self._frame.append(byte)
                self._offered = None
            return
        self._frame.append(byte)
        if len(self._frame) < 4:
            return
        if self._frame[3] > MAX_REQUEST_WORDS:
            self._frame.clear()
        elif len(self._frame) == 4 + 4 * self._frame[3] + CRC_BYTES:
            try:
                self._offered = parse(bytes(self._frame))
            except ConfigError:
                self._offered = None
            self._frame.clear()

    def _execute(self, frame: Frame):
        self.executed.append(frame)
        answer = self.link.answer(frame)
        self._waiting = frame if answer is None else None
        if answer is not None:
            content = answer.to_bytes()
            accesses = 0.0
            if frame.command != Command.WAIT:
                accesses = (busy_bytes(frame) - 1 - len(content)) * self.to_host.byte_seconds
            self._free = self.to_host.send(self.now + accesses, content)
