"""Shows what is in a ticket: layers, weights, what the mask costs, how it was found.

Sizes are in bits unless they say bytes. The model is seed, mask and requantisation tables; the
ticket is the file that holds the model, the graph and its origin. The entropy bound is the fewest
bits any code could spend on the searched masks, layer by layer, given how many weights each one
keeps.
"""

import argparse
from pathlib import Path
from typing import Any

from tombola.cli import output

SUMMARY = "show the layers, the sizes and the origin of a ticket"
EXAMPLES = """\
  tombola inspect build/digits/digits-cnn.ticket
  tombola inspect my.ticket --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("ticket", type=Path, metavar="TICKET", help="the ticket file")
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Reads and checks the ticket, then prints what it is."""
    from tombola.model.account import account
    from tombola.spec import ticket_file

    ticket = ticket_file.load(args.ticket)
    document = {
        "ticket": args.ticket,
        "ticket_bytes": args.ticket.stat().st_size,
        **account(ticket),
    }
    output.emit(document, json_mode=args.json, table=lambda: _tables(document))
    return 0


def _tables(document: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table

    layers = Table(box=None, header_style="")
    for name in ("layer", "output", "weights", "searchable", "kept", "mask bits", "shift"):
        layers.add_column(name, justify="left" if name == "layer" else "right")
    for entry in document["layer_table"]:
        layers.add_row(
            f"{entry['layer']} {entry['op']}",
            "x".join(map(str, entry["shape"])),
            *(_number(entry.get(name)) for name in ("weights", "searchable", "kept", "mask_bits")),
            _number(entry.get("shift")),
        )
    sums = Table(show_header=False, box=None)
    sums.add_row("seed", document["seed"])
    sums.add_row("weights", f"{document['weights']}, {document['searchable_weights']} searchable")
    sums.add_row(
        "mask",
        f"{document['mask_bits']} bits, {document['mask_bits_a_weight']:.4f} a weight "
        f"(entropy bound {document['entropy_bits']:.0f} bits)",
    )
    sums.add_row("seed and mask", f"{document['seed_and_mask_bytes']} bytes")
    sums.add_row("model, with requantisation", f"{document['model_bytes']} bytes")
    sums.add_row("ticket file", f"{document['ticket_bytes']} bytes")
    sums.add_row("dense, 32 bits a weight", f"{document['dense_bytes']} bytes")
    for name, value in document["provenance"].items():
        sums.add_row(name.replace("_", " "), str(value))
    return Group(layers, "", sums)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
