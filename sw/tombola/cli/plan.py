"""Plans an engine for a ticket on a board, before anything is built.

Without --geometry it chooses rows and lanes: the fastest engine whose estimated cells and block
RAMs the part has, or with --fps the smallest that is fast enough. Memories are as large as the
ticket needs them. Clocks are estimated layer by layer, with what most of them are spent on: the
array at work, the construction of weights, the weight buffer (memory), or requantisation.

A ticket that does not fit is refused with the memory that is too small, what it needs, what there
is, and the part of the weights that would have to be frozen.
"""

import argparse
from pathlib import Path
from typing import Any

from tombola.cli import engines, output

SUMMARY = "plan an engine for a ticket on a board: what fits, how fast it is, what bounds it"
EXAMPLES = """\
  tombola plan my.ticket --board ulx3s-25f
  tombola plan my.ticket --board ulx3s-25f --geometry 8x16
  tombola plan my.ticket --board icebreaker --fps 100 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("ticket", type=Path, metavar="TICKET", help="the ticket file")
    parser.add_argument("--board", required=True, metavar="B", help="a board's name")
    parser.add_argument(
        "--geometry",
        metavar="RxL[xP]",
        help="rows x lanes x pixels of the engine; default: the planner's choice",
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="inferences a second that are enough"
    )
    engines.add_clock(parser)
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Plans, then prints the plan; what does not fit is said in the document too."""
    from tombola.compiler.planner import choose
    from tombola.compiler.room import NoRoomError
    from tombola.spec import ticket_file
    from tombola.spec.errors import ConfigError, FitError
    from tombola_boards.parts import target_of
    from tombola_boards.registry import board_named

    if args.fps is not None and not 0 < args.fps < float("inf"):
        raise ConfigError(f"fps must be above 0, not {args.fps:g}")
    ticket, board = ticket_file.load(args.ticket), board_named(args.board)
    board = engines.at_clock(board, args.clock)
    target = target_of(board)
    try:
        choice = choose(ticket, target, geometry=args.geometry, fps=args.fps)
    except FitError as refusal:
        if args.json:
            document = {"ticket": args.ticket, "board": board.name, "fits": False}
            for name in ("memory", "need_bits", "have_bits", "frozen_to_fit"):
                known = isinstance(refusal, NoRoomError)
                document[name] = getattr(refusal, name) if known else None
            document["reason"] = str(refusal)
            output.emit(document, json_mode=True, table=str)
        raise
    document = {"ticket": args.ticket, "board": board.name, **_document(ticket, target, choice)}
    output.emit(document, json_mode=args.json, table=lambda: _tables(document))
    return 0


def _document(ticket: Any, target: Any, choice: Any) -> dict[str, Any]:
    from tombola.compiler.plan_report import layer_table, memory_table
    from tombola.compiler.program import compile_ticket

    program = compile_ticket(ticket, choice.config)
    layers = layer_table(program)
    spent = {
        name: sum(layer["spent"][name] for layer in layers) for name in layers[0]["spent"]
    }
    return {
        "fits": True,
        "geometry": choice.config.geometry,
        "macs": choice.config.macs,
        "clock_mhz": target.clock_hz / 1e6,
        "cycles": program.cycles,
        "fps": target.clock_hz / program.cycles,
        "utilisation": program.macs / (choice.config.macs * program.cycles),
        "bound": max(spent, key=lambda name: spent[name]),
        **choice.area.to_json(),
        "capacity": target.capacity.to_json(),
        "memories": memory_table(ticket, choice.config, target),
        "layers": layers,
        "config": choice.config.to_json(),
    }


def _tables(document: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table

    head = Table(show_header=False, box=None)
    head.add_row("board", f"{document['board']}, {document['clock_mhz']:g} MHz")
    config = document["config"]
    head.add_row(
        "engine",
        f"{document['geometry']}, {document['macs']} MACs, {config['construction']} weights a "
        "clock built",
    )
    head.add_row(
        "inference", f"{document['cycles']:,} cycles, {document['fps']:,.1f} a second"
    )
    head.add_row(
        "array", f"{document['utilisation']:.1%} used; bound by {document['bound']}"
    )
    for name, title in (
        ("lut4", "cells"),
        ("ff", "flip-flops"),
        ("block_ram", "block RAM"),
        ("dsp", "multipliers"),
        ("spram", "large RAM"),
    ):
        if document["capacity"][name]:
            head.add_row(title, f"some {document[name]:,} of {document['capacity'][name]:,}")
    memories = Table("memory", box=None, header_style="")
    for name in ("need, bits", "have, bits"):
        memories.add_column(name, justify="right")
    memories.add_column("holds")
    for entry in document["memories"]:
        parts = ", ".join(f"{part['what']} {part['bits']:,}" for part in entry["parts"])
        memories.add_row(
            entry["memory"], f"{entry['need_bits']:,}", f"{entry['have_bits']:,}", parts
        )
    return Group(head, "", memories, "", _layers(document["layers"]))


def _layers(layers: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table("layer", box=None, header_style="")
    for name in ("output", "cycles", "array used"):
        table.add_column(name, justify="right")
    table.add_column("bound by")
    for entry in layers:
        table.add_row(
            f"{entry['layer']} {entry['op']}",
            "x".join(map(str, entry["shape"])),
            f"{entry['cycles']:,}",
            f"{entry['utilisation']:.1%}" if entry["utilisation"] else "",
            f"{entry['bound']} {entry['spent'][entry['bound']] / entry['cycles']:.0%}",
        )
    return table
