"""The commands of docs/results.md that want a GPU start, and take two steps on a few images."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tombola.cli import search as verb
from tombola.cli.main import build_parser
from tombola.search.network import convert
from tombola.search.samples import Samples
from tombola.search.trainer import Trainer

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS / "records"))  # the scripts import each other
gpu = importlib.import_module("gpu")
BATCH = 4


def named(found):
    return f"{found['preset']}-{found['algorithm']}"


@pytest.mark.parametrize("found", gpu.configurations(), ids=named)
def test_two_steps(found):
    command = gpu.command(found).replace("SEED", "1")
    args = build_parser().parse_args(command.split()[1:])
    chosen = verb.preset_of(args)
    assert chosen.dataset == "cifar10"
    assert chosen.settings.device == "cuda"
    settings = replace(chosen.settings, device="cpu", batch=BATCH, epochs=1, validation=0)
    random = torch.Generator().manual_seed(1)
    images = torch.randint(256, (2 * BATCH, *gpu.SHAPE), generator=random, dtype=torch.uint8)
    samples = Samples.of(images.numpy(), torch.arange(2 * BATCH).numpy() % gpu.CLASSES)
    model = chosen.model(shape=gpu.SHAPE, classes=gpu.CLASSES, width=0.125)
    network = convert(model, settings, shape=gpu.SHAPE)
    before = [conv.scores.detach().clone() for conv in network.convs]
    (metrics,) = Trainer(network, train=samples, test=samples).run()
    assert metrics.loss > 0
    moved = [(conv.scores != old).any() for conv, old in zip(network.convs, before, strict=True)]
    assert all(moved)


@pytest.mark.parametrize("found", gpu.configurations(), ids=named)
def test_the_page_has_the_command(found):
    page = (DOCS / "results.md").read_text()
    section = page[page.index("## CIFAR-10, on a GPU") :]
    assert f"    {gpu.command(found)}\n" in section
    size = gpu.counted(found)
    assert f"| {size.model_bits} |" in section
    assert 0 < size.mask_bits < size.model_bits < size.dense_bits()
