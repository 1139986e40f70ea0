"""Runs the whole path on handwritten digits: search, ticket, Verilog, proof, bitstreams, board.

Each stage is one of the other verbs, run as you would type it; the table shows the commands. The
search finds a ticket for 8x8 digits in well under a minute, a fifth of its weights frozen by the
seed. The engine is then simulated and every logit compared with PyTorch, while the bitstreams for
both boards are built beside it. At the end the driver loads the ticket onto a virtual board, the
simulated netlist of the iCEBreaker's bitstream, and classifies images there. All messages go to
OUT/logs, the figures of every stage to OUT/demo.json."""

import argparse
import json
import time
from pathlib import Path

from tombola.cli.demo_summary import summarise, summary_table
from tombola.cli.output import add_json, emit
from tombola.cli.stages import Stage, run_chains
from tombola.spec.errors import ToolError
from tombola.spec.paths import write_atomically

SUMMARY = "run the whole path on digits: search, ticket, Verilog, co-simulation, bitstreams, board"
EXAMPLES = """\
  tombola demo
  tombola demo --no-build --samples 20
  tombola demo --out build/demo --json > figures.json"""

BOARDS = ("icebreaker", "ulx3s-25f")
VIRTUAL = "icebreaker"
FREEZING = ["--prune", "0.1", "--lock", "0.1"]
"""A fifth of the weights own no mask bit, so that the ticket fits the board's 1,024 words: 926
instead of 1,085. It gets 95.8 % of the test images right, without freezing 96.7 %."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--out", type=Path, default=Path("build/demo"), metavar="DIR",
        help="folder for all files; default build/demo",
    )
    parser.add_argument(
        "--geometry", default="8x8", metavar="RxL",
        help="rows x lanes of the simulated engine; default 8x8",
    )
    parser.add_argument(
        "--samples", type=int, default=100, metavar="N",
        help="images to simulate, and to run on the virtual board; default 100",
    )
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="epochs of the search; default the preset's"
    )
    parser.add_argument("--no-build", action="store_true", help="leave the bitstreams out")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Runs all stages, shows them as they go and ends with one summary."""
    out: Path = args.out
    logs = out / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(f"cannot write {logs}: {error.strerror}") from None
    chains = _chains(args, out)
    stages = [stage for chain in chains for stage in chain]
    began = time.monotonic()
    run_chains(chains, logs)
    document = summarise(stages, time.monotonic() - began)
    write_atomically(out / "demo.json", f"{json.dumps(document, indent=2)}\n".encode())
    emit(document, json_mode=args.json, table=lambda: summary_table(document))
    summary = document["summary"]
    return 0 if summary["mismatches"] == 0 and summary["board_agreement"] == 1 else 1


def _chains(args: argparse.Namespace, out: Path) -> list[list[Stage]]:
    """Two chains that take about as long: one for each core of a small computer."""
    epochs = [] if args.epochs is None else ["--epochs", str(args.epochs)]
    ticket, rtl = str(out / "search" / "digits-cnn.ticket"), str(out / "rtl")
    options = ["--preset", "digits-cnn", *FREEZING, *epochs, "--seed", "1"]
    geometry, samples = ["--geometry", args.geometry], ["--samples", str(args.samples)]
    device = ["--device", f"virtual:{VIRTUAL}", "--ticket", ticket, "--dataset", "digits"]
    search = Stage("search", ["search", *options, "--out", str(out / "search")])
    proof = [
        search,
        Stage("inspect", ["inspect", ticket]),
        Stage("eval", ["eval", ticket]),
        Stage("rtl", ["rtl", *geometry, "--out", rtl]),
        Stage("sim", ["sim", ticket, *samples, *geometry, "--rtl", rtl]),
    ]
    infer = Stage("infer", ["infer", *device, *samples], needs=search)
    if args.no_build:
        return [proof, [infer]]
    one, other = (
        Stage(f"build-{board}", ["build", "--board", board, "--out", str(out / board)])
        for board in BOARDS
    )
    return [[*proof, one], [other, infer]]
