"""The page's part on jackpots, from the records of `jackpot.py`."""

import json
import statistics
from collections.abc import Sequence
from typing import Any

from jackpot import ARMS, HERE, PRETRAINED, SPARSITIES, command
from text import paragraph


def runs(arm: str, sparsity: float) -> list[dict[str, Any]]:
    """What was recorded, a seed each; nothing where nothing was run."""
    path = HERE / f"{arm}.json"
    found = json.loads(path.read_text())["runs"] if path.exists() else []
    return [one for one in found if one["sparsity"] == sparsity]


def accuracy(found: Sequence[dict[str, Any]]) -> str:
    """Integer accuracy in percent, and of how many seeds."""
    values = [100 * one["integer_accuracy"] for one in found]
    if len(values) < 2:
        return f"{values[0]:.2f}" if values else "not run"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f} ({len(values)} seeds)"


def arms_table() -> str:
    """A row for each way to a mask."""
    titles = (f"{100 * sparsity:.0f} % pruned" for sparsity in SPARSITIES)
    rows = [
        f"| mask | options | steps | {' | '.join(titles)} |",
        "|---|---|---|" + "---|" * len(SPARSITIES),
    ]
    for arm, found in ARMS.items():
        every = [runs(arm, sparsity) for sparsity in SPARSITIES]
        if any(every):
            options = f"`{found.options}`" if found.options else ""
            steps = next(one[0]["steps"] for one in every if one)
            cells = " | ".join(map(accuracy, every))
            rows.append(f"| {found.title} | {options} | {steps} | {cells} |")
    return "\n".join(rows)


def points(arms: Sequence[str], sparsity: float) -> list[tuple[int, float]]:
    """Steps and accuracy of the float network after each epoch of every search."""
    return [
        (one["steps"] * epoch // len(one["curve"]), value)
        for arm in arms
        for one in runs(arm, sparsity)
        for epoch, value in enumerate(one["curve"], 1)
    ]


def steps_table() -> str:
    """The fewest steps of a jackpot to the best that any search from a random mask has reached."""
    rows = [
        "| pruned | random mask, best epoch | after steps | jackpot | after steps | fewer |",
        "|---|---|---|---|---|---|",
    ]
    for sparsity in SPARSITIES:
        theirs = points(("random", "random-long"), sparsity)
        if not theirs:
            continue
        taken, best = min(theirs, key=lambda point: (-point[1], point[0]))
        as_good = [one for one in points(("jackpot-short", "jackpot"), sparsity) if one[1] >= best]
        said = "not reached | - | -"
        if as_good:
            steps, reached = min(as_good)
            said = f"{100 * reached:.2f} | {steps} | {taken / steps:.1f} times"
        rows.append(f"| {100 * sparsity:.0f} % | {100 * best:.2f} | {taken} | {said} |")
    return "\n".join(rows)


def sizes_table() -> str:
    """What the tickets cost, and the same network at 32 bits a weight."""
    rows = ["| weights | pruned | kept | model bytes | of float32 |", "|---|---|---|---|---|"]
    for bits, arms in ((8, ("dense", "jackpot")), (4, ("dense-4", "jackpot-4", "jackpot-4-short"))):
        for arm in arms:
            for sparsity in ARMS[arm].sparsities:
                for one in runs(arm, sparsity)[:1]:
                    part = one["model_bytes"] / (4 * one["weights"])
                    rows.append(
                        f"| {bits} bits | {100 * sparsity:.0f} % | {one['kept_weights']} | "
                        f"{one['model_bytes']} | {part:.1%} |"
                    )
    return "\n".join(rows)


def environment_of(arm: str) -> str:
    """The kind of machine of a record."""
    return json.loads((HERE / f"{arm}.json").read_text())["environment"]


def section() -> str:
    """The page's part on jackpots."""
    every = [one for arm, found in ARMS.items() for x in found.sparsities for one in runs(arm, x)]
    (dense,), (narrow,) = runs("dense", 0.0), runs("dense-4", 0.0)
    gap = max(abs(one["integer_accuracy"] - one["float_accuracy"]) for one in every)
    settings, where = runs("jackpot", 0.5)[0]["settings"], environment_of("jackpot")
    trained = json.loads((HERE / f"{PRETRAINED}.json").read_text())["float_accuracy"]
    return "\n\n".join(
        [
            "## Jackpots",
            paragraph(
                "Masks for the trained ResNet8 of MLPerf Tiny on CIFAR-10, by `--algorithm "
                "jackpot`, searched on the first 10,000 training images, integer accuracy on the "
                f"first 2,000 test images. The network has {100 * trained:.2f}\u00a0% there in "
                f"float32, {100 * dense['integer_accuracy']:.2f}\u00a0% in integers with all "
                f"weights at 8 bits and {100 * narrow['integer_accuracy']:.2f}\u00a0% at 4. A "
                f"search is {settings['epochs']} epochs of batches of {settings['batch']} at a "
                f"rate of {settings['learning_rate']:g} unless the table says otherwise; the one "
                "from a random mask has 0.01, the best of 0.001, 0.003 and 0.01 in short trials. "
                f"One seed where the table names no number, on one thread of a {where}."
            ),
            f"    {command('jackpot', 0.7)}",
            arms_table(),
            paragraph(
                "Magnitude pruning is one threshold for all layers but the last, on the network as "
                "it is; with norms refreshed, the statistics of its batch norms are taken anew on "
                "the training images, as a search does all along. Float and integer accuracy "
                f"differ by at most {100 * gap:.2f} points."
            ),
            paragraph(
                "Steps to equal accuracy, of the float network after each epoch: the best that any "
                "search from a random mask came to, and the fewest steps after which a search from "
                "the magnitude mask was as good."
            ),
            steps_table(),
            "Sizes, norms and requantisation included:",
            sizes_table(),
        ]
    )
