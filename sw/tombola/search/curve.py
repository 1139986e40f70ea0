"""The learning curve of a search as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

from tombola.search.metrics import EpochMetrics
from tombola.spec.paths import write_atomically


def draw(history: Sequence[EpochMetrics], path: Path, *, title: str) -> None:
    """Loss, and accuracy on training, validation and test samples, over the epochs; a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [metrics.epoch for metrics in history]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    accuracy, loss = figure.subplots(1, 2)
    accuracy.plot(epochs, [metrics.train_accuracy for metrics in history], ".-", label="training")
    accuracy.plot(epochs, [metrics.test_accuracy for metrics in history], ".-", label="test")
    if history[0].validation_accuracy is not None:
        validated = [metrics.validation_accuracy for metrics in history]
        accuracy.plot(epochs, validated, ".-", label="validation")
    accuracy.set(xlabel="epoch", ylabel="accuracy (float network)")
    accuracy.legend()
    loss.plot(epochs, [metrics.loss for metrics in history], ".-")
    loss.set(xlabel="epoch", ylabel="training loss")
    for axes in (accuracy, loss):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())
