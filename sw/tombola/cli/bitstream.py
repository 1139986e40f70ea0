"""Builds a bitstream, with or without a ticket in it, and shows which stage is running."""

from tombola.cli.output import Stages
from tombola.compiler.program import compile_ticket
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Ticket
from tombola_boards.board import Board
from tombola_boards.build import DEFAULT_SEEDS, Built, build_board


def build(
    board: Board, *, config: EngineConfig, ticket: Ticket | None = None, seeds: int | None = None
) -> Built:
    """The bitstream of an engine on a board; what was built once comes from the cache.

    Parameters
    ----------
    ticket : Ticket, optional
        In the bitstream's block RAM at power-up.
    seeds : int, optional
        Placements to try until the clock is met.

    Raises
    ------
    FitError
        If the engine cannot run the ticket; nothing was built then.
    ToolError
        As `tombola_boards.build.build_board`.
    """
    power_up = None if ticket is None else compile_ticket(ticket, config).power_up
    with Stages(board.name) as stages:
        return build_board(
            board,
            config=config,
            power_up=power_up,
            seeds=DEFAULT_SEEDS if seeds is None else seeds,
            progress=stages.begin,
        )
