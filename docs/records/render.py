"""Writes docs/results.md from the records beside this script; nothing in it is typed by hand."""

import json
from pathlib import Path

import allocations
import by_algorithm
import by_sparsity
import freezing_page
import gpu
import graphs
import jackpot_page
import search_speed
import torch
from text import paragraph, percent, signed

from tombola.search.allocation import Allocation
from tombola.search.footprint import Footprint, Scheme, footprint
from tombola.search.models import build
from tombola.search.survey import survey

HERE = Path(__file__).parent
CONFIGURATIONS = HERE.parent / "configurations"
TARGET = HERE.parent / "results.md"
EXPERIMENTS = (
    "digits-cnn",
    "fmnist-cnn",
    "fmnist-cnn-frozen",
    "fmnist-mlp-stream",
    "fmnist-mlp-frozen",
    "fmnist-mlp-torch",
)
HEAD = """# Results

Made by `python docs/records/render.py` from the records in [records](records); a record is made by
`python docs/records/record.py NAME --work DIR`, that of a study of many searches by `study.py`
beside it, which can be stopped and goes on. Accuracies are percentages of all test images,
mean ± standard deviation over the seeds. A ticket is the mask of the last epoch: test images are
measured, and choose nothing. The integer accuracy is that of the ticket file in the engine's exact
arithmetic.
"""


def record(name: str) -> dict:
    """One record by name."""
    return json.loads((HERE / f"{name}.json").read_text())


def command(found: dict) -> str:
    """How to repeat it, and where it was run."""
    seeds = ", ".join(str(run["seed"]) for run in found["runs"])
    return f"    {found['command']}\n\n" + paragraph(f"Seeds {seeds}, on a {found['environment']}.")


def seeds_table(found: dict) -> str:
    """A row for each seed."""
    rows = ["| seed | float | integer | difference |", "|---|---|---|---|"]
    for run in found["runs"]:
        real, integer = 100 * run["float_accuracy"], 100 * run["integer_accuracy"]
        rows.append(f"| {run['seed']} | {real:.2f} | {integer:.2f} | {signed(integer - real)} |")
    summary = found["summary"]
    real, integer = summary["float_accuracy"], summary["integer_accuracy"]
    gap = 100 * (integer["mean"] - real["mean"])
    rows.append(f"| mean | {percent(real)} | {percent(integer)} | {signed(gap)} |")
    return "\n".join(rows)


def accuracy_section(name: str, title: str, text: str) -> str:
    """A network's accuracy, seed by seed."""
    found = record(name)
    epochs = found["settings"]["epochs"]
    text = text.format(epochs=epochs, samples=found["settings"]["samples"])
    return "\n\n".join([f"## {title}", paragraph(text), command(found), seeds_table(found)])


def frozen_section() -> str:
    """Partial freezing against none, on a small and on a larger network."""
    rows = [
        "| network | weights | all searched | 70 % frozen | loss | bits a weight | mask bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    parts = []
    for title, name in (("convolutional", "fmnist-cnn"), ("784-256-256-10", "fmnist-mlp")):
        free = record(name if name == "fmnist-cnn" else f"{name}-stream")
        frozen = record(f"{name}-frozen")
        runs = frozen["runs"]
        before, after = (found["summary"]["integer_accuracy"] for found in (free, frozen))
        bits = max(run["mask_bits"] / run["weights"] for run in runs)
        size = max(-(-run["mask_bits"] // 8) for run in runs)
        loss = 100 * (before["mean"] - after["mean"])
        rows.append(
            f"| {title} | {runs[0]['weights']} | {percent(before)} | {percent(after)} | "
            f"{loss:.2f} | {bits:.3f} | {size} |"
        )
        parts += [command(frozen), seeds_table(frozen)]
    return "\n\n".join(
        [
            "## Fashion-MNIST, 70 % frozen",
            paragraph(
                "The seed prunes 35 % of the weights and locks 35 % before the search, so 30 % own "
                "a mask bit. Integer accuracy; bits and bytes are the most of any seed."
            ),
            "\n".join(rows),
            *parts,
        ]
    )


def source_section() -> str:
    """Weights of the stream against weights of PyTorch's generator."""
    stream, other = record("fmnist-mlp-stream"), record("fmnist-mlp-torch")
    rows = ["| seed | stream | PyTorch |", "|---|---|---|"]
    for ours, theirs in zip(stream["runs"], other["runs"], strict=True):
        pair = f"{100 * ours['float_accuracy']:.2f} | {100 * theirs['float_accuracy']:.2f}"
        rows.append(f"| {ours['seed']} | {pair} |")
    means = [found["summary"]["float_accuracy"] for found in (stream, other)]
    rows.append(f"| mean | {percent(means[0])} | {percent(means[1])} |")
    gap = 100 * (means[0]["mean"] - means[1]["mean"])
    spread = 100 * max(mean["deviation"] for mean in means)
    verdict = "within" if abs(gap) <= spread else "beyond"
    return "\n\n".join(
        [
            "## Weights of the LFSR stream against PyTorch's generator",
            paragraph(
                f"Fashion-MNIST, 784-256-256-10, {stream['settings']['epochs']} epochs, float "
                "accuracy (weights of PyTorch cannot be exported)."
            ),
            command(stream),
            command(other),
            "\n".join(rows),
            paragraph(
                f"The means differ by {signed(gap)} points, {verdict} the larger standard "
                f"deviation of {spread:.2f}."
            ),
        ]
    )


def overview() -> str:
    """All records in one table."""
    rows = [
        "| record | algorithm | preset | accuracy | model bits | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for name in EXPERIMENTS:
        found = record(name)
        summary = found["summary"]
        accuracy = summary.get("integer_accuracy", summary["float_accuracy"])
        bits = summary.get("model_bits")
        size = f"{bits['mean']:.0f} ± {bits['deviation']:.0f}" if bits else "no ticket"
        preset = found["command"].split("--preset ")[1].split()[0]
        rows.append(
            f"| {name} | {found['algorithm']} | {preset} | {percent(accuracy)} | {size} | "
            f"{len(found['seeds'])} |"
        )
    text = (
        "Integer accuracy, or that of the float network where there is no ticket; the model is "
        "seed, masks and requantisation."
    )
    return "\n\n".join(["## All records", paragraph(text), "\n".join(rows)])


def counted(configuration: dict) -> Footprint:
    """The size of a configuration's ticket, from its network and settings."""
    model, size = dict(configuration["model"]), dict(configuration["size"])
    shape = tuple(model.pop("shape"))
    with torch.device("meta"):
        layers = survey(build(model.pop("name"), shape=shape, **model), shape=shape)
    size["sparsities"] = tuple(size["sparsities"])
    size["allocation"] = Allocation(size.get("allocation", "uniform"))
    return footprint(layers, Scheme(**size))


def configurations() -> list[dict]:
    """What is ready to be searched elsewhere, by name."""
    return [json.loads(path.read_text()) for path in sorted(CONFIGURATIONS.glob("*.json"))]


def not_run_section() -> str:
    """What was never searched here: settings, and the sizes that follow from them."""
    rows = [
        "| configuration | algorithm | data | weights | mask bits a weight | ticket, MB | "
        "dense, MB | published |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found in configurations():
        size = counted(found)
        ticket, dense = (bits / 8e6 for bits in (size.searched_bits, size.dense_bits()))
        rows.append(
            f"| {found['name']} | {found['algorithm']} | {found['dataset']} | {size.weights} | "
            f"{size.mask_bits_a_weight:.3f} | {ticket:.3f} | {dense:.2f} | {found['published']} |"
        )
    text = (
        "These [configurations](configurations) were not run here: their data sets are not among "
        "those that `tombola data` fetches. No accuracy below is ours. Sizes are, by "
        "`tombola.search.footprint`: seed, mask and learned factors of norms; the dense network "
        "has its weights at 32 bits, a folded one unfolded."
    )
    return "\n\n".join(["## Not run here", paragraph(text), "\n".join(rows)])


def render() -> str:
    """The whole page."""
    sections = [
        overview(),
        accuracy_section(
            "digits-cnn",
            "Digits",
            "The preset of the quickstart, {epochs} epochs; {samples} test "
            "images from other hands than the training images.",
        ),
        accuracy_section(
            "fmnist-cnn",
            "Fashion-MNIST, convolutional",
            "Four 3x3 convolutions of 16, 16, 32, 32 "
            "channels and a linear layer, {epochs} epochs, all {samples} test images.",
        ),
        by_algorithm.section(),
        frozen_section(),
        freezing_page.section(),
        allocations.section(),
        by_sparsity.section(),
        source_section(),
        jackpot_page.section(),
        graphs.section(),
        gpu.section(),
        search_speed.section(),
        not_run_section(),
    ]
    return "\n\n".join([HEAD.strip(), *sections]) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
    freezing_page.picture()
