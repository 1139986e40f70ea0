"""A whole search over one graph: settings and data in, a folder with ticket, metrics, curve out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tombola.model.account import account
from tombola.model.integer import IntegerModel, lowest_argmax
from tombola.search import curve, metrics
from tombola.search.determinism import deterministic
from tombola.search.graph.export import export
from tombola.search.graph.network import GraphNetwork
from tombola.search.graph.problem import GraphProblem
from tombola.search.graph.settings import GraphSettings
from tombola.search.graph.trainer import GraphTrainer
from tombola.search.metrics import EpochMetrics
from tombola.search.trainer import Files, Observer
from tombola.spec import ticket_file
from tombola.spec.paths import make_folder
from tombola.spec.ticket import Ticket

SIZES = (
    "weights", "layer_weights", "kept_weights", "mask_bits", "mask_bits_a_weight", "entropy_bits",
    "requantisation_bits", "seed_and_mask_bytes", "model_bytes", "dense_bytes",
)  # fmt: skip
"""What of `tombola.model.account.account` a search reports."""


@dataclass(frozen=True, kw_only=True)
class GraphResult:
    """What a search over a graph found; accuracies from 0 to 1.

    Attributes
    ----------
    ticket : Path
    size : dict
        The counts named in `SIZES`, and ``ticket_file_bytes``.
    epoch : int
        The first epoch with the best accuracy on the validation nodes, whose masks these are.
    validation_accuracy, float_accuracy : float
        Of the network under search in that epoch, on validation and test nodes.
    last_accuracy : float
        On the test nodes after the last epoch.
    integer_accuracy : float
        Of the ticket in integer arithmetic on the test nodes.
    kept : float
        Part of the layers' weights that is not 0.
    history : list of EpochMetrics
    """

    ticket: Path
    size: dict[str, Any]
    epoch: int
    validation_accuracy: float
    float_accuracy: float
    last_accuracy: float
    integer_accuracy: float
    kept: float
    history: list[EpochMetrics]


class _Recorder:
    """Writes the metrics now and then, before anyone else hears of an epoch."""

    def __init__(self, out: Path, then: Observer | None) -> None:
        self._path, self._then = out / "metrics.jsonl", then

    def step(self, *, epoch: int, step: int, steps: int) -> None:
        if self._then is not None:
            self._then.step(epoch=epoch, step=step, steps=steps)

    def epoch(self, history: Sequence[EpochMetrics]) -> None:
        metrics.write(history, self._path)
        if self._then is not None:
            self._then.epoch(history)


def search_graph(
    settings: GraphSettings,
    problem: GraphProblem,
    *,
    name: str,
    dataset: str,
    out: Path,
    resume: bool = False,
    observer: Observer | None = None,
) -> GraphResult:
    """Searches and writes ``NAME.ticket``, metrics.jsonl, curve.png and checkpoint.pt.

    The same settings, data, PyTorch version and thread count give the same bytes, resumed or not.

    Parameters
    ----------
    settings : GraphSettings
    problem : GraphProblem
    name, dataset : str
        Of the algorithm, which the ticket is named after too, and of the graph.
    out : Path
        Folder, made where it is missing.
    resume : bool
        Go on from the checkpoint in `out`, where there is one.
    observer : Observer or None

    Raises
    ------
    ConfigError
        If settings, data and checkpoint do not fit together.
    """
    described = {
        "algorithm": name,
        "dataset": dataset,
        **settings.record(),
        "torch": torch.__version__.partition("+")[0],
    }
    described["seed"] = str(settings.seed)
    network = GraphNetwork(problem, settings)
    trainer = GraphTrainer(
        network,
        problem,
        files=Files(checkpoint=out / "checkpoint.pt", identity=described),
        observer=_Recorder(out, observer),
    )
    make_folder(out)
    history = trainer.run(resume=resume)
    metrics.write(history, out / "metrics.jsonl")
    curve.draw(history, out / "curve.png", title=f"{name}, {dataset}, seed {settings.seed}")
    found = history[trainer.best_epoch - 1]
    with deterministic(threads=settings.threads):
        ticket = export(network, problem, provenance={})
        accuracy = integer_accuracy(ticket, problem, network.edges.list())
    described |= {"float_accuracy": found.test_accuracy, "integer_accuracy": accuracy}
    ticket = replace(ticket, provenance=described)
    path = out / f"{name}-{dataset}.ticket"
    written = ticket_file.save(ticket, path)
    counted = account(ticket)
    return GraphResult(
        ticket=path,
        size={**{name: counted[name] for name in SIZES}, "ticket_file_bytes": written},
        epoch=found.epoch,
        validation_accuracy=found.validation_accuracy or 0.0,
        float_accuracy=found.test_accuracy,
        last_accuracy=history[-1].test_accuracy,
        integer_accuracy=accuracy,
        kept=network.kept(),
        history=history,
    )


def integer_accuracy(ticket: Ticket, problem: GraphProblem, edges: np.ndarray) -> float:
    """Part of the test nodes, 0 to 1, that the ticket's integers classify right.

    Parameters
    ----------
    ticket : Ticket
    problem : GraphProblem
    edges : integer array (3, edges)
    """
    logits = IntegerModel(ticket, edges=edges).logits(problem.image())
    found = lowest_argmax(logits.reshape(-1, problem.nodes).t())
    return int((found == problem.labels)[problem.test].sum()) / len(problem.test)
