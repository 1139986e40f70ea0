"""Searches of a study, one after the other in one process, each at most once."""

import io
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from record import environment

from tombola.cli.main import main
from tombola.model.account import account
from tombola.spec import ticket_file
from tombola.spec.paths import write_atomically
from tombola.sweep.grid import Trial

HERE = Path(__file__).parent / "studies"
SEARCHED = ("float_accuracy", "integer_accuracy", "epochs", "seconds")
REFUSED = 2
"""Exit status of a search that says why in one line."""
COUNTED = ("weights", "searchable_weights", "mask_bits", "requantisation_bits", "model_bytes")
Results = Mapping[Trial, Mapping[str, Any]]
Study = Callable[[Results], list[Trial]]
"""The searches that a study wants next, by what is known of those that are done."""


def trial(**options: str | float) -> Trial:
    """A search by the options of `tombola search`, underscores for dashes."""
    named = ((name.replace("_", "-"), str(value)) for name, value in options.items())
    return Trial(options=tuple(named))


def command(found: Trial) -> str:
    """How to repeat one search."""
    words = (f"--{name} {value}" for name, value in found.options)
    return f"tombola search {' '.join(words)} --out DIR"


def option(found: Trial, name: str) -> str | None:
    """The value of an option, None where it was not given."""
    return dict(found.options).get(name)


def load(work: Path, wanted: Iterable[Trial]) -> dict[Trial, dict[str, Any]]:
    """Results of those that are done."""
    paths = {one: work / one.name / "result.json" for one in wanted}
    return {one: json.loads(path.read_text()) for one, path in paths.items() if path.exists()}


def run(one: Trial, work: Path) -> dict[str, Any]:
    """Searches, going on from a checkpoint, and counts the ticket's bits.

    A search that is refused, as when its masks cut the logits off, has its one line as ``error``.
    """
    folder = work / one.name
    printed, said = io.StringIO(), io.StringIO()
    with redirect_stdout(printed), redirect_stderr(said):
        status = main(
            ["search", *one.arguments, f"--out={folder / 'search'}", "--resume", "--json"]
        )
    if status == REFUSED:
        result = {"error": said.getvalue().strip().splitlines()[-1]}
    else:
        found = json.loads(printed.getvalue())
        counted = account(ticket_file.load(Path(found["ticket"])))
        result = {name: found[name] for name in SEARCHED}
        result |= {name: counted[name] for name in COUNTED}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "result.json", f"{json.dumps(result, indent=2)}\n".encode())
    return result


def accuracy(found: Mapping[str, Any]) -> float:
    """Integer accuracy of a search; of one that was refused, 0."""
    return found.get("integer_accuracy", 0.0)


def finish(study: Study, work: Path, *, minutes: float) -> dict[Trial, dict[str, Any]]:
    """Runs what a study wants until it wants no more, or no search is begun after the minutes."""
    end = time.monotonic() + 60 * minutes
    results: dict[Trial, dict[str, Any]] = {}
    while True:
        wanted = study(results)
        missing = [one for one in wanted if one not in results]
        if known := load(work, missing):
            results |= known
        elif missing and time.monotonic() < end:
            results[missing[0]] = run(missing[0], work)
        else:
            return {one: results[one] for one in wanted if one in results}


def keep(name: str, results: Results) -> None:
    """Writes a study's record."""
    rows = [{"options": dict(one.options), **found} for one, found in results.items()]
    record = {"name": name, "environment": environment(), "trials": rows}
    text = json.dumps(record, indent=1)
    HERE.mkdir(exist_ok=True)
    write_atomically(HERE / f"{name}.json", f"{text}\n".encode())


def record(name: str) -> tuple[str, dict[Trial, dict[str, Any]]]:
    """Environment and results of a study that was kept."""
    found = json.loads((HERE / f"{name}.json").read_text())
    results = {Trial(options=tuple(row.pop("options").items())): row for row in found["trials"]}
    return found["environment"], results


def accuracies(found: Sequence[Mapping[str, Any]], key: str = "integer_accuracy") -> str:
    """Mean and deviation in percent; of fewer than three seeds, how many there were."""
    values = [100 * one[key] for one in found]
    if not values:
        return "not run"
    mean = f"{statistics.mean(values):.2f}"
    if len(values) == 1:
        return f"{mean} (1 seed)"
    spread = f"{mean} ± {statistics.stdev(values):.2f}"
    return spread if len(values) > 2 else f"{spread} ({len(values)} seeds)"


def bits(found: Sequence[Mapping[str, Any]]) -> str:
    """Mean size of the model: seed, masks and requantisation."""
    return f"{8 * statistics.mean(one['model_bytes'] for one in found):.0f}" if found else ""
