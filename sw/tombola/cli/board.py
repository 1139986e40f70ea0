"""Lists the boards, tells all of one, programs one, and serves a simulated one.

A virtual board is the netlist of a board's bitstream, simulated behind a pseudo-terminal: the
first line on stdout is the terminal's path, and it answers there until it is ended."""

import tempfile
from pathlib import Path

from .engines import add_engine
from .output import add_json, emit, log, working

SUMMARY = "list, explain, program and simulate boards"

EXAMPLES = """\
  tombola board list
  tombola board info icebreaker
  tombola board program ulx3s-25f
  tombola board program icebreaker --bitstream build/icebreaker/icebreaker.bin
  tombola board --virtual icebreaker"""

LAMPS = {"ready": "ready for a host", "busy": "a run is under way", "error": "a run failed"}


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--virtual", metavar="NAME",
        help="simulate this board behind a pseudo-terminal until it is ended",
    )
    parser.add_argument(
        "--baud", type=int, metavar="RATE",
        help="of the simulated board's serial line, in place of the board's own",
    )
    add_engine(parser, purpose="with --virtual: simulate it with the engine that")
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    every = actions.add_parser("list", help="the boards there are, and which are plugged in")
    every.set_defaults(act=_list)
    one = actions.add_parser("info", help="all of one board, and how to program it")
    one.set_defaults(act=_info)
    program = actions.add_parser("program", help="bring a bitstream onto a board")
    program.set_defaults(act=_program)
    program.add_argument(
        "--bitstream", type=Path, metavar="FILE", help="this one; without, the board's own is built"
    )
    program.add_argument(
        "--flash", action="store_true", help="so that the board boots from it after power-on"
    )
    for action in (one, program):
        action.add_argument("name", metavar="NAME", help="its name in tombola board list")
    for action in (every, one, program):
        add_json(action)
    parser.set_defaults(act=_serve)


def run(args) -> int:
    """Carry out the action."""
    return args.act(args)


def _serve(args) -> int:
    from ..spec.errors import ConfigError

    if args.virtual is None:
        raise ConfigError(
            "board wants list, info, program or --virtual NAME; see tombola board --help"
        )
    from .virtual_board import serve

    return serve(args.virtual, args.baud, args.engine)


def _list(args) -> int:
    from tombola_boards.registry import BOARDS

    from ..device import find_boards

    plugged = [{"port": found.port, "board": found.board} for found in find_boards()]
    missing = _missing_tools(BOARDS.values())
    boards = [
        {**_describe(board), "missing_tools": [name for name in _tools(board) if name in missing]}
        for board in BOARDS.values()
    ]
    document = {"boards": boards, "plugged_in": plugged}
    emit(document, json_mode=args.json, table=lambda: _list_table(document))
    return 0


def _tools(board) -> list[str]:
    """What builds for a board and programs it, by name."""
    from tombola_boards.flow import TOOLS

    return [*TOOLS[board.family], board.programmer.tool]


def _missing_tools(boards) -> set[str]:
    from tombola_boards.tools import find_tool

    from ..spec.errors import ToolError

    missing = set()
    for name in {name for board in boards for name in _tools(board)}:
        try:
            find_tool(name)
        except ToolError:
            missing.add(name)
    return missing


def _list_table(document):
    from rich.console import Group
    from rich.table import Table

    table = Table("board", "what", "engine", "MACs", "clock", "lacks here", box=None)
    for each in document["boards"]:
        table.add_row(
            each["name"], each["title"], each["geometry"], f"{each['macs']:,}",
            f"{each['clock_mhz']:g} MHz", ", ".join(each["missing_tools"]) or "nothing",
        )
    plugged = [
        f" {each['port']}: {each['board'] or 'a board whose USB strings do not tell which'}"
        for each in document["plugged_in"]
    ]
    return Group(table, "", "plugged in:", *(plugged or [" none that is known by its USB ids"]))


def _info(args) -> int:
    from tombola_boards import programming
    from tombola_boards.registry import board_named

    board = board_named(args.name)
    ways = {
        way: " ".join(programming.command(board, Path("BITSTREAM"), flash=way == "flash"))
        for way in ("sram", "flash")
        if getattr(board.programmer, way) is not None
    }
    document = {
        **_describe(board),
        "cable": board.cable,
        "adapter": board.adapter,
        "remark": board.remark,
        "page": board.page,
        "leds": {state: f"{name} {number}" for state, (name, number) in board.leds.items()},
        "program": ways,
        "config": board.config.to_json(),
    }
    emit(document, json_mode=args.json, table=lambda: _info_table(document))
    return 0


def _info_table(document):
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("board", document["title"])
    for name in ("cable", "adapter", "remark", "page"):
        if document[name]:
            table.add_row(name, document[name])
    table.add_row("engine", f"{document['geometry']}, {document['macs']:,} MACs")
    table.add_row("clock", f"{document['clock_mhz']:g} MHz")
    table.add_row("serial line", f"{document['baud']:,} baud")
    for name, words in (
        ("ticket_words", "words of 32 bits for a ticket"),
        ("activation_words", f"words of {document['config']['lanes']} activations"),
        ("table_entries", "channels with a requantisation"),
        ("result_words", "logits"),
    ):
        table.add_row("room for", f"{document['config'][name]:,} {words}")
    for state, led in document["leds"].items():
        table.add_row(f"lamp {led}", LAMPS[state])
    flash, sram = document["program"].get("flash"), document["program"].get("sram")
    if sram:
        table.add_row("until power-off", sram)
    if flash:
        table.add_row("to boot from flash", flash)
    table.add_row("in one go", f"tombola deploy TICKET --board {document['name']}")
    return table


def _program(args) -> int:
    from tombola_boards import programming
    from tombola_boards.registry import board_named

    board = board_named(args.name)
    way = programming.way_to(board, flash=args.flash)
    programming.find_programmer(board)
    with tempfile.TemporaryDirectory(prefix="tombola-program-") as folder:
        bitstream = args.bitstream or _built(board, Path(folder))
        if board.remark:
            log(f"{board.name}: {board.remark}")
        with working(f"programming the {board.name}"):
            programming.program(board, bitstream, flash=args.flash)
    into = "flash" if way == board.programmer.flash else "sram"
    document = {"board": board.name, "bitstream": args.bitstream, "programmed": into}
    until = "boots from it" if into == "flash" else "holds it until power-off"
    emit(document, json_mode=args.json, table=lambda: f"the {board.name} {until}")
    return 0


def _built(board, folder: Path) -> Path:
    from .bitstream import build

    built = build(board, config=board.config)
    bitstream = folder / built.document["bitstream"]
    bitstream.write_bytes(built.files[bitstream.name])
    return bitstream


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
