"""The search loop: batches, gradient descent on the scores, a checkpoint per epoch."""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor

from tombola.search import checkpoint
from tombola.search.accuracy import right_answers
from tombola.search.activation import RunningQuantiser
from tombola.search.checkpoint import Checkpoint
from tombola.search.determinism import deterministic
from tombola.search.distributed import Ranks
from tombola.search.metrics import EpochMetrics, best
from tombola.search.network import Network
from tombola.search.norm import BatchNorm
from tombola.search.optimiser import optimiser
from tombola.search.randomness import generator
from tombola.search.samples import Samples
from tombola.spec.errors import ConfigError

ALONE = Ranks()
LEAST_PART = 2
"""Images of a batch for each process; one alone has no variance to normalise by."""


class Observer(Protocol):
    """Whoever wants to see the search go on, such as a progress bar."""

    def step(self, *, epoch: int, step: int, steps: int) -> None:
        """After each step, counted from 1; epochs are counted from 1 too."""

    def epoch(self, history: Sequence[EpochMetrics]) -> None:
        """After each epoch; its metrics are the last of the history."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where a search keeps its state: the checkpoint, and what identifies the search in it."""

    checkpoint: Path
    identity: dict[str, str | int | float]


class Trainer:
    """Searches the masks of a network.

    The order of the batches depends on (seed, epoch) alone, and a checkpoint holds everything else
    that an epoch starts from, so a search that was stopped and resumed ends in the same bytes.

    Parameters
    ----------
    network : Network
    train, test : Samples
        The test samples are only measured; nothing is chosen by them.
    validation : Samples or None
        The masks of the first epoch that does best on them are what is found; without, those of
        the last epoch.
    files : Files or None
        Without, nothing is written.
    observer : Observer or None
    ranks : Ranks
        This process among those that search together; the first one writes the files.
    """

    def __init__(
        self,
        network: Network,
        *,
        train: Samples,
        test: Samples,
        validation: Samples | None = None,
        files: Files | None = None,
        observer: Observer | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        if tuple(train.images.shape[1:]) != network.shape:
            raise ConfigError(
                f"network takes images of {network.shape}, not {tuple(train.images.shape[1:])}"
            )
        settings = network.settings
        if settings.batch < LEAST_PART * ranks.size:
            whose = "" if ranks.size == 1 else f" for {ranks.size} processes"
            raise ConfigError(
                f"batch must be at least {LEAST_PART * ranks.size}{whose}, not {settings.batch}"
            )
        self._network, self._settings = network.to(settings.device), settings
        self._train = train.to(settings.device)
        self._files, self._observer, self._ranks = files, observer, ranks
        self._test = self._part(test)
        self._validation = None if validation is None else self._part(validation)
        self._optimiser = optimiser(network, settings)
        self._history: list[EpochMetrics] = []
        self._best: dict[str, Any] = {}

    def run(self, *, resume: bool = False) -> list[EpochMetrics]:
        """Searches for the epochs of the settings; the metrics of each.

        Leaves the network with the masks of the epoch that `metrics.best` names.

        Parameters
        ----------
        resume : bool
            Go on from the checkpoint, where there is one.

        Raises
        ------
        ConfigError
            If the checkpoint is of another search, loss or scores are no longer numbers, or the
            masks have cut the logits off from the image.
        """
        with deterministic(threads=self._settings.threads, device=self._settings.device):
            if resume and self._files is not None and self._files.checkpoint.exists():
                self._restore(self._files)
            for epoch in self._epochs():
                metrics = self._epoch(epoch)
                self._history.append(metrics)
                if self._validation is not None and best(self._history).epoch == epoch:
                    self._best = copy.deepcopy(self._network.state_dict())
                if self._files is not None and self._ranks.first:
                    self._save(self._files)
                if self._observer is not None:
                    self._observer.epoch(self._history)
            if self._best:
                self._network.load_state_dict(self._best)
                self._network.resume()
        return list(self._history)

    def _epochs(self) -> range:
        """Those still to come; epoch 0 measures what the search would start from."""
        done, last = len(self._history), self._settings.epochs
        return range(done + 1, last + 1) if last else range(done, 1)

    def _epoch(self, epoch: int) -> EpochMetrics:
        begin = time.monotonic()
        self._network.train()
        batches = self._batches(epoch)
        loss_sum, right, seen = 0.0, 0, 0
        for step, chosen in enumerate(batches, 1):
            part = self._ranks.part(chosen)
            labels = self._train.labels[part]
            with torch.set_grad_enabled(epoch > 0):
                with self._precision():
                    logits = self._network(self._train.images[part])
                loss = functional.cross_entropy(logits, labels)
            if epoch > 0:
                self._set_rate((epoch - 1) * len(batches) + step - 1, len(batches))
                self._learn(loss * (len(part) / len(chosen)))
                self._network.select(epoch - 1 + step / len(batches))
            loss_sum += loss.item() * len(part)
            right += int((logits.argmax(1) == labels).sum())
            seen += len(part)
            if not math.isfinite(loss_sum):
                raise ConfigError("the loss is no longer a number; lower the learning rate")
            if self._observer is not None:
                self._observer.step(epoch=epoch, step=step, steps=len(batches))
        self._network.check()
        self._agree()
        loss_sum, right, seen = self._ranks.total([loss_sum, right, seen])
        return EpochMetrics(
            epoch=epoch,
            loss=loss_sum / seen,
            train_accuracy=right / seen,
            test_accuracy=self._accuracy(self._test),
            seconds=round(time.monotonic() - begin, 3),
            validation_accuracy=(
                None if self._validation is None else self._accuracy(self._validation)
            ),
        )

    def _learn(self, loss: Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()
        self._ranks.sum_gradients(self._network.parameters())
        self._optimiser.step()

    def _batches(self, epoch: int) -> list[Tensor]:
        order = torch.randperm(
            len(self._train), generator=generator(self._settings.seed, "batches", epoch)
        )
        batches = list(order.split(self._settings.batch))
        # One image alone has no variance to normalise by.
        short = len(batches[-1]) < LEAST_PART * self._ranks.size
        return batches[:-1] if len(batches) > 1 and short else batches

    def _precision(self) -> torch.autocast:
        """In which convolutions compute in half precision, if the settings say so."""
        half = self._settings.precision == "bfloat16"
        return torch.autocast(self._settings.device, dtype=torch.bfloat16, enabled=half)

    def _agree(self) -> None:
        """Gives all processes the same statistics of batches, and makes sure of their masks."""
        for module in self._network.modules():
            if isinstance(module, BatchNorm):
                self._ranks.average([module.mean, module.variance])
            elif isinstance(module, RunningQuantiser):
                self._ranks.average([module.step])
        self._ranks.check_same([conv.mask for conv in self._network.convs], what="masks")

    def _part(self, samples: Samples) -> Samples:
        """Those that this process measures."""
        parts = self._ranks.part(samples.images), self._ranks.part(samples.labels)
        return Samples(images=parts[0], labels=parts[1]).to(self._settings.device)

    def _accuracy(self, part: Samples) -> float:
        right, seen = self._ranks.total([right_answers(self._network, part), len(part)])
        return right / seen

    def _set_rate(self, step: int, steps_an_epoch: int) -> None:
        done = step / (self._settings.epochs * steps_an_epoch)
        rate = self._settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        for group in self._optimiser.param_groups:
            group["lr"] = rate

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
        try:
            self._network.load_state_dict(state.network["last"])
            self._optimiser.load_state_dict(state.optimiser)
        except (RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0].rstrip(":.;")
            raise ConfigError(
                f"{files.checkpoint} is not of this network: {reason}; search without --resume"
            ) from None
        self._network.resume()
        self._best = state.network["best"]
        self._history = list(state.history)
