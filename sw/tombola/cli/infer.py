"""Runs images through the ticket on a board and compares every logit with the integer model.

Images are files with the ticket's very shape (.png and what else Pillow reads; .npz with an array
images and perhaps labels), or the first test images of a data set. Exit status 0 means that each
class and each logit is the integer model's; 1 that at least one is not.

The latency is that of the engine, counted in clocks on the chip. Inferences a second are measured
with all transfers: by the clock on the wall, which for a virtual board only says how fast the
simulation is, and by that of the board, which a virtual board tells as if it were real."""

from pathlib import Path

from .engines import add_engine
from .output import add_json, emit

SUMMARY = "run images on a board or on a virtual one"

EXAMPLES = """\
  tombola infer --device auto --ticket my.ticket digit.png
  tombola infer --device serial:/dev/ttyUSB1 --ticket my.ticket --dataset fmnist --samples 1000
  tombola infer --device virtual:icebreaker --ticket my.ticket images.npz --json
  tombola infer --device virtual:ulx3s-25f --engine plan.json --ticket my.ticket digit.png"""

MOST_ROWS = 20
"""Images in the table; the JSON has all."""


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument(
        "images", nargs="*", type=Path, metavar="IMAGE", help="image files and .npz files"
    )
    parser.add_argument(
        "--device", required=True, metavar="D",
        help="serial:PORT, virtual:BOARD, or auto for the only board on USB",
    )
    parser.add_argument("--ticket", type=Path, metavar="TICKET", help="loaded unless it is there")
    parser.add_argument(
        "--board", metavar="B", help="what is at a serial port, where its USB strings do not tell"
    )
    add_engine(parser, purpose="on a virtual board: simulate it with the engine that")
    parser.add_argument("--dataset", metavar="NAME", help="test images instead of files")
    parser.add_argument(
        "--samples", type=int, metavar="N", help="how many of the data set; default 100"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a folder for data sets")
    add_json(parser)


def run(args) -> int:
    """Connect, load, infer, compare."""
    from tombola_boards.registry import board_named

    from ..spec import ticket_file
    from ..spec.errors import ConfigError

    if args.ticket is None:
        raise ConfigError("infer needs the ticket to know what it should find; add --ticket FILE")
    if args.images and (args.dataset or args.samples is not None):
        raise ConfigError("images are files or --dataset with --samples, not both; leave one out")
    ticket = ticket_file.load(args.ticket)
    samples = _samples(ticket, args)
    board = None if args.board is None else board_named(args.board)

    from .connecting import clock_of, connect, is_virtual
    from .trial import load_ticket, run_trial

    with connect(args.device, board=board, engine=args.engine) as device:
        written = load_ticket(device, ticket)
        trial = run_trial(device, ticket, samples)
        clock_hz, why_not = clock_of(device, board)
        document = {
            "device": device.info.address,
            "board": device.info.board if board is None else board.name,
            "geometry": device.info.config.geometry,
            "ticket": args.ticket,
            "ticket_written": written,
            **trial.to_json(),
            **trial.speed(clock_hz),
            "latency_us_unknown": why_not,
            "simulated": is_virtual(args.device),
            "results": trial.images_to_json(),
        }
    emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0 if document["agreement"] == 1 else 1


def _samples(ticket, args):
    from . import samples

    if args.images:
        return samples.from_files(ticket, args.images)
    count = 100 if args.samples is None else args.samples
    return samples.from_dataset(ticket, args.dataset, count, data_dir=args.data_dir)


def _table(document):
    from rich.console import Group
    from rich.table import Table

    rows = document["results"]
    images = Table("image", "class", "label", "logit", "as the integer model", box=None)
    for row in rows[:MOST_ROWS]:
        images.add_row(
            row["image"], row["class_name"], row["label_name"] or "",
            f"{row['logits'][row['class']]:,}", "yes" if row["agrees"] else "no",
        )
    left = len(rows) - MOST_ROWS
    rest = [f" and {left:,} more; --json has all"] if left > 0 else []
    return Group(images, *rest, "", summary_table(document))


def summary_table(document):
    """The figures of a trial, for people; also those of `tombola deploy`."""
    from rich.table import Table

    table = Table(show_header=False, box=None)
    equal = round(document["agreement"] * document["samples"])
    table.add_row("device", f"{document['device']}, {document['geometry']}")
    table.add_row("images", document["source"])
    table.add_row("as the integer model", f"{equal:,} of {document['samples']:,}, every logit")
    if document["accuracy"] is not None:
        table.add_row("accuracy", f"{document['accuracy']:.2%}")
    clocks = f"{document['latency_cycles']:,.0f} clocks"
    if document["latency_us"] is None:
        clocks += f"; {document['latency_us_unknown']}"
    else:
        clocks += f", {document['latency_us']:,.1f} us"
    table.add_row("an inference takes the engine", clocks)
    table.add_row(
        "inferences a second",
        f"{document['board_inferences_per_second']:,.1f} with their transfers"
        + ", in the board's time" * document["simulated"],
    )
    if document["simulated"]:
        table.add_row(
            "of the simulation", f"{document['inferences_per_second']:,.1f} in time on the wall"
        )
    return table
