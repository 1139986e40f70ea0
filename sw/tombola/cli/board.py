"""Lists the boards, tells all of one, programs one, and serves a simulated one.

A virtual board is the Verilog of a board's bitstream, simulated behind a pseudo-terminal: the
first line on stdout is the terminal's path, and it answers there until it is ended."""

from .output import add_json, emit

SUMMARY = "list, explain, program and simulate boards"

EXAMPLES = """\
  tombola board list
  tombola board info icebreaker
  tombola board --virtual icebreaker"""


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--virtual", metavar="NAME",
        help="simulate this board behind a pseudo-terminal until it is ended",
    )
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    every = actions.add_parser("list", help="the boards there are, and which are plugged in")
    every.set_defaults(act=_list)
    one = actions.add_parser("info", help="all of one board")
    one.add_argument("name", metavar="NAME", help="its name in tombola board list")
    one.set_defaults(act=_info)
    for action in (every, one):
        add_json(action)
    parser.set_defaults(act=_serve)


def run(args) -> int:
    """Carry out the action."""
    return args.act(args)


def _serve(args) -> int:
    from ..spec.errors import ConfigError

    if args.virtual is None:
        raise ConfigError("board wants list, info, or --virtual NAME; see tombola board --help")
    from .virtual_board import serve

    return serve(args.virtual)


def _list(args) -> int:
    from tombola_boards.registry import BOARDS

    boards = [_describe(board) for board in BOARDS.values()]

    def table():
        from rich.table import Table

        table = Table("board", "what", "engine", "MACs", "clock", box=None)
        for each in boards:
            table.add_row(
                each["name"], each["title"], each["geometry"], f"{each['macs']}",
                f"{each['clock_mhz']:g} MHz",
            )
        return table

    emit({"boards": boards}, json_mode=args.json, table=table)
    return 0


def _info(args) -> int:
    from tombola_boards.registry import board_named

    board = board_named(args.name)
    document = {**_describe(board), "config": board.config.to_json()}

    def table():
        from rich.table import Table

        table = Table(show_header=False, box=None)
        for name, value in document.items():
            table.add_row(name.replace("_", " "), str(value))
        return table

    emit(document, json_mode=args.json, table=table)
    return 0


def _describe(board) -> dict:
    return {
        "name": board.name,
        "title": board.title,
        "family": board.family.value,
        "geometry": board.config.geometry,
        "macs": board.config.macs,
        "clock_mhz": board.clock_mhz,
        "baud": board.baud,
    }
