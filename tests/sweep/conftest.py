"""Grids of searches that take a second each."""

import pytest

from tombola.sweep.grid import Axis, Trial, trials


@pytest.fixture
def two() -> list[Trial]:
    """Two seeds of one epoch on digits."""
    axes = ("preset=digits-cnn", "epochs=1", "seed=1,2")
    return trials(Axis.parse(text) for text in axes)
