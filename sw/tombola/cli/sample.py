"""Writes a ticket with a random mask, for a network of the benchmark suite.

No search is run: the mask keeps half of the weights that the seed left open, and the scales keep
activations in range, so that an engine has with it the same work as with a searched ticket. What
the network then says of an image means nothing. The same arguments give the same bytes.
"""

import argparse
from pathlib import Path
from typing import Any

from tombola.cli import output

SUMMARY = "write a ticket with a random mask, to measure hardware without a search"
EXAMPLES = """\
  tombola sample conv6 --frozen 0.7 --out conv6.ticket
  tombola sample conv6 --coats 3 --out coats.ticket
  tombola sample resnet8 --weights stored:4 --out stored.ticket
  tombola sample fmnist-cnn --seed 7 --out t.ticket && tombola sim t.ticket --samples 20"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    from tombola.suite.networks import NETWORKS

    networks = "; ".join(f"{name}: {entry.about}" for name, entry in NETWORKS.items())
    parser.add_argument("network", metavar="NETWORK", help=networks)
    parser.add_argument("--out", type=Path, required=True, metavar="TICKET", help="file to write")
    parser.add_argument(
        "--frozen",
        type=float,
        metavar="F",
        help="part of the weights that the seed freezes, half of it pruned, half locked; "
        "these own no mask bit (default: 0)",
    )
    parser.add_argument("--coats", type=int, metavar="N", help="nested masks (default: 1)")
    parser.add_argument(
        "--weights",
        default="stream",
        metavar="stream|stored:B",
        help="drawn from the seed, or stored in the ticket at B bits, 2 to 8 (default: stream)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="of weights and mask (default: 1)"
    )
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Makes the ticket, writes it, and says how large it is."""
    from tombola.spec import size, ticket_file
    from tombola.suite.recipe import Recipe
    from tombola.suite.sample import sample

    recipe = Recipe.parse(frozen=args.frozen, coats=args.coats, weights=args.weights)
    ticket = sample(args.network, seed=args.seed, recipe=recipe)
    ticket_file.save(ticket, args.out)
    measured = size.measure(ticket)
    document = {
        "out": args.out,
        "network": args.network,
        "seed": f"{ticket.seed:016x}",
        "frozen": recipe.frozen,
        "coats": recipe.coding.coats,
        "stored_bits": recipe.coding.stored,
        "layers": len(ticket.layers),
        "weights": measured.weights,
        "searchable_weights": measured.searchable_weights,
        "mask_bits": measured.mask_bits,
        "ticket_bytes": args.out.stat().st_size,
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def _table(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("written", str(document["out"]))
    table.add_row("network", f"{document['network']}, {document['layers']} layers")
    table.add_row(
        "weights", f"{document['weights']:,}, {document['searchable_weights']:,} searchable"
    )
    table.add_row("mask", f"{document['mask_bits']:,} bits, random")
    table.add_row("ticket file", f"{document['ticket_bytes']:,} bytes")
    return table
