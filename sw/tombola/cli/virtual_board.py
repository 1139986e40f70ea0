"""Serves a simulated board: becomes the program that simulates it."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from .output import Stages


def serve(name: str, baud: int | None = None, engine: Path | None = None) -> int:
    """Simulates a board behind a pseudo-terminal until it is ended; does not return.

    The first line on stdout is the terminal's path, the second that of a file that tells the
    simulated time, for `tombola.device.virtual`. The first start builds the simulator.

    Parameters
    ----------
    name : str
        Of the board.
    baud : int, optional
        Of the serial line, in place of the board's own.
    engine : Path, optional
        A file that describes the engine, in place of the board's own.

    Raises
    ------
    ConfigError
        If there is no such board, its clock does not divide into this baud rate, or the file
        describes no engine for it.
    ToolError
        If a program is missing or fails.
    """
    from tombola_boards.registry import board_named
    from tombola_boards.virtual import write_virtual
    from tombola_sim.virtual import command

    from .engines import with_engine

    board = board_named(name)
    if baud is not None:
        board = replace(board, baud=baud)
    if engine is not None:
        board = with_engine(board, engine)
    with Stages(f"virtual {name}") as stages:
        folder = write_virtual(board, progress=stages.begin)
        program = command(folder, progress=stages.begin)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program[0], program)
