"""Serves a simulated board: becomes the program that simulates it."""

import os
import sys

from .output import Stages


def serve(name: str) -> int:
    """Simulates a board behind a pseudo-terminal until it is ended; does not return.

    The first line on stdout is the terminal's path, the second that of a file that tells the
    simulated time, for `tombola.device.virtual`. The first start builds the simulator.

    Raises
    ------
    ConfigError
        If there is no such board.
    ToolError
        If a program is missing or fails.
    """
    from tombola_boards.registry import board_named
    from tombola_boards.virtual import write_virtual
    from tombola_sim.virtual import command

    board = board_named(name)
    with Stages(f"virtual {name}") as stages:
        folder = write_virtual(board, progress=stages.begin)
        program = command(folder, progress=stages.begin)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program[0], program)
