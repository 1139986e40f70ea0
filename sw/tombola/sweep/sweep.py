"""A whole sweep: trials of a grid to a table and a picture, each trial at most once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tombola.spec.errors import ConfigError
from tombola.spec.paths import make_folder
from tombola.sweep import pareto, table, trial
from tombola.sweep.grid import Trial
from tombola.sweep.runners import Runner

TRIALS = "trials"


def sweep(
    trials: Sequence[Trial],
    *,
    out: Path,
    runner: Runner,
    finished: Callable[[Trial, Mapping[str, Any]], None] = lambda trial, result: None,
) -> dict[Trial, dict[str, Any]]:
    """Runs what is not done yet; writes results.json, results.csv and pareto.png.

    The table is written after each trial. A sweep that was killed loses the running trials' last
    epoch and nothing else: run it again.

    Parameters
    ----------
    trials : sequence of Trial
    out : Path
        Folder, made where it is missing; each trial has one of its own in ``trials``.
    runner : Runner
    finished : callable
        Told of each trial, those that were done before included.

    Returns
    -------
    dict
        The result of each trial, as `tombola.sweep.trial.run` returns it.

    Raises
    ------
    ConfigError
        If there is nothing to run, or no folder can be made.
    """
    if not trials:
        raise ConfigError("the grid has no trial")
    folder = out / TRIALS
    make_folder(folder)
    results: dict[Trial, dict[str, Any]] = {}
    for done in trials:
        result = trial.load(folder / done.name)
        if result is not None:
            results[done] = result
            finished(done, result)
    table.write(trials, results, out)
    for done, result in runner([x for x in trials if x not in results], folder):
        results[done] = result
        table.write(trials, results, out)
        finished(done, result)
    pareto.draw(table.summary(trials, results), out / "pareto.png", title="accuracy and size")
    return results
