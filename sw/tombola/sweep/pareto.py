"""Accuracy against size: which configurations no other one beats in both, and a picture of it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tombola.spec.paths import write_atomically


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the (size, accuracy) that none beats: smaller at least as good, by size."""
    order = sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1]))
    kept: list[int] = []
    for index in order:
        if not kept or points[index][1] > points[kept[-1]][1]:
            kept.append(index)
    return kept


def front_of(summary: Sequence[Mapping[str, Any]]) -> list[int]:
    """Indices of the entries on the front; those without accuracy or size are left out."""
    shown = _complete(summary)
    points = [(summary[index]["model_bits"], summary[index]["accuracy"]) for index in shown]
    return [shown[index] for index in front(points)]


def _complete(summary: Sequence[Mapping[str, Any]]) -> list[int]:
    return [
        index
        for index, entry in enumerate(summary)
        if entry["accuracy"] is not None and entry["model_bits"] is not None
    ]


def draw(summary: Sequence[Mapping[str, Any]], path: Path, *, title: str) -> None:
    """Writes the picture of a `tombola.sweep.table.summary`, a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for index in _complete(summary):
        entry = summary[index]
        size, accuracy = entry["model_bits"], entry["accuracy"]
        label = ", ".join(f"{name} {value}" for name, value in entry["configuration"].items())
        axes.errorbar(size, 100 * accuracy, 100 * entry["deviation"], fmt="o", color="tab:blue")
        axes.annotate(label, (size, 100 * accuracy), (4, 4), textcoords="offset points", size=7)
    best = front_of(summary)
    axes.plot(
        [summary[index]["model_bits"] for index in best],
        [100 * summary[index]["accuracy"] for index in best],
        drawstyle="steps-post",
        color="tab:orange",
        label="none smaller is as good",
    )
    axes.set(xlabel="model bits (seed, mask, requantisation)", ylabel="accuracy, %", title=title)
    axes.set_xscale("log")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())
