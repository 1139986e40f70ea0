"""Bus transactions as the harness runs them: a list of reads, writes and waits for a run's end."""

import enum

import numpy as np

FILE = "script.bin"
RESPONSES_FILE = "responses.bin"


class Kind(enum.IntEnum):
    """Top byte of a step; `harness.sv` states the same numbers."""

    READ = 0
    WRITE = 1
    WAIT = 2


class Outcome(enum.IntEnum):
    """How the harness ended a script; `harness.sv` states the same numbers."""

    COMPLETE = 0
    RUN_LIMIT = 1
    """A wait took more clocks than it allows."""
    BUS_LIMIT = 2
    """A request was not taken, or a read not answered."""
    NO_SCRIPT = 3
    """The script's file could not be opened."""


class Script:
    """A list of steps, built front to back, and how many words its reads will bring."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._reads = 0

    @property
    def reads(self) -> int:
        """Words that the script reads."""
        return self._reads

    def write(self, address: int, words: np.ndarray | int) -> None:
        """Writes words to `address` and the addresses after it."""
        data = np.atleast_1d(np.asarray(words)).astype(np.uint32)
        self._append(Kind.WRITE, address + np.arange(data.size), data)

    def read(self, address: int, count: int = 1) -> slice:
        """Reads `count` words; returns where they will stand among the words read."""
        place = slice(self._reads, self._reads + count)
        self._append(Kind.READ, address + np.arange(count), np.zeros(count, np.uint32))
        self._reads += count
        return place

    def wait(self, clocks: int) -> None:
        """Waits until the engine is idle, at most `clocks`."""
        limit = np.array([min(clocks, 0xFFFFFFFF)], np.uint32)
        self._append(Kind.WAIT, np.zeros(1, np.int64), limit)

    def _append(self, kind: Kind, addresses: np.ndarray, data: np.ndarray) -> None:
        step = (np.uint64(kind) << np.uint64(56)) | (addresses.astype(np.uint64) << np.uint64(32))
        self._parts.append(step | data.astype(np.uint64))

    def steps(self) -> np.ndarray:
        """Uint64 array (steps,): kind in bits 63..56, address in 55..32, data in 31..0."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.uint64)
