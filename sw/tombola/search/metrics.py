"""What is measured after each epoch, as lines of JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tombola.spec.paths import write_atomically


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """One epoch; accuracies run from 0 to 1, the test accuracy is the float network's."""

    epoch: int
    loss: float
    train_accuracy: float
    test_accuracy: float
    seconds: float


def write(history: Sequence[EpochMetrics], path: Path) -> None:
    """One object a line, one line an epoch."""
    lines = "".join(json.dumps(asdict(metrics)) + "\n" for metrics in history)
    write_atomically(path, lines.encode())
