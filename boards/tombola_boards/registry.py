"""The boards by name."""

from tombola.spec.errors import ConfigError
from tombola_boards import icebreaker, ulx3s
from tombola_boards.board import Board

BOARDS = {board.name: board for board in (icebreaker.BOARD, ulx3s.BOARD)}


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
