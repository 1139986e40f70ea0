"""The progress of a search on stderr: a bar on a terminal, a line an epoch elsewhere."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from tombola.cli import output

if TYPE_CHECKING:
    from tombola.search.metrics import EpochMetrics


class SearchProgress:
    """An observer of `tombola.search.trainer.Trainer`; a context in which its bar stands."""

    def __init__(self, name: str, *, epochs: int) -> None:
        self._name, self._epochs = name, epochs
        self._bar, self._task = None, None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=sys.stderr, highlight=False)
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console)
            self._bar.start()
            self._task = self._bar.add_task(self._name)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, *, epoch: int, step: int, steps: int) -> None:
        """Moves the bar to a step of an epoch, both counted from 1."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                total=self._epochs * steps,
                completed=(epoch - 1) * steps + step,
                description=f"{self._name} epoch {epoch}/{self._epochs}",
            )

    def epoch(self, history: "Sequence[EpochMetrics]") -> None:
        """Says what an epoch came to."""
        last = history[-1]
        validated = last.validation_accuracy
        line = (
            f"epoch {last.epoch}/{self._epochs}: loss {last.loss:.4f}, training accuracy "
            f"{last.train_accuracy:.4f}, "
            + ("" if validated is None else f"validation accuracy {validated:.4f}, ")
            + f"test accuracy {last.test_accuracy:.4f}, {last.seconds:.1f} s"
        )
        if self._bar is not None:
            self._bar.console.print(line)
        else:
            output.log(line)
