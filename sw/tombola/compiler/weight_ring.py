"""When the weight buffer has room: a ring of lines, written ahead and freed as they are read."""

from collections import deque


class WeightRing:
    """Clocks in which lines are freed, and from which further ones can be written.

    Parameters
    ----------
    size : int
        Lines that it holds.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._written = 0
        self._freed = 0
        # (first line, clock in which it is freed, lines): one a clock.
        self._runs: deque[tuple[int, int, int]] = deque()

    def release(self, clock: int, lines: int) -> None:
        """The next lines are freed one a clock, the first in this one."""
        self._runs.append((self._freed, clock, lines))
        self._freed += lines

    def room(self, lines: int, *, clocks: int) -> int:
        """Earliest clock in which `lines` more can all have been written, taking so many clocks."""
        missing = self._written + lines - self._size
        if missing <= 0:
            return 0
        first = max(0, self._written - self._size)
        after = lines - (first - (self._written - self._size)) - 1
        return max(self._clock(missing - 1), self._clock(first) + after * clocks // lines) + 1

    def commit(self, lines: int) -> None:
        """So many lines were written."""
        self._written += lines

    def _clock(self, line: int) -> int:
        while self._runs[0][0] + self._runs[0][2] <= line:
            self._runs.popleft()
        first, clock, _ = self._runs[0]
        return clock + line - first
