"""The time of a simulated board, from the file in which its program tells it."""

import mmap
import struct
from pathlib import Path

_NUMBERS = struct.Struct("=5Q")


class SimulatedTime:
    """Numbers of a running simulation.

    Parameters
    ----------
    path : str
        The file, which the simulation keeps up to date; see `tombola_sim.virtual.command`.

    Raises
    ------
    OSError, ValueError
        If there is no such file, or not all numbers are in it.
    """

    def __init__(self, path: str) -> None:
        with Path(path).open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), _NUMBERS.size, access=mmap.ACCESS_READ)

    @property
    def clock_hz(self) -> int:
        """Of the engine."""
        return self._number(0)

    @property
    def divisor(self) -> int:
        """Clocks a bit of the serial line."""
        return self._number(1)

    @property
    def clocks(self) -> int:
        """Of the board, since power-up."""
        return self._number(2)

    @property
    def simulated(self) -> int:
        """Those of `clocks` in which the model was evaluated; in the others it was at rest."""
        return self._number(3)

    @property
    def lamps(self) -> int:
        """A bit for each lamp of the board, the first one lowest: whether it is lit."""
        return self._number(4)

    @property
    def seconds(self) -> float:
        """Of the board, since power-up."""
        return self.clocks / self.clock_hz

    def _number(self, index: int) -> int:
        return int(_NUMBERS.unpack(self._memory)[index])
