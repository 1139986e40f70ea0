"""Fashion-MNIST: every preset under every algorithm that can search it."""

import json
from typing import Any

from text import paragraph
from trials import HERE, Results, accuracies, bits, record, trial

from tombola.sweep.grid import Trial

ALGORITHMS = (
    "edge-popup", "global-edge-popup", "frozen", "multicoat", "biprop", "gem-miner", "nm",
)  # fmt: skip
SEEDS = (1, 2, 3)
NETWORKS = (
    *(("fmnist-mlp", "1", algorithm) for algorithm in ALGORITHMS),
    ("fmnist-cnn", "2", "edge-popup"),
    ("fmnist-resnet-folded", "1", "edge-popup"),
    ("fmnist-resnet-folded", "1", "hidden-fold"),
    *(("fmnist-cnn", "1", algorithm) for algorithm in ALGORITHMS[1:]),
)
"""Preset, width, algorithm."""


def search(preset: str, width: str, algorithm: str, seed: int) -> Trial:
    """One search."""
    return trial(preset=preset, width=width, algorithm=algorithm, seed=seed)


def study(results: Results) -> list[Trial]:
    """The first seed of all before the second of any."""
    return [search(*network, seed) for seed in SEEDS for network in NETWORKS]


def _found(results: Results, *network: str) -> list[dict[str, Any]]:
    """Results of all seeds that are done."""
    if network == ("fmnist-cnn", "1", "edge-popup"):
        runs = json.loads((HERE.parent / "fmnist-cnn.json").read_text())["runs"]
        return [{**run, "model_bytes": run["model_bits"] / 8} for run in runs]
    wanted = [search(*network, seed) for seed in SEEDS]
    return [results[one] for one in wanted if one in results]


def section() -> str:
    """A row for each network and algorithm."""
    where, results = record("by_algorithm")
    rows = [
        "| preset | algorithm | weights | float | integer | model bits | bits a weight |",
        "|---|---|---|---|---|---|---|",
    ]
    shown = [*NETWORKS, ("fmnist-cnn", "1", "edge-popup")]
    order = [*ALGORITHMS, "hidden-fold"]
    for preset, width, algorithm in sorted(shown, key=lambda x: (*x[:2], order.index(x[2]))):
        found = _found(results, preset, width, algorithm)
        name = preset if width == "1" else f"{preset}, {width} times as wide"
        if not found:
            rows.append(f"| {name} | {algorithm} | | not run here | | | |")
            continue
        size = 8 * found[0]["model_bytes"] / found[0]["weights"]
        rows.append(
            f"| {name} | {algorithm} | {found[0]['weights']} | "
            f"{accuracies(found, 'float_accuracy')} | {accuracies(found)} | {bits(found)} | "
            f"{size:.2f} |"
        )
    text = (
        "Every preset on Fashion-MNIST under every algorithm, each as `--algorithm` sets it, with "
        "the rate and the epochs of the preset; all 10000 test images. Model bits are seed, masks "
        f"and requantisation. On a {where}."
    )
    line = "    tombola search --preset PRESET --algorithm ALGORITHM --seed SEED --out DIR"
    return "\n\n".join(["## Fashion-MNIST by algorithm", paragraph(text), line, "\n".join(rows)])
