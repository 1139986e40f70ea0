"""Finds streams that run into one another: windows of one segment that are another's start."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

WORD = 32
FILTER_BITS = 24
"""Width of the bitmap that lets all but a few windows through to no comparison."""

RESNET50 = (
    # (layers, kernel, input channels, output channels): every convolution and the classifier
    (1, 7, 3, 64),
    # stage 1: projection and three blocks of 1x1, 3x3, 1x1
    (1, 1, 64, 64), (3, 3, 64, 64), (3, 1, 64, 256), (1, 1, 64, 256), (2, 1, 256, 64),
    # stage 2
    (1, 1, 256, 128), (4, 3, 128, 128), (4, 1, 128, 512), (1, 1, 256, 512), (3, 1, 512, 128),
    # stage 3
    (1, 1, 512, 256), (6, 3, 256, 256), (6, 1, 256, 1024), (1, 1, 512, 1024), (5, 1, 1024, 256),
    # stage 4
    (1, 1, 1024, 512), (3, 3, 512, 512), (3, 1, 512, 2048), (1, 1, 1024, 2048), (2, 1, 2048, 512),
    # classifier
    (1, 1, 2048, 1000),
)  # fmt: skip
GRAPH_LAYER = (1, 1, 1433, 192)
"""First layer over the bag of words of Cora."""

Segments = Iterable[tuple[int, np.ndarray]]


def layers() -> Iterator[tuple[int, int, int]]:
    """(kernel, input channels, output channels) of each layer of ResNet50 and the graph layer."""
    for count, *layer in (*RESNET50, GRAPH_LAYER):
        for _ in range(count):
            yield tuple(layer)


def overlaps(segments: Callable[[], Segments], *, state_bits: int) -> tuple[int, int]:
    """Segments that hold another's start, one for each place; and how many windows were looked at.

    Parameters
    ----------
    segments : function that gives pairs (windows, words)
        Words is uint32 (channels, n): the sequences of some channels, lowest bit first in time.
        Their first `windows` bits are the segment; n covers `windows` + `state_bits` bits.
    state_bits : int
        Width of the register, 32 or 64.
    """
    starts = np.sort(np.concatenate([_starts(words, state_bits) for _, words in segments()]))
    bitmap = np.zeros(1 << FILTER_BITS, dtype=bool)
    bitmap[starts & np.uint64((1 << FILTER_BITS) - 1)] = True
    found, seen = int((np.diff(starts) == 0).sum()), 0
    for windows, words in segments():
        seen += words.shape[0] * windows
        for shift in range(WORD):
            # The 24 bits that follow bit `shift` of every word, then what the filter lets through.
            count = -(-(windows - shift) // WORD)
            index = _next_bits(words, shift, FILTER_BITS)[:, :count]
            channel, word = np.nonzero(bitmap[index])
            window = _window_at(words, channel, word, shift, state_bits)
            place = np.searchsorted(starts, window)
            hit = starts[np.minimum(place, starts.size - 1)] == window
            # A segment starts with its own start.
            found += int(hit.sum()) - (words.shape[0] if shift == 0 else 0)
    return found, seen


def _next_bits(words: np.ndarray, shift: int, bits: int) -> np.ndarray:
    low = words[:, :-1] >> np.uint32(shift)
    if shift + bits > WORD:
        low = low | (words[:, 1:] << np.uint32(WORD - shift))
    return low & np.uint32((1 << bits) - 1)


def _starts(words: np.ndarray, state_bits: int) -> np.ndarray:
    channel = np.arange(words.shape[0])
    return _window_at(words, channel, np.zeros_like(channel), 0, state_bits)


def _window_at(
    words: np.ndarray, channel: np.ndarray, word: np.ndarray, shift: int, state_bits: int
) -> np.ndarray:
    last = words.shape[1] - 1
    parts = [words[channel, np.minimum(word + i, last)].astype(np.uint64) for i in range(3)]
    window = (parts[0] | (parts[1] << np.uint64(WORD))) >> np.uint64(shift)
    if shift:
        window |= parts[2] << np.uint64(2 * WORD - shift)
    return window & np.uint64((1 << state_bits) - 1)
