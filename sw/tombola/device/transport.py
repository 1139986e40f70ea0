"""A way for bytes to a board and back, whatever it is made of."""

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Transport(ABC):
    """Bytes there and back, in order; some may be lost or damaged.

    Attributes
    ----------
    name : str
        For messages: the port.
    baud : int
        Bits a second on the line; a byte takes ten.
    """

    name: str
    baud: int

    def clock(self) -> float:
        """Seconds since some moment, in the board's time, in which `read` waits."""
        return time.monotonic()

    @abstractmethod
    def write(self, content: bytes) -> None:
        """Sends all bytes; may block while the line is busy.

        Raises
        ------
        DeviceError
            If the port is gone or takes no bytes.
        """

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """What has come, waiting up to `timeout` seconds for a first byte; else nothing.

        Raises
        ------
        DeviceError
            If the port is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Gives the port back; does nothing the second time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
