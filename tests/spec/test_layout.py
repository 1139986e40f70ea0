"""Rows: every kernel and channel count against an enumeration, and there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.page import known_answer

from tombola.spec.errors import ConfigError
from tombola.spec.layout import RowLayout

PAGE = "weight-stream.md"


def enumerated(kernel: tuple[int, int], channels: int) -> list[tuple[int, int, int] | None]:
    """The rule word by word: pad the channels of each kernel position, then the row."""
    places: list[tuple[int, int, int] | None] = []
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            group = [(channel, ky, kx) for channel in range(channels)]
            size = channels
            while not (size % 32 == 0 if channels > 32 else size & (size - 1) == 0):
                size += 1
            places += [*group, *[None] * (size - channels)]
    while len(places) % 32:
        places.append(None)
    return places


def check(kernel: tuple[int, int], channels: int) -> None:
    layout = RowLayout(kernel=kernel, channels=channels)
    places = enumerated(kernel, channels)
    assert layout.positions == len(places) == 32 * layout.words
    assert layout.real().tolist() == [place is not None for place in places]
    assert layout.weights == sum(place is not None for place in places)
    numbers = np.arange(channels * kernel[0] * kernel[1]).reshape(1, channels, *kernel) + 1
    row = [0 if place is None else int(numbers[0][place]) for place in places]
    stream = layout.to_stream(numbers)
    assert stream[0].tolist() == row
    assert (layout.from_stream(stream) == numbers).all()


@pytest.mark.parametrize("height", range(1, 6))
def test_every_small_size_is_the_enumeration(height):
    for width in range(1, 6):
        for channels in (*range(1, 35), 63, 64, 65, 95, 96, 97, 130):
            check((height, width), channels)


@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.integers(1, 300), st.integers(1, 4))
def test_any_size_there_and_back(kernel, channels, out):
    layout = RowLayout(kernel=kernel, channels=channels)
    weights = np.random.default_rng(0).integers(-9, 9, (out, channels, *kernel))
    rows = layout.to_stream(weights)
    assert rows.shape == (out, layout.positions) and rows.dtype == weights.dtype
    assert not rows[:, ~layout.real()].any()
    assert (layout.from_stream(rows) == weights).all()


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(1, 200), st.integers(0, 5))
def test_no_group_of_lanes_straddles_kernel_positions_it_does_not_own(kernel, channels, power):
    lanes = 1 << power
    places = enumerated(kernel, channels)
    padded = RowLayout(kernel=kernel, channels=channels).padded_channels
    for begin in range(0, len(places), lanes):
        owners = {place[1:] for place in places[begin : begin + lanes] if place}
        if len(owners) > 1:  # then whole kernel positions lie in the group
            assert lanes % padded == 0


def test_sizes_are_those_of_the_page():
    for height, width, channels, padded, positions in known_answer(PAGE, "row-sizes"):
        layout = RowLayout(kernel=(height, width), channels=channels)
        assert (layout.padded_channels, layout.positions) == (padded, positions)


def test_row_is_that_of_the_page():
    answer = known_answer(PAGE, "row-layout")
    layout = RowLayout(kernel=tuple(answer["kernel"]), channels=answer["channels"])
    assert layout.to_stream(np.array([answer["weights"]]))[0].tolist() == answer["row"]


@pytest.mark.parametrize(
    ("kernel", "channels", "shown"),
    [((1, 1), 0, "0 and 1x1"), ((0, 3), 2, "2 and 0x3"), ((3, -1), 2, "2 and 3x-1")],
)
def test_empty_rows_are_refused(kernel, channels, shown):
    with pytest.raises(ConfigError) as caught:
        RowLayout(kernel=kernel, channels=channels)
    assert str(caught.value) == (f"a row needs at least one channel and a 1x1 kernel, not {shown}")


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ConfigError) as caught:
        RowLayout(kernel=(2, 3), channels=4).to_stream(np.zeros((5, 4, 3, 2)))
    assert str(caught.value) == "weights must be (out, 4, 2, 3), not (5, 4, 3, 2)"
