"""Runs the whole path on handwritten digits: search, ticket, Verilog, proof and two bitstreams.

Each stage is one of the other verbs, run as you would type it; the table shows the commands. The
search finds a ticket for 8x8 digits in well under a minute. The engine is then simulated and every
logit compared with PyTorch, while the bitstreams for both boards are built beside it. All messages
go to OUT/logs, the figures of every stage to OUT/demo.json."""

import argparse
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tombola.cli.output import add_json, emit
from tombola.spec.errors import ToolError
from tombola.spec.paths import write_atomically

SUMMARY = "run the whole path on digits: search, ticket, Verilog, co-simulation, bitstreams"
EXAMPLES = """\
  tombola demo
  tombola demo --no-build --samples 20
  tombola demo --out build/demo --json > figures.json"""

BOARDS = ("icebreaker", "ulx3s-25f")
MISMATCH = 1  # exit status of a proof that failed, with its document on stdout all the same


@dataclass
class Stage:
    """One command of the demo and what became of it.

    Attributes
    ----------
    name : str
    arguments : list of str
        As a user would type them after ``tombola``.
    seconds : float or None
        Wall-clock time, once it is done.
    document : dict
        What the command's ``--json`` said.
    """

    name: str
    arguments: list[str]
    started: float | None = None
    seconds: float | None = None
    document: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None

    def run(self, logs: Path) -> None:
        """Runs the command in a program of its own, its messages going to ``logs/NAME.log``."""
        self.started = time.monotonic()
        log = logs / f"{self.name}.log"
        command = [sys.executable, "-m", "tombola.cli.main", *self.arguments, "--json"]
        with log.open("w") as messages:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=messages, check=False)
        self.seconds = time.monotonic() - self.started
        if done.returncode == 0 or (done.returncode == MISMATCH and done.stdout):
            self.document = json.loads(done.stdout)
        else:
            lines = log.read_text().strip().splitlines() or ["no message"]
            self.failure = f"{self.name} failed: {lines[-1].removeprefix('tombola: error: ')}"

    @property
    def state(self) -> str:
        """For the progress table."""
        if self.failure:
            return "failed"
        if self.seconds is not None:
            return "done"
        return "waiting" if self.started is None else "running"


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
        "--samples", type=int, default=100, metavar="N", help="images to simulate; default 100"
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
    path, builds = _stages(args, out)
    stages = [*path, *builds]
    began = time.monotonic()
    # The last build takes as long as all before it, so it goes beside them.
    _run_all([[*path, *builds[:-1]], builds[-1:]], logs)
    document = _summary(stages, time.monotonic() - began)
    write_atomically(out / "demo.json", f"{json.dumps(document, indent=2)}\n".encode())
    emit(document, json_mode=args.json, table=lambda: _table(document))
    return 0 if document["summary"]["mismatches"] == 0 else 1


def _stages(args: argparse.Namespace, out: Path) -> tuple[list[Stage], list[Stage]]:
    """The stages that follow one from the other, and the builds, which need none of them."""
    epochs = [] if args.epochs is None else ["--epochs", str(args.epochs)]
    ticket = str(out / "search" / "digits-cnn.ticket")
    rtl = str(out / "rtl")
    path = [
        Stage(
            "search",
            [
                "search",
                "--preset",
                "digits-cnn",
                *epochs,
                "--seed",
                "1",
                "--out",
                str(out / "search"),
            ],
        ),
        Stage("inspect", ["inspect", ticket]),
        Stage("eval", ["eval", ticket]),
        Stage("rtl", ["rtl", "--geometry", args.geometry, "--out", rtl]),
        Stage(
            "sim",
            [
                "sim",
                ticket,
                "--samples",
                str(args.samples),
                "--geometry",
                args.geometry,
                "--rtl",
                rtl,
            ],
        ),
    ]
    builds = [
        Stage(f"build-{board}", ["build", "--board", board, "--out", str(out / board)])
        for board in ([] if args.no_build else BOARDS)
    ]
    return path, builds


def _run_all(chains: list[list[Stage]], logs: Path) -> None:
    """Runs the chains side by side, each stage after the one before; raises for a failed stage."""

    def run_chain(stages: list[Stage]) -> None:
        for stage in stages:
            stage.run(logs)
            if stage.failure:
                return

    threads = [threading.Thread(target=run_chain, args=(chain,)) for chain in chains]
    for thread in threads:
        thread.start()
    stages = [stage for chain in chains for stage in chain]
    _show(threads, stages)
    for stage in stages:
        if stage.failure:
            raise ToolError(f"{stage.failure} (all messages: {logs / stage.name}.log)")


def _show(threads: list[threading.Thread], stages: list[Stage]) -> None:
    """Keeps a table of the stages on stderr until all threads are done."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def table() -> Table:
        shown = Table("stage", "state", "seconds", "command", box=None)
        for stage in stages:
            seconds = stage.seconds
            if seconds is None and stage.started is not None:
                seconds = time.monotonic() - stage.started
            shown.add_row(
                stage.name,
                stage.state,
                "" if seconds is None else f"{seconds:.0f}",
                f"tombola {' '.join(stage.arguments)}",
            )
        return shown

    console = Console(stderr=True)
    if not console.is_terminal:
        for thread in threads:
            thread.join()
        console.print(table())
        return
    with Live(table(), console=console, refresh_per_second=2) as live:
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.3)
            live.update(table())


def _summary(stages: list[Stage], seconds: float) -> dict[str, Any]:
    """Every stage's own document, and the figures people ask for first."""
    documents = {stage.name: stage.document for stage in stages}
    search, inspect, sim = documents["search"], documents["inspect"], documents["sim"]
    boards = {
        document["board"]: {
            key: document[key]
            for key in (
                "geometry",
                "macs",
                "lut4",
                "ff",
                "block_ram",
                "fmax_mhz",
                "clock_mhz",
                "bitstream",
            )
        }
        for name, document in documents.items()
        if name.startswith("build-")
    }
    files = [search["ticket"], *(board["bitstream"] for board in boards.values())]
    files += documents["rtl"].get("files", [])
    return {
        "summary": {
            "float_accuracy": search["float_accuracy"],
            "integer_accuracy": documents["eval"]["integer_accuracy"],
            "ticket_bytes": inspect["ticket_bytes"],
            "dense_bytes": inspect["dense_bytes"],
            "images_simulated": sim["samples"],
            "values_compared": sim["values_compared"],
            "mismatches": sim["mismatches"],
            "cycles_per_inference": sim["cycles_per_inference"],
            "boards": boards,
            "files": [str(name) for name in files],
            "seconds": {stage.name: round(stage.seconds or 0, 1) for stage in stages},
            "seconds_in_all": round(seconds, 1),
        },
        "stages": documents,
    }


def _table(document: dict[str, Any]) -> Any:
    """The summary for people."""
    from rich.table import Table

    summary = document["summary"]
    table = Table("digits, from search to bitstream", "", box=None)
    table.add_row("accuracy, float model", f"{summary['float_accuracy']:.2%}")
    table.add_row("accuracy, integer model", f"{summary['integer_accuracy']:.2%}")
    table.add_row("ticket", f"{summary['ticket_bytes']:,} bytes")
    table.add_row("same weights dense, 32 bits", f"{summary['dense_bytes']:,} bytes")
    table.add_row(
        "co-simulation",
        f"{summary['images_simulated']} images, {summary['values_compared']} logits, "
        f"{summary['mismatches']} mismatches",
    )
    table.add_row("cycles an inference", f"{summary['cycles_per_inference']:,.0f}")
    for name, board in summary["boards"].items():
        table.add_row(
            f"{name}, {board['geometry']}",
            f"{board['lut4']:,} LUT4, {board['block_ram']} block RAM, "
            f"{board['fmax_mhz']:.1f} MHz for a clock of {board['clock_mhz']:g} MHz",
        )
    for name in summary["files"]:
        table.add_row("written", name)
    for name, seconds in summary["seconds"].items():
        table.add_row(f"seconds, {name}", f"{seconds:.0f}")
    table.add_row("seconds in all", f"{summary['seconds_in_all']:.0f}")
    return table
