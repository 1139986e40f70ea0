"""What is measured after each epoch, as lines of JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tombola.spec.paths import write_atomically


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """One epoch; accuracies run from 0 to 1, the test accuracy is the float network's.

    The validation accuracy is None where no samples were set aside to choose an epoch by.
    """

    epoch: int
    loss: float
    train_accuracy: float
    test_accuracy: float
    seconds: float
    validation_accuracy: float | None = None

    def document(self) -> dict[str, int | float]:
        """What was measured, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def best(history: Sequence[EpochMetrics]) -> EpochMetrics:
    """The first epoch with the best validation accuracy; the last where there is none."""
    if history[-1].validation_accuracy is None:
        return history[-1]
    return max(history, key=lambda found: (found.validation_accuracy, -found.epoch))


def write(history: Sequence[EpochMetrics], path: Path) -> None:
    """One object a line, one line an epoch."""
    lines = "".join(json.dumps(metrics.document()) + "\n" for metrics in history)
    write_atomically(path, lines.encode())
