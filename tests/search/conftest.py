"""The digits data set as samples, and a preset small enough to search in a second."""

from dataclasses import replace

import pytest
import torch

from tombola.data import load
from tombola.search.architecture import Convolution, Linear, MaxPooling, chain
from tombola.search.presets import Preset, preset
from tombola.search.samples import Samples


@pytest.fixture(autouse=True)
def one_thread():
    """Tests share the cores with each other; more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits() -> tuple[Samples, Samples]:
    """1,437 training and 360 test images (1, 8, 8)."""
    data = load("digits")
    return (
        Samples.of(data.train_images, data.train_labels),
        Samples.of(data.test_images, data.test_labels),
    )


@pytest.fixture
def small() -> Preset:
    """Two epochs of a network that takes a second."""
    base = preset("digits-cnn")
    return Preset(
        name="small",
        dataset="digits",
        model=chain(Convolution(out=8), MaxPooling(), Convolution(out=8), Linear(out=10)),
        settings=replace(base.settings, epochs=2, seed=5, threads=1),
    )
