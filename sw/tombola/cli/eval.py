"""Runs a ticket in exact integer arithmetic on the test images and counts what it gets right.

The ticket of a graph network runs on the whole graph and is measured on the test nodes.

Accuracies run from 0 to 1. The float accuracy is what the search noted in the ticket; the integer
accuracy is measured now, with the arithmetic that the engine computes.
"""

import argparse
from pathlib import Path
from typing import Any

from tombola.cli import eval_graph, output

SUMMARY = "measure a ticket's accuracy in the engine's integer arithmetic"
EXAMPLES = """\
  tombola eval build/digits/digits-cnn.ticket
  tombola eval my.ticket --dataset fmnist --samples 1000 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("ticket", type=Path, metavar="TICKET", help="the ticket file")
    parser.add_argument(
        "--dataset", metavar="NAME", help="instead of the one the ticket was searched on"
    )
    parser.add_argument(
        "--samples", type=int, metavar="N", help="first test images; without, all of them"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a folder for data sets")
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measures, then prints."""
    from tombola import data
    from tombola.model.integer import IntegerModel
    from tombola.spec import ticket_file
    from tombola.spec.errors import ConfigError

    ticket = ticket_file.load(args.ticket)
    if eval_graph.takes(ticket):
        document = eval_graph.run(args, ticket)
        output.emit(document, json_mode=args.json, table=lambda: _table(document))
        return 0
    name = args.dataset or ticket.provenance.get("dataset")
    if not isinstance(name, str):
        raise ConfigError(f"{args.ticket} names no data set; give one with --dataset")
    images = data.load(name, data_dir=args.data_dir)
    available = len(images.test_labels)
    samples = available if args.samples is None else args.samples
    if not 1 <= samples <= available:
        raise ConfigError(
            f"samples must be between 1 and {available}, the test images of {images.name}, "
            f"not {samples}"
        )
    model = IntegerModel(ticket)
    with output.working(f"{samples} images of {images.name}"):
        accuracy = model.accuracy(images.test_images[:samples], images.test_labels[:samples])
    document = {
        "ticket": args.ticket,
        "dataset": images.name,
        "samples": samples,
        "float_accuracy": ticket.provenance.get("float_accuracy"),
        "integer_accuracy": accuracy,
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0


def _table(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_row("samples", f"{document['samples']} of {document['dataset']}")
    table.add_row("integer accuracy", f"{document['integer_accuracy']:.4f}")
    noted = document["float_accuracy"]
    table.add_row("float accuracy of the search", "unknown" if noted is None else f"{noted:.4f}")
    return table
