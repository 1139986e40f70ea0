"""A board whose link is the hardware's, compiled, and whose engine is Python."""

import ctypes
from pathlib import Path

from support.fake_board import Faults
from support.fake_engine import FakeEngine
from support.link_program import DIVISOR
from tombola.device.transport import Transport

BAUD = 1_000_000
CLOCK_HZ = DIVISOR * BAUD
ACCESS = ctypes.CFUNCTYPE(
    ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_bool, ctypes.c_uint64
)


class LinkBoard(Transport):
    """As `FakeBoard`, with the compiled link in `library` in place of the model.

    A byte that a fault doubles or drops does so in `write` and `read`; stalls are not made.
    """

    def __init__(self, library: Path, engine: FakeEngine, *, faults: Faults | None = None):
        self.name, self.baud, self.clocks = "/dev/ttyUSB1", BAUD, 0
        self.engine, self.faults = engine, faults or Faults()
        engine.clock = self.clock
        self._access = ACCESS(self._on_access)
        self._library = ctypes.CDLL(str(library))
        self._library.pipe_new.restype = ctypes.c_void_p
        self._library.pipe_run.restype = ctypes.c_uint64
        self._pipe = ctypes.c_void_p(self._library.pipe_new(self._access))
        self._room = ctypes.create_string_buffer(4096)

    def clock(self) -> float:
        return self.clocks / CLOCK_HZ

    def _on_access(self, address: int, data: int, write: bool, clock: int) -> int:
        self.clocks = clock
        if write:
            self.engine.write(address, data)
            return 0
        return self.engine.read(address)

    def _damaged(self, content: bytes) -> bytes:
        return b"".join(self.faults.apply(byte)[0] for byte in content)

    def write(self, content: bytes) -> None:
        content = self._damaged(content)
        self._library.pipe_send(self._pipe, content, len(content))

    def read(self, timeout: float) -> bytes:
        until = self.clocks + int(timeout * CLOCK_HZ) + 1
        while self.clocks < until:
            self.clocks = self._library.pipe_run(self._pipe, ctypes.c_uint64(until))
            count = self._library.pipe_take(self._pipe, self._room, len(self._room))
            if content := self._damaged(self._room.raw[:count]):
                return content
        return b""

    def close(self) -> None:
        pass
