"""What the loader gives back of the array's sums, against the sums themselves."""

import numpy as np
import pytest

from tombola.compiler.images import missing
from tombola.spec.engine import EngineConfig


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kind", [{}, {"compact": True}, {"unsigned_sums": True}])
def test_the_array_s_sum_and_what_it_lacks_are_the_true_sum(kind, signed):
    config = EngineConfig(**kind)
    random = np.random.default_rng(5)
    weights = random.integers(-3, 4, (20, 64))
    activations = random.integers(-128, 128, 64) if signed else random.integers(0, 256, 64)
    operand = activations
    if config.compact and not signed:
        operand = activations - 128
    if config.unsigned_sums and signed:
        operand = activations + 128
    complement = 255 - operand if config.unsigned_sums else ~operand
    added = np.where(weights > 0, weights * operand, -weights * complement).sum(axis=1)
    lacks = missing(weights, config, signed=signed)
    assert (added + lacks == weights @ activations).all()
