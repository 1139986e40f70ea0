"""What verbs say: one document or one table on stdout, everything else on stderr."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Stages", "add_json", "counting", "emit", "log", "working"]

# Width of tables in a file or pipe, where there is no terminal to ask.
PLAIN_WIDTH = 100


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a verb the option ``--json``, read as ``args.json``."""
    parser.add_argument(
        "--json", action="store_true",
        help="print exactly one JSON document on stdout instead of a table",
    )


def emit(document: dict[str, Any], *, json_mode: bool, table: Callable[[], Any]) -> None:
    """Print the result of a verb on stdout.

    Parameters
    ----------
    document : dict
        The whole result. Arrays and scalars of numpy, paths and tuples are written plainly.
    json_mode : bool
        Whether the document is printed, or the table.
    table : callable
        Makes what `rich` prints, such as a Table, a Group or a string.
    """
    if json_mode:
        text = json.dumps(
            document, indent=2, ensure_ascii=False, allow_nan=False, default=_plain
        )
        sys.stdout.write(text + "\n")
    else:
        _console(sys.stdout).print(table())


def log(message: str) -> None:
    """Tell a person on stderr what is going on."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show on stderr that something takes its time: it turns on a terminal, else it is a line."""
    console = _console(sys.stderr)
    if console.is_terminal:
        with console.status(message):
            yield
    else:
        log(message)
        yield


@contextmanager
def counting(message: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much of a known amount is done: a bar on a terminal, else two lines.

    Yields
    ------
    callable
        To be called with how much is done so far.
    """
    console = _console(sys.stderr)
    if not console.is_terminal:
        log(f"{message}: {total} to go")
        yield lambda done: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(message, total=total)
        yield lambda done: progress.update(task, completed=done)


class Stages:
    """Shows on stderr which stage of something long is running.

    Parameters
    ----------
    title : str
        Of what is done in stages.
    """

    def __init__(self, title: str):
        self._title, self._shown = title, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._end(*error)

    def begin(self, name: str) -> None:
        """The stage `name` begins; the one before it has ended."""
        self._end(None, None, None)
        self._shown = working(f"{self._title}: {name.replace('_', ' and ')}")
        self._shown.__enter__()

    def _end(self, *error):
        if self._shown is not None:
            self._shown.__exit__(*error)
            self._shown = None


def _console(file):
    from rich.console import Console

    # Words are ours: numbers are not coloured by guess, brackets are not markup, smileys stay out.
    plain = {"highlight": False, "markup": False, "emoji": False}
    return Console(file=file, width=None if file.isatty() else PLAIN_WIDTH, **plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # arrays and scalars of numpy, without an import of it
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")
