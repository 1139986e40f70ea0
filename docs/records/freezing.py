"""Partial freezing: accuracy against model bits of dense, pruned-only and frozen sources."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trials import Results, accuracy, trial

from tombola.sweep.grid import Trial

FREEZE = (0.3, 0.5, 0.7, 0.9)
SPARSITIES = (0.5, 0.7, 0.9)
"""Targets tried for a dense and a frozen source."""
KEPT = (0.1, 0.3, 0.5)
"""Of what a pruned source leaves, so many are kept: the targets tried for it."""
SEEDS = (1, 2, 3)
HIDDEN = {0.5: 128, 1.0: 256, 2.0: 512, 4.0: 1024}
"""Widths of the preset, and the values of a hidden layer that they make."""
COPIED = {2.0: 1.0, 4.0: 1.0}
"""Widths whose target sparsities are those found at another one."""
FEWER = {4.0: (0.7, 0.9)}
"""Widths at which fewer freeze ratios are searched, for the time they take."""
HALF = (2.0, 4.0)
"""Widths whose convolutions and products compute in half precision, for the time they take."""
CONVOLUTIONAL = "fmnist-cnn"
CONVOLUTIONAL_EPOCHS = 3


@dataclass(frozen=True, kw_only=True)
class Point:
    """A source of weights for one network: which are frozen, and how many of them.

    Parameters
    ----------
    source : str
        "dense", "pruned" or "frozen".
    freeze : float
        Part of the weights without a mask bit.
    width : float
    preset : str
    """

    source: str
    freeze: float
    width: float
    preset: str = "fmnist-mlp"

    def candidates(self) -> list[float]:
        """Target sparsities to choose from."""
        convolutional = self.preset == CONVOLUTIONAL
        if self.source == "pruned":
            kept = (0.5,) if convolutional else KEPT
            return [round(1 - (1 - self.freeze) * part, 3) for part in kept]
        return [0.5] if convolutional else list(SPARSITIES)

    def search(self, sparsity: float, seed: int) -> Trial:
        """One search of it."""
        frozen = {"dense": {}, "pruned": {"prune": self.freeze}, "frozen": {"freeze": self.freeze}}
        faster = {"epochs": CONVOLUTIONAL_EPOCHS} if self.preset == CONVOLUTIONAL else {}
        if self.width in HALF:
            faster["precision"] = "bfloat16"
        return trial(
            preset=self.preset,
            width=f"{self.width:g}",
            **faster,
            scope="network",
            allocation="epl",
            sparsity=sparsity,
            **frozen[self.source],
            seed=seed,
        )

    def best(self, results: Results) -> float | None:
        """The target with which seed 1 is most accurate; None before all are known."""
        if self.width in COPIED and self.preset != CONVOLUTIONAL:
            return Point(
                source=self.source, freeze=self.freeze, width=COPIED[self.width]
            ).best(results)
        if len(self.candidates()) == 1:
            return self.candidates()[0]
        found = {sparsity: results.get(self.search(sparsity, 1)) for sparsity in self.candidates()}
        if None in found.values():
            return None
        return max(found, key=lambda sparsity: accuracy(found[sparsity]))

    def found(self, results: Results) -> list[dict[str, Any]]:
        """Results at the best target, of all seeds that are done."""
        best = self.best(results)
        wanted = [] if best is None else [self.search(best, seed) for seed in SEEDS]
        found = [results[one] for one in wanted if one in results]
        return [one for one in found if "error" not in one]


def points(width: float, preset: str = "fmnist-mlp") -> list[Point]:
    """All sources of one network, the dense one first."""
    ratios = (0.7,) if preset == CONVOLUTIONAL else FEWER.get(width, FREEZE)
    sources = [("dense", 0.0), *((s, f) for f in ratios for s in ("pruned", "frozen"))]
    return [Point(source=s, freeze=f, width=width, preset=preset) for s, f in sources]


def networks() -> list[list[Point]]:
    """The points of each network, narrow ones first."""
    return [*(points(width) for width in HIDDEN), points(2.0, CONVOLUTIONAL)]


def study(results: Results) -> list[Trial]:
    """Every target with seed 1, then the best one of each point with all seeds."""
    return list(dict.fromkeys(_wanted(results)))


def _wanted(results: Results) -> Iterator[Trial]:
    every = [point for network in networks() for point in network]
    for point in every:
        if point.width not in COPIED:
            yield from (point.search(sparsity, 1) for sparsity in point.candidates())
    for point in every:
        best = point.best(results)
        if best is not None:
            yield from (point.search(best, seed) for seed in SEEDS)
