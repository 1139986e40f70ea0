"""Opens a device for a verb, and finds the clock of its board."""

from tombola.cli.output import working
from tombola.device import Device
from tombola.device import connect as open_device
from tombola.device.connection import BAUD
from tombola_boards.board import Board
from tombola_boards.registry import BOARDS


def connect(address: str, *, board: Board | None = None) -> Device:
    """The device at an address, at the baud rate of its board.

    Raises
    ------
    ConfigError
        If the address is none.
    DeviceError
        If there is no such board or it does not answer as an engine.
    """
    kind, _, name = address.partition(":")
    if kind == "virtual":
        board = BOARDS.get(name, board)
        with working(f"starting the virtual board {name}; the first time builds its simulator"):
            return open_device(address, baud=BAUD if board is None else board.baud)
    return open_device(address, baud=BAUD if board is None else board.baud)


def clock_of(device: Device, board: Board | None = None) -> tuple[int | None, str | None]:
    """The clock of a device's board in Hz, or why it is unknown."""
    board = board or BOARDS.get(device.info.board or "")
    if board is None:
        return None, "the clock is unknown; name the board with --board"
    return board.clock_hz, None
