"""Sparsity over the epochs, by hand and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tombola.search.schedule import SCHEDULES, constant, geometric, ramp


def test_constant():
    assert constant(0.7, epoch=0, epochs=10, period=1) == 0.7


def test_ramp_by_hand():
    found = [ramp(0.8, epoch=x, epochs=10, period=1) for x in (0, 1, 2.5, 5, 7, 10)]
    assert found == pytest.approx([0, 0.16, 0.4, 0.8, 0.8, 0.8])


def test_geometric_by_hand():
    found = [geometric(0.75, epoch=x, epochs=4, period=2) for x in (0, 1.9, 2, 3.9, 4)]
    # Half of what is left goes, twice.
    assert found == pytest.approx([0, 0, 0.5, 0.5, 0.75])


def test_geometric_ends_at_the_target_where_the_period_does_not_divide_the_epochs():
    found = [geometric(0.9, epoch=x, epochs=7, period=3) for x in (2, 3, 6, 7)]
    assert found == pytest.approx([0, 1 - 0.1**0.5, 0.9, 0.9])
    assert geometric(0.9, epoch=3, epochs=3, period=5) == pytest.approx(0)


@pytest.mark.parametrize("schedule", SCHEDULES.values())
@given(target=st.floats(0, 1), epochs=st.integers(1, 50), period=st.integers(1, 10))
def test_schedules_ascend_to_the_target(schedule, target, epochs, period):
    if period > epochs:
        return
    steps = [schedule(target, epoch=x / 4, epochs=epochs, period=period) for x in range(4 * epochs)]
    end = schedule(target, epoch=epochs, epochs=epochs, period=period)
    assert end == target
    for first, second in zip(steps, [*steps[1:], end], strict=True):
        assert 0 <= first <= second <= 1
