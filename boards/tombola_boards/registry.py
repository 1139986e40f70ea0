"""The boards by name."""

from tombola.spec.errors import ConfigError
from tombola_boards import (
    colorlight,
    ice40_hx8k,
    icebreaker,
    orangecrab,
    tang_nano_9k,
    tang_nano_20k,
    ulx3s,
)
from tombola_boards.board import Board

ALL = (
    *colorlight.BOARDS,
    ice40_hx8k.BOARD,
    icebreaker.BOARD,
    *orangecrab.BOARDS,
    tang_nano_9k.BOARD,
    tang_nano_20k.BOARD,
    *ulx3s.BOARDS,
)
BOARDS = {board.name: board for board in ALL}


def board_named(name: str) -> Board:
    """The board of that name.

    Raises
    ------
    ConfigError
        If there is none; the message lists those there are.
    """
    if name not in BOARDS:
        raise ConfigError(f"board must be one of {', '.join(sorted(BOARDS))}, not {name}")
    return BOARDS[name]
