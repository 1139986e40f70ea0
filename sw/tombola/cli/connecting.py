"""Opens a device for a verb, and finds the clock of its board."""

import time
from pathlib import Path

from tombola.cli.output import working
from tombola.device import Device
from tombola.device import connect as open_device
from tombola.device.usb import the_board
from tombola.spec.errors import ConfigError, DeviceError
from tombola.spec.identity import config_of, identity_words
from tombola_boards.board import Board
from tombola_boards.registry import BOARDS

SETTLE_SECONDS = 10.0
"""A board that was just programmed may leave USB and come back; most answer at once."""


def connect(
    address: str, *, board: Board | None = None, engine: Path | None = None
) -> Device:
    """The device at an address, at the baud rate of its board where that is known.

    Parameters
    ----------
    engine : Path, optional
        The file of a virtual board's engine, in place of the board's own.

    Raises
    ------
    ConfigError
        If the address is none.
    DeviceError
        If there is no such board or it does not answer as an engine.
    """
    if is_virtual(address):
        with working(f"starting {address}; the first time builds its simulator"):
            return open_device(address, engine=engine)
    return open_device(address, baud=None if board is None else board.baud, engine=engine)


def is_virtual(address: str) -> bool:
    """Whether the board there is a simulated one."""
    return address.startswith("virtual:")


def check_present(address: str, board: Board) -> None:
    """Refuses an address at which a board cannot be, before anything takes its time.

    Raises
    ------
    ConfigError
        If the address is none, or the only board on USB says that it is another.
    DeviceError
        If there is no such port; for ``auto`` also if several boards are plugged in.
    """
    kind, _, port = address.partition(":")
    if address == "auto":
        found = the_board()
        if found.board not in (None, board.name):
            raise ConfigError(
                f"board must be {found.board}, as {found.port} calls itself, not {board.name}; if "
                f"it is wrong, add --device serial:{found.port}"
            )
    elif kind != "serial" or not port:
        raise ConfigError(f"device must be serial:PORT, virtual:BOARD or auto, not {address}")
    elif port.startswith("/") and not Path(port).exists():  # COM3 is no file
        raise DeviceError(f"there is no port {port}; plug the board in, or see tombola board list")


def connect_again(address: str, board: Board) -> Device:
    """The device at an address whose board was just programmed with its own engine.

    Raises
    ------
    DeviceError
        If it does not answer within some seconds, or as another engine.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            device = connect(address, board=board)
            break
        except DeviceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(SETTLE_SECONDS / 20)
    expected = config_of(identity_words(board.config))
    if device.info.config != expected:
        device.close()
        raise DeviceError(
            f"the engine at {device.info.address} is not the one that was programmed: it is "
            f"{device.info.config.geometry}, not {expected.geometry} with the memories of the "
            f"{board.name}; is another board at that port? Name the right one with --device"
        )
    return device


def clock_of(device: Device, board: Board | None = None) -> tuple[int | None, str | None]:
    """The clock of a device's board in Hz, or why it is unknown."""
    board = board or BOARDS.get(device.info.board or "")
    if board is None:
        return None, "the clock is unknown; name the board with --board"
    return board.clock_hz, None
