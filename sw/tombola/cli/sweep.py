"""Searches a grid of settings: every combination once, side by side, into one table and picture.

Each --grid names an option of `tombola search` and the values it takes, so what that verb can do a
sweep can vary. Combinations that differ in the seed alone are repetitions: the table has their mean
and deviation. Every trial has a folder of its own under DIR/trials, with its ticket, learning curve
and result. Run the same command again after a crash or a power cut: finished trials are taken as
they are, the others go on from their last epoch, and a larger grid adds to what is there.

Writes results.json, results.csv (a row a trial) and pareto.png (accuracy against model bits).
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tombola.cli import output, search

SUMMARY = "search a grid of settings, resumable, on this machine or a Ray cluster"
EXAMPLES = """\
  tombola sweep --preset digits-cnn --grid seed=1,2,3 --grid sparsity=0.3,0.5,0.7 --out build/sweep
  tombola sweep --preset fmnist-mlp --grid prune=0,0.25,0.35 --grid lock=0.35 --out build/frozen
  tombola sweep --preset fmnist-mlp,fmnist-cnn --grid epochs=2 --processes 2 --out build/both
  tombola sweep --preset fmnist-cnn --grid seed=1,2,3 --cluster head:6379 --out /shared/sweep"""

OWN = ("out", "resume", "json", "data-dir", "preset", "help")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--preset", required=True, metavar="NAME[,NAME]", help="as for tombola search, or several"
    )
    parser.add_argument(
        "--grid", action="append", default=[], metavar="OPTION=VALUE[,VALUE]",
        help="an option of tombola search and its values; again for each option",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for all files")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--processes", type=int, default=os.cpu_count(), metavar="N",
        help="searches at a time on this machine (default: one a core)",
    )
    where.add_argument(
        "--cluster", nargs="?", const="", metavar="ADDRESS",
        help="a Ray cluster whose nodes share DIR; without ADDRESS one of this machine alone",
    )
    parser.add_argument(
        "--cores", type=int, default=1, metavar="N", help="of the cluster for each search"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="a folder for data sets")
    output.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Runs what is open, then prints the table; status 1 if a trial failed."""
    from tombola.sweep import runners
    from tombola.sweep.grid import Axis, trials
    from tombola.sweep.pareto import front_of
    from tombola.sweep.sweep import sweep
    from tombola.sweep.table import rows, summary

    for name, value in (("processes", args.processes), ("cores", args.cores)):
        if value < 1:
            raise _refused(f"{name} must be at least 1, not {value}")
    axes = [Axis.parse(f"preset={args.preset}"), *map(Axis.parse, args.grid)]
    chosen = trials(axes)
    _check(axes, [trial.arguments for trial in chosen])
    if args.data_dir is not None:  # searches inherit it
        os.environ["TOMBOLA_DATA"] = str(args.data_dir.absolute())
    if args.cluster is None:
        runner = runners.local(args.processes)
    else:
        runner = runners.cluster(args.cluster or None, cores=args.cores)
    with output.counting("sweep", len(chosen)) as progress:
        told = _Told(len(chosen), progress)
        results = sweep(chosen, out=args.out, runner=runner, finished=told)
    gathered = summary(chosen, results)
    document = {
        "trials": len(chosen),
        "failed": sum("error" in result for result in results.values()),
        "summary": gathered,
        "front": front_of(gathered),
        "rows": rows(chosen, results),
        "table": args.out / "results.csv",
        "picture": args.out / "pareto.png",
    }
    output.emit(document, json_mode=args.json, table=lambda: _table(document))
    return 1 if document["failed"] else 0


def _refused(message: str) -> Exception:
    from tombola.spec.errors import ConfigError

    return ConfigError(message)


def _check(axes: Sequence[Any], commands: Sequence[list[str]]) -> None:
    """Refuses what `tombola search` would, before anything runs."""
    from tombola.cli.main import build_parser

    for axis in axes[1:]:
        if axis.name in OWN:
            raise _refused(f"a grid cannot vary {axis.name}; it is an option of the sweep itself")
    parser = build_parser()
    for arguments in commands:
        search.preset_of(parser.parse_args(["search", *arguments, "--out=unused"]))


class _Told:
    """Says of each trial what came of it."""

    def __init__(self, total: int, progress: Any) -> None:
        self._total, self._progress, self._done = total, progress, 0

    def __call__(self, trial: Any, result: Mapping[str, Any]) -> None:
        from tombola.sweep.table import accuracy

        self._done += 1
        self._progress(self._done)
        end = f"failed: {result['error']}" if "error" in result else f"{accuracy(result):.4f}"
        output.log(f"{self._done}/{self._total} {trial.name}: {end}")


def _table(document: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table

    names = list(document["summary"][0]["configuration"])
    table = Table(box=None, header_style="")
    for name in (*names, "seeds", "accuracy", "model bits", ""):
        table.add_column(name, justify="right")
    for index, entry in enumerate(document["summary"]):
        done, size = entry["accuracy"] is not None, entry["model_bits"]
        table.add_row(
            *entry["configuration"].values(),
            str(entry["seeds"]),
            f"{100 * entry['accuracy']:.2f} ± {100 * entry['deviation']:.2f}" if done else "none",
            f"{size:.0f}" if size is not None else "no ticket",
            "front" if index in document["front"] else "",
        )
    end = f"{document['trials']} trials, {document['failed']} failed; {document['table']}"
    return Group(table, "", f"{end}, {document['picture']}")
