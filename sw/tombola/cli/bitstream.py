"""Builds a bitstream, with or without a ticket in it, and shows which stage is running."""

from tombola.cli.output import working
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
    images = {}
    if ticket is not None:
        program = compile_ticket(ticket, config)
        images = {
            "ticket_init": program.ticket_image.tolist(),
            "table_init": program.table_image.tolist(),
        }
    with _Stages(board.name) as stages:
        return build_board(
            board,
            config=config,
            images=images,
            seeds=DEFAULT_SEEDS if seeds is None else seeds,
            progress=stages.begin,
        )


class _Stages:
    """Shows on stderr which stage of a build is running."""

    def __init__(self, title: str):
        self._title, self._shown = title, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._end(*error)

    def begin(self, name: str) -> None:
        """The stage `name` begins; the one before it has ended."""
        self._end(None, None, None)
        self._shown = working(f"{self._title}: {name.replace('_', ' and ')}")
        self._shown.__enter__()

    def _end(self, *error):
        if self._shown is not None:
            self._shown.__exit__(*error)
            self._shown = None
