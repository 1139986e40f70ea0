"""The search loop over one graph: a step of Adam an epoch, and the best mask so far."""

import copy
import math
import time
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from tombola.model.integer import lowest_argmax
from tombola.search import checkpoint
from tombola.search.checkpoint import Checkpoint
from tombola.search.determinism import deterministic
from tombola.search.graph.network import GraphNetwork
from tombola.search.graph.problem import GraphProblem
from tombola.search.metrics import EpochMetrics, best
from tombola.search.randomness import generator
from tombola.search.trainer import Files, Observer
from tombola.spec.errors import ConfigError

CHECKPOINT_EPOCHS = 20
"""Epochs between checkpoints: an epoch takes a fifth of a second, and a file of 8 MB is written."""


class GraphTrainer:
    """Searches the masks of a graph network.

    Every epoch is one step on the whole graph, with the sparsity of that epoch. After it the
    network is measured with the masks of the final sparsity, and those with the best accuracy on
    the validation nodes, the first of equals, are what is found. Test nodes are only measured.

    Parameters
    ----------
    network : GraphNetwork
    problem : GraphProblem
    files : Files or None
        Without, nothing is written.
    observer : Observer or None
    """

    def __init__(
        self,
        network: GraphNetwork,
        problem: GraphProblem,
        *,
        files: Files | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._network, self._problem, self._settings = network, problem, network.settings
        self._files, self._observer = files, observer
        self._optimiser = torch.optim.Adam(network.parameters(), lr=self._settings.learning_rate)
        self._history: list[EpochMetrics] = []
        self._best: dict[str, Any] = {}

    @property
    def best_epoch(self) -> int:
        """The first epoch with the best accuracy on the validation nodes."""
        return best(self._history).epoch

    def run(self, *, resume: bool = False) -> list[EpochMetrics]:
        """Searches, and leaves the network with the scores and masks of the best epoch.

        Parameters
        ----------
        resume : bool
            Go on from the checkpoint, where there is one.

        Raises
        ------
        ConfigError
            If the checkpoint is of another search, or the loss is no longer a number.
        """
        with deterministic(threads=self._settings.threads):
            if resume and self._files is not None and self._files.checkpoint.exists():
                self._restore(self._files)
            for epoch in range(len(self._history) + 1, self._settings.epochs + 1):
                self._history.append(self._epoch(epoch))
                if self.best_epoch == epoch:
                    self._best = copy.deepcopy(self._network.state_dict())
                if self._files is not None and self._due(epoch):
                    self._save(self._files)
                if self._observer is not None:
                    self._observer.epoch(self._history)
            self._network.load_state_dict(self._best)
            self._network.select(self._settings.epochs)
        return list(self._history)

    def _epoch(self, epoch: int) -> EpochMetrics:
        begin = time.monotonic()
        settings, problem, network = self._settings, self._problem, self._network
        done = (epoch - 1) / settings.epochs
        for group in self._optimiser.param_groups:
            group["lr"] = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        if 2 * (epoch - 1) < settings.epochs:  # afterwards the masks are those of the end already
            network.select(epoch - 1)
        logits = network(generator(settings.seed, "dropout", epoch)).logits
        loss = functional.cross_entropy(logits[problem.train], problem.labels[problem.train])
        if not math.isfinite(loss.item()):
            raise ConfigError("the loss is no longer a number; lower the learning rate")
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        network.select(settings.epochs)
        with torch.no_grad():
            right = lowest_argmax(network().sums) == problem.labels
        if self._observer is not None:
            self._observer.step(epoch=epoch, step=1, steps=1)
        return EpochMetrics(
            epoch=epoch,
            loss=loss.item(),
            train_accuracy=_part(right, problem.train),
            test_accuracy=_part(right, problem.test),
            seconds=round(time.monotonic() - begin, 3),
            validation_accuracy=_part(right, problem.validation),
        )

    def _due(self, epoch: int) -> bool:
        return epoch % CHECKPOINT_EPOCHS == 0 or epoch == self._settings.epochs

    def _save(self, files: Files) -> None:
        state = Checkpoint(
            identity=files.identity,
            network={"last": self._network.state_dict(), "best": self._best},
            optimiser=self._optimiser.state_dict(),
            history=self._history,
        )
        checkpoint.save(state, files.checkpoint)

    def _restore(self, files: Files) -> None:
        state = checkpoint.load(files.checkpoint, identity=files.identity)
        self._network.load_state_dict(state.network["last"])
        self._best = state.network["best"]
        self._optimiser.load_state_dict(state.optimiser)
        self._history = list(state.history)


def _part(right: Tensor, nodes: Tensor) -> float:
    return int(right[nodes].sum()) / len(nodes)
