"""How long the host waits for an answer: learned from those that came, as TCP does (RFC 6298)."""

BITS_A_BYTE = 10
LEAST_MARGIN = 0.01
MOST_WAIT = 4.0
PLAIN_FIRST = 0.1
"""Seconds at first: an FTDI adapter alone may keep an answer back for 16 ms."""
RUN_FIRST = 1.0
PATIENCE = 6.0
"""Seconds without any progress after which the board counts as gone; a stall of 2 s is none."""
SLOWEST_CLOCK_HZ = 1e6
"""No engine runs slower; what a run may take at this clock is added to the patience."""


class Estimate:
    """Smoothed time of an exchange, and its spread.

    Parameters
    ----------
    first : float
        Wait in seconds as long as nothing is known.
    """

    def __init__(self, first: float) -> None:
        self._first = first
        self._mean: float | None = None
        self._spread = 0.0

    def observe(self, seconds: float) -> None:
        """Learns from an answer to a request that was sent once."""
        if self._mean is None:
            self._mean, self._spread = seconds, seconds / 2
            return
        self._spread += (abs(seconds - self._mean) - self._spread) / 4
        self._mean += (seconds - self._mean) / 8

    @property
    def wait(self) -> float:
        """Seconds after which an answer is overdue."""
        if self._mean is None:
            return self._first
        return self._mean + max(LEAST_MARGIN, 4 * self._spread)


class Timing:
    """Waits of one link.

    Parameters
    ----------
    baud : int
    patience : float
        Seconds without progress after which to give up.
    """

    def __init__(self, baud: int, *, patience: float = PATIENCE) -> None:
        self._byte_seconds = BITS_A_BYTE / baud
        self._plain = Estimate(PLAIN_FIRST)
        self._run = Estimate(RUN_FIRST)
        self._patience, self._run_seconds = patience, 0.0
        self._doublings = 0

    def expect_run(self, cycles: int) -> None:
        """Runs take so many clocks."""
        self._run_seconds = cycles / SLOWEST_CLOCK_HZ
        self._run = Estimate(RUN_FIRST + self._run_seconds)

    def wait(self, *, size: int, behind_run: bool) -> float:
        """Seconds until what is under way, `size` bytes both ways, is sent again."""
        estimate = self._run if behind_run else self._plain
        wait = min(MOST_WAIT, estimate.wait * 2**self._doublings)
        return wait + size * self._byte_seconds

    def patience(self, *, behind_run: bool) -> float:
        """Seconds without progress until the link gives up."""
        return self._patience + (self._run_seconds if behind_run else 0.0)

    def observe(self, seconds: float, *, size: int, behind_run: bool) -> None:
        """An answer came after this time to a request that was sent once."""
        estimate = self._run if behind_run else self._plain
        estimate.observe(max(0.0, seconds - size * self._byte_seconds))

    def back_off(self) -> None:
        """Nothing came: wait twice as long the next time."""
        self._doublings = min(self._doublings + 1, 8)

    def relax(self) -> None:
        """Something came."""
        self._doublings = 0
