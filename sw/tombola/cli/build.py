"""Builds the bitstream of a board with open tools: Yosys, nextpnr and the packer of its family.

The same engine gives the same bytes on any machine with the same programs; what was built once
is taken from the cache. With --ticket the ticket is in the bitstream's block RAM at power-up; a
further one takes seconds on iCE40 and ECP5, whose designs are placed for the first alone.

--plan plans the engine for a ticket first, as tombola plan does; --engine builds one that was
planned before. Such an engine is the board's in place of its own: deploy and infer read from the
board what it is.

--board all builds the boards one after the other, goes on after one that fails, and when it is run
again builds only those that are not finished."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from ..spec.errors import ConfigError, TombolaError, ToolError
from .engines import add_clock, add_engine
from .output import add_json, emit, log

SUMMARY = "build the bitstream of a board"

EXAMPLES = """\
  tombola build --board icebreaker --out build/icebreaker
  tombola build --board ulx3s-25f --geometry 16x16 --out build/ulx3s
  tombola build --board ulx3s-25f --plan my.ticket --out build/ulx3s
  tombola build --board ulx3s-25f --engine plan.json --ticket my.ticket --out build/ulx3s
  tombola build --board all --out build/boards"""

BAR_CELLS = 30
NAMES = {
    "lut4": "LUT4 or logic cells",
    "ff": "flip-flops",
    "block_ram": "block RAM",
    "dsp": "multipliers",
    "spram": "large RAM",
}


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument("--board", required=True, metavar="B", help="a board's name, or all")
    parser.add_argument(
        "--geometry", metavar="RxL[xP]",
        help="rows (output channels) x lanes (input channels) x pixels (output positions) at once; "
        "default: the board's, or the planner's choice",
    )
    parser.add_argument(
        "--plan", type=Path, metavar="TICKET", help="plan the engine for this ticket"
    )
    add_engine(parser, purpose="the engine that")
    add_clock(parser)
    parser.add_argument(
        "--ticket", type=Path, metavar="TICKET", help="put this ticket into the block RAM"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="placements to try until the clock is met"
    )
    add_json(parser)


def run(args) -> int:
    """Build, write the files and show how full and how fast the part is."""
    from tombola_boards.build import find_tools
    from tombola_boards.registry import BOARDS, board_named

    _check_options(args)
    boards = [BOARDS[name] for name in sorted(BOARDS)]
    if args.board != "all":
        boards = [board_named(args.board)]
    # All programs are there, or nothing begins.
    for board in boards:
        find_tools(board)
    ticket = _ticket(args.ticket)
    if args.board != "all":
        document = _build(boards[0], args, ticket, args.out)
        emit(document, json_mode=args.json, table=lambda: _board_table(document))
        return 0
    documents, failed = [], {}
    for board in boards:
        try:
            documents.append(_build(board, args, ticket, args.out / board.name))
        except TombolaError as error:
            failed[board.name] = str(error)
    document = {"boards": documents, "failed": failed}
    emit(document, json_mode=args.json, table=lambda: _boards_table(documents))
    if failed:
        raise ToolError(
            f"all {len(boards)} boards must build, not {len(documents)}: "
            f"{'; '.join(failed.values())}"
        )
    return 0


def _check_options(args):
    """Refuses what says twice what the engine is."""
    if args.engine is not None and (args.geometry or args.plan or args.clock):
        raise ConfigError(
            "--engine says all of the engine; leave out --geometry, --plan and --clock"
        )
    if args.board == "all" and (args.engine or args.plan or args.clock):
        raise ConfigError("an engine is planned for one board; name it in place of all")


def _board(board, args):
    """The board with the engine to build."""
    from .engines import at_clock, with_engine

    if args.engine is not None:
        return with_engine(board, args.engine)
    board = at_clock(board, args.clock)
    if args.plan is None:
        config = board.config if args.geometry is None else board.config_for(args.geometry)
        return replace(board, config=config)
    from tombola_boards.parts import target_of

    from ..compiler.planner import choose

    choice = choose(_ticket(args.plan), target_of(board), geometry=args.geometry)
    log(f"{board.name}: planned {choice.config.geometry}, {choice.cycles:,} cycles an inference")
    return replace(board, config=choice.config)


def _ticket(path):
    if path is None:
        return None
    from ..spec import ticket_file

    return ticket_file.load(path)


def _build(board, args, ticket, out: Path) -> dict:
    from tombola_boards.build_cache import RESULT, write_files

    from .bitstream import build

    board = _board(board, args)
    built = build(board, config=board.config, ticket=ticket, seeds=args.seeds)
    document = dict(built.document)
    if ticket is not None:
        document["ticket_sha256"] = hashlib.sha256(args.ticket.read_bytes()).hexdigest()
    files = {**built.files, RESULT: f"{json.dumps(document, indent=2)}\n".encode()}
    write_files(out, files)
    return {**document, "bitstream": str(out / document["bitstream"]), "out": str(out)}


def _boards_table(documents):
    from rich.table import Table

    table = Table("board", "engine", "MACs", "cells", "RAM", "mult", "fastest clock", box=None)
    for document in documents:
        shares = []
        for name in ("lut4", "block_ram", "dsp"):
            capacity = document["capacity"][name]
            shares.append(f"{document[name] / capacity:4.0%}" if capacity else "")
        table.add_row(
            document["board"], document["geometry"], f"{document['macs']:4}", *shares,
            f"{document['fmax_mhz']:5.1f} of {document['clock_mhz']:g} MHz",
        )
    return table


def _board_table(document):
    from rich.table import Table

    table = Table(
        "", "used", "of", "", box=None,
        title=f"{document['board']}, {document['geometry']}: {document['macs']} MACs",
        title_justify="left",
    )
    for name, label in NAMES.items():
        used, capacity = document[name], document["capacity"][name]
        if capacity:
            share = used / capacity
            bar = "█" * round(BAR_CELLS * share)
            table.add_row(
                label, f"{used:,}", f"{capacity:,}", f"{bar:░<{BAR_CELLS}} {share:4.0%}"
            )
    margin = document["fmax_mhz"] / document["clock_mhz"] - 1
    table.add_row(
        "fastest clock", f"{document['fmax_mhz']:.1f}", "MHz",
        f"for a clock of {document['clock_mhz']:g} MHz, {margin:+.0%}",
    )
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in document["seconds"].items())
    table.add_row("written", "", "", document["bitstream"])
    table.add_row("time", "", "", seconds.replace("_", " and "))
    return table
