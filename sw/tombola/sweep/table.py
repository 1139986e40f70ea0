"""The results of a sweep: a row a trial, repetitions gathered, as JSON and CSV."""

import csv
import io
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tombola.spec.paths import write_atomically
from tombola.sweep.grid import Trial, varied_names

Results = Mapping[Trial, Mapping[str, Any]]
COLUMNS = (
    "float_accuracy", "integer_accuracy", "weights", "searchable_weights", "mask_bits",
    "seed_and_mask_bytes", "model_bytes", "dense_bytes", "ticket_bytes", "seconds",
)  # fmt: skip


def rows(trials: Sequence[Trial], results: Results) -> list[dict[str, Any]]:
    """One row for each trial: its options, its state, and what was found."""
    return [_row(trial, results.get(trial)) for trial in trials]


def _row(trial: Trial, result: Mapping[str, Any] | None) -> dict[str, Any]:
    state = "open" if result is None else "failed" if "error" in result else "done"
    found = result or {}
    return {
        "trial": trial.name,
        **dict(trial.options),
        "state": state,
        **{name: found.get(name) for name in COLUMNS},
        "error": found.get("error"),
    }


def accuracy(result: Mapping[str, Any]) -> float:
    """Of the ticket in integers; of the float network where there is no ticket."""
    integer = result["integer_accuracy"]
    return result["float_accuracy"] if integer is None else integer


def summary(trials: Sequence[Trial], results: Results) -> list[dict[str, Any]]:
    """One entry for each configuration, over the seeds that are done, in the order of the grid.

    Returns
    -------
    list of dict
        ``configuration`` (options that vary, without the seed), ``seeds`` (done), ``accuracy``
        (mean), ``deviation`` (of the sample; 0 for one seed) and ``model_bits`` (mean; None without
        tickets).
    """
    gathered: dict[tuple[tuple[str, str], ...], list[Mapping[str, Any]]] = {}
    for trial in trials:
        done = gathered.setdefault(trial.configuration, [])
        result = results.get(trial)
        if result is not None and "error" not in result:
            done.append(result)
    return [
        {"configuration": dict(configuration), **_gather(done)}
        for configuration, done in gathered.items()
    ]


def _gather(done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    accuracies = [accuracy(result) for result in done]
    sizes = [8 * result["model_bytes"] for result in done if result.get("model_bytes")]
    return {
        "seeds": len(done),
        "accuracy": statistics.mean(accuracies) if done else None,
        "deviation": statistics.stdev(accuracies) if len(done) > 1 else 0.0,
        "model_bits": statistics.mean(sizes) if sizes else None,
    }


def write(trials: Sequence[Trial], results: Results, out: Path) -> None:
    """``results.json`` and ``results.csv``, each whole or as it was."""
    table = rows(trials, results)
    document = {"varied": list(varied_names(trials)), "rows": table}
    document["summary"] = summary(trials, results)
    write_atomically(out / "results.json", (json.dumps(document, indent=2) + "\n").encode())
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    write_atomically(out / "results.csv", text.getvalue().encode())
