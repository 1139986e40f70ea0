"""Commands for a GPU, what short searches with them came to, and the authors' figures."""

import json
from pathlib import Path
from typing import Any

import torch
from text import paragraph

from tombola.search.algorithms import with_algorithm
from tombola.search.footprint import Footprint, Scheme, footprint
from tombola.search.presets import preset
from tombola.search.survey import survey

FOLDER = Path(__file__).parents[1] / "configurations" / "gpu"
RECORD = Path(__file__).parent / "gpu.json"
SHAPE, CLASSES = (3, 32, 32), 10
"""Of CIFAR-10."""


def configurations() -> list[dict[str, Any]]:
    """Name, preset, algorithm, options and published figure of each, by name."""
    paths = sorted(FOLDER.glob("*.json"))
    return [{"name": path.stem, **json.loads(path.read_text())} for path in paths]


def short_search(name: str) -> str:
    """Accuracy of a recorded search after its last epoch, and how many there were of how many."""
    runs = {run["name"]: run for run in json.loads(RECORD.read_text())["runs"]}
    if name not in runs:
        return "not run here"
    history, epochs = runs[name]["history"], runs[name]["epochs"]
    done = str(epochs) if len(history) == epochs else f"{len(history)} of {epochs}"
    return f"{100 * history[-1]['test_accuracy']:.2f} after {done}"


def command(found: dict[str, Any], *, device: str = "cuda") -> str:
    """Searches it with its authors' hyperparameters."""
    parts = (
        f"tombola search --preset {found['preset']} --algorithm {found['algorithm']}",
        "--hyperparameters authors",
        found["options"],
        f"--device {device} --precision bfloat16 --seed SEED --out DIR",
    )
    return " ".join(part for part in parts if part)


def counted(found: dict[str, Any]) -> Footprint:
    """The size of its ticket."""
    chosen = preset(found["preset"])
    settings = with_algorithm(chosen.settings, found["algorithm"], authors=True)
    with torch.device("meta"):
        layers = survey(chosen.model(shape=SHAPE, classes=CLASSES), shape=SHAPE)
    return footprint(layers, Scheme.of(settings))


def section() -> str:
    """What to run with a GPU at hand, what a ticket will take, and what the authors report."""
    rows = [
        "| preset | algorithm | weights | model bits | bits a weight | accuracy after epochs "
        "| published |",
        "|---|---|---|---|---|---|---|",
    ]
    for found in configurations():
        size = counted(found)
        rows.append(
            f"| {found['preset']} | {found['algorithm']} | {size.weights} | {size.model_bits} | "
            f"{size.model_bits / size.weights:.3f} | {short_search(found['name'])} "
            f"| {found['published']} |"
        )
    text = (
        "Searches of CIFAR-10 that take a GPU. The commands take the authors' hyperparameters, 100 "
        "epochs or more; what was run is the same with --epochs, seed 1, as many epochs as seven "
        f"minutes hold: on {json.loads(RECORD.read_text())['environment']}. Accuracies are of the "
        "float network; where fewer epochs are named than of how many, time ran out and the "
        "learning rate had not come down. They say that the algorithms learn on a GPU, and nothing "
        "of where they end. A published accuracy is of the authors' own training, with "
        "images shifted and mirrored at random, which these commands do not do. No stage of a "
        "ResNet18 runs a block more than twice, so there is nothing in it to fold; hidden-fold "
        "takes a ResNet34."
    )
    commands = "\n".join(f"    {command(found)}" for found in configurations())
    return "\n\n".join(["## CIFAR-10, on a GPU", paragraph(text), "\n".join(rows), commands])
