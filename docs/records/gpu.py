"""Commands for a GPU, which were not run here, beside the authors' figures."""

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
SHAPE, CLASSES = (3, 32, 32), 10
"""Of CIFAR-10."""


def configurations() -> list[dict[str, Any]]:
    """Preset, algorithm, options and published figure of each, by name."""
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


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
        "| preset | algorithm | weights | model bits | bits a weight | accuracy | published |",
        "|---|---|---|---|---|---|---|",
    ]
    for found in configurations():
        size = counted(found)
        rows.append(
            f"| {found['preset']} | {found['algorithm']} | {size.weights} | {size.model_bits} | "
            f"{size.model_bits / size.weights:.3f} | not run here | {found['published']} |"
        )
    text = (
        "Not run here: searches of CIFAR-10 that take a GPU. The commands are tested for two steps "
        "on a few images, on a CPU. A published accuracy is of the authors' own training, with "
        "images shifted and mirrored at random, which these commands do not do. No stage of a "
        "ResNet18 runs a block more than twice, so there is nothing in it to fold; hidden-fold "
        "takes a ResNet34."
    )
    commands = "\n".join(f"    {command(found)}" for found in configurations())
    return "\n\n".join(["## CIFAR-10, on a GPU", paragraph(text), "\n".join(rows), commands])
