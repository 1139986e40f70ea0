"""The ways in which weight streams go wrong, measured; docs/weight-stream.md gives the figures."""

import numpy as np
import pytest
from support.overlaps import RESNET50, layers, overlaps
from support.page import page_says

from tombola.spec import lfsr
from tombola.spec.layout import RowLayout
from tombola.spec.start_state import MAX_SEED, StreamKind, start_states
from tombola.spec.weight_stream import WeightSet, freeze_draws, negative

PAGE = "weight-stream.md"
SEED = 1
DRAWS = {StreamKind.SIGN: 1, StreamKind.FREEZE: 8}
"""Bits of a position."""


def words32(states: np.ndarray, count: int) -> np.ndarray:
    """Words of the 32-bit register with taps 32, 22, 2, 1, as `lfsr.words` for 64 bits."""
    state = states.astype(np.uint32)
    out = np.empty((state.size, max(count, 32)), dtype=np.uint32)
    for word in range(32):
        out[:, word] = state
        for _ in range(32):
            entering = state ^ state >> 10 ^ state >> 30 ^ state >> 31
            state = state >> 1 | (entering & np.uint32(1)) << 31
    for word in range(32, count):
        out[:, word] = out[:, word - 32] ^ out[:, word - 22] ^ out[:, word - 2] ^ out[:, word - 1]
    return out[:, :count]


def segments(kinds, register):
    """The segments of all layers' channels, for `overlaps`."""

    def each():
        for weight_set, (kernel, channels, out) in enumerate(layers()):
            row = RowLayout(kernel=(kernel, kernel), channels=channels).words
            for kind in kinds:
                states = start_states(SEED, weight_set=weight_set, channels=out, kind=kind)
                words = row * DRAWS[kind]
                yield 32 * words, register(states, words + 3)

    return each


def test_the_layers_are_those_of_resnet50():
    convolutions = RESNET50[:-1]
    assert sum(count * out for count, _, _, out in RESNET50) == 27_560
    assert sum(count for count, *_ in convolutions) == 53
    # The well-known count of parameters is 25,557,032, with 53,120 of batch norm and 1,000 biases.
    weights = sum(count * kernel**2 * ins * out for count, kernel, ins, out in RESNET50)
    assert weights == 25_557_032 - 53_120 - 1_000


def test_no_stream_of_resnet50_or_of_a_graph_layer_runs_into_another():
    found, seen = overlaps(segments(StreamKind, lfsr.words), state_bits=64)
    assert (found, seen) == (0, 232_058_880)
    assert page_says(PAGE, "of the 232,058,880 windows")


def test_the_same_search_finds_overlaps_on_a_32_bit_register():
    found, seen = overlaps(segments([StreamKind.SIGN], words32), state_bits=32)
    expected = seen * sum(out for *_, out in layers()) / 2**32
    assert (found, seen) == (187, 25_784_320)
    assert round(expected) == 167
    assert page_says(PAGE, "187 found, 167 expected")


@pytest.mark.slow
def test_freeze_streams_overlap_more_often_on_a_32_bit_register():
    found, seen = overlaps(segments([StreamKind.FREEZE], words32), state_bits=32)
    assert (found, seen) == (1292, 8 * 25_784_320)
    assert page_says(PAGE, "1,292 found, 1,333 expected")


def test_the_search_finds_an_overlap_that_was_planted():
    states = start_states(SEED, weight_set=0, channels=50, kind=StreamKind.SIGN)
    for leap in (1, 31, 32, 33, 95, 127):
        moved = int(states[7])
        for _ in range(leap):
            moved = lfsr.step(moved)
        planted = np.append(states, np.uint64(moved))
        for windows, hits in ((128, 1), (leap + 1, 1), (leap, 0)):
            words = lfsr.words(planted, windows // 32 + 4)
            found, _ = overlaps(lambda w=windows, x=words: [(w, x)], state_bits=64)
            assert found == hits, (leap, windows)


def test_channels_are_no_shifted_copies_of_each_other():
    signs = negative(SEED, WeightSet(id=3, out_channels=64, in_channels=512, kernel=(3, 3)))
    values = np.where(signs, -1.0, 1.0)
    length, worst, compared = values.shape[1], 0.0, 0
    # The circular correlation of rows that are filled with zeros is the one at every shift.
    spectra = np.fft.rfft(values, 2 * length)
    products = np.fft.irfft(spectra[:-1] * spectra[1:].conj(), 2 * length)
    for shift in range(-512, 513):
        deviations = products[:, shift] / np.sqrt(length - abs(shift))
        worst = max(worst, float(abs(deviations).max()))
        compared += deviations.size
    assert compared == 64_575 and worst < 4.6
    assert page_says(PAGE, "within 4.6 standard deviations of half in 64,575 comparisons")


def test_a_copy_of_a_channel_would_be_seen():
    signs = negative(SEED, WeightSet(id=3, out_channels=1, in_channels=512, kernel=(3, 3)))[0]
    assert (signs[100:] == signs[:-100]).mean() < 0.6 < (signs[100:] == signs[100:]).mean()


def test_signs_and_draws_of_resnet50_are_unbiased():
    ones = bits = runs = pairs = 0
    counts = np.zeros(256, dtype=np.int64)
    for weight_set, (kernel, channels, out) in enumerate(layers()):
        parameters = WeightSet(
            id=weight_set, out_channels=out, in_channels=channels, kernel=(kernel, kernel)
        )
        signs = negative(SEED, parameters)
        ones, bits = ones + int(signs.sum()), bits + signs.size
        runs += int((signs[:, 1:] != signs[:, :-1]).sum())
        pairs += signs.shape[0] * (signs.shape[1] - 1)
        counts += np.bincount(freeze_draws(SEED, parameters).ravel(), minlength=256)
    assert round(ones / bits, 5) == 0.50008 and abs(ones - bits / 2) < 0.9 * bits**0.5 / 2
    assert -1.5 < (runs - pairs / 2) / (pairs**0.5 / 2) < -1.3
    expected = bits / 256
    assert round(((counts - expected) ** 2 / expected).sum(), 1) == 219.5
    assert round(counts[:90].sum() / bits, 5) == 0.35148
    for figure in (".50008, 0.8", "1.4 standard deviations too few", "219.5", ".35148, 0.8"):
        assert page_says(PAGE, figure)


@pytest.mark.parametrize(
    ("seed", "mean"), [(0, 127.38), (1, 126.54), (1 << 63, 127.76), (MAX_SEED, 128.10)]
)
def test_seeds_of_few_ones_give_unbiased_first_draws(seed, mean):
    states = np.concatenate(
        [
            start_states(seed, weight_set=weight_set, channels=1024, kind=kind)
            for weight_set in range(16)
            for kind in StreamKind
        ]
    )
    draws = states & np.uint64(255)
    assert states.size == 32_768
    assert round(float(draws.mean()), 2) == mean
    assert abs(draws.mean() - 127.5) < 3 * 73.9 / states.size**0.5
    # Each bit of the state over the streams, and between neighbouring channels.
    bits = np.unpackbits(states[:, None].view(np.uint8), axis=1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 4 * 0.5 / states.size**0.5
    changed = np.unpackbits((states[1:] ^ states[:-1])[:, None].view(np.uint8), axis=1)
    assert abs(changed.sum(axis=1).mean() - 32) < 0.1
    assert page_says(PAGE, "127.38, 126.54, 127.76, 128.10")
