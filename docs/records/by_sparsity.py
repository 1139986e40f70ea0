"""MNIST, 784-300-100-10: accuracy by the part of the weights that is kept."""

import math

from text import paragraph, signed
from trials import Results, accuracies, command, record, trial

from tombola.sweep.grid import Trial

KEPT = (0.95, 0.9, 0.7, 0.5, 0.3, 0.1, 0.05)
SEEDS = (1, 2, 3)


def search(kept: float, seed: int) -> Trial:
    """One search."""
    return trial(preset="mnist-mlp", sparsity=round(1 - kept, 2), seed=seed)


def study(results: Results) -> list[Trial]:
    """Every part with one seed, the best one with all."""
    first = {kept: search(kept, SEEDS[0]) for kept in KEPT}
    found = list(first.values())
    if all(one in results for one in found):
        best = max(KEPT, key=lambda kept: results[first[kept]]["integer_accuracy"])
        found += [search(best, seed) for seed in SEEDS[1:]]
    return found


def section() -> str:
    """Accuracy by the part that is kept, and each seed of the best."""
    where, results = record("by_sparsity")
    first = {kept: results[search(kept, SEEDS[0])] for kept in KEPT}
    best = max(KEPT, key=lambda kept: first[kept]["integer_accuracy"])
    rows = ["| kept | float | integer | mask's entropy, bits a weight |", "|---|---|---|---|"]
    for kept, found in first.items():
        real, integer = (100 * found[key] for key in ("float_accuracy", "integer_accuracy"))
        rows.append(f"| {kept:.0%} | {real:.2f} | {integer:.2f} | {entropy(kept):.3f} |")
    seeds = ["| seed | float | integer | difference |", "|---|---|---|---|"]
    repeated = [results[search(best, seed)] for seed in SEEDS if search(best, seed) in results]
    for seed, found in zip(SEEDS, repeated, strict=False):
        real, integer = (100 * found[key] for key in ("float_accuracy", "integer_accuracy"))
        seeds.append(f"| {seed} | {real:.2f} | {integer:.2f} | {signed(integer - real)} |")
    means = " | ".join(accuracies(repeated, key) for key in ("float_accuracy", "integer_accuracy"))
    seeds.append(f"| mean | {means} | |")
    text = (
        f"784-300-100-10, {first[best]['epochs']} epochs, all 10000 test images. Seed 1 tries how "
        f"much to keep; the best part, {best:.0%}, is searched with all seeds. Whatever is kept, a "
        "coat spends one mask bit a weight; a better code could not go below the mask's entropy."
    )
    line = command(search(best, SEEDS[0])).replace("--seed 1", "--seed SEED")
    return "\n\n".join([
        "## MNIST", paragraph(text), "\n".join(rows), f"    {line}",
        paragraph(f"On a {where}."), "\n".join(seeds),
    ])


def entropy(kept: float) -> float:
    """Bits that the best code spends on whether a weight stays."""
    return -sum(part * math.log2(part) for part in (kept, 1 - kept))
