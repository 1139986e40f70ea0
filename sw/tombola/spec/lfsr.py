"""The 64-bit LFSR that every weight comes from: its recurrence, its leaps and its words in numpy.

The register holds a window of the bit sequence ``x``: state bit ``i`` is ``x[n + i]``. One step
drops ``x[n]`` and appends

    x[n + 64] = x[n] ^ x[n + 1] ^ x[n + 3] ^ x[n + 4]

which is the maximal-length register with taps 64, 63, 61, 60 of the published tables (Xilinx
XAPP 052, table 3, with XOR in place of XNOR). The next bits of the sequence are therefore the
state bits themselves, lowest first, and a leap of up to 60 steps costs one four-input XOR a bit.
"""

import numpy as np

from tombola.spec.errors import ConfigError

STATE_BITS = 64
STATE_MASK = (1 << STATE_BITS) - 1
RECURRENCE = (0, 1, 3, 4)
"""Offsets into the window whose XOR is the bit that enters at the top."""

WORD = 32
"""Positions a word: the unit in which rows are padded and masks are nested."""


def step(state: int) -> int:
    """The state one bit later."""
    entering = 0
    for tap in RECURRENCE:
        entering ^= state >> tap
    return (state >> 1) | ((entering & 1) << (STATE_BITS - 1))


def leap_rows(count: int) -> list[int]:
    """The map of `count` steps as 64 masks: new bit ``i`` is the parity of ``state & rows[i]``.

    A negative count is refused; a count of 0 is the identity.
    """
    if count < 0:
        raise ConfigError(f"a leap counts steps forward, not {count}")
    # Row i of the window n steps on is the linear form of x[n + i] in the first 64 bits.
    return sequence_rows(count + STATE_BITS)[count:]


def sequence_rows(length: int) -> list[int]:
    """Linear forms of ``x[0] .. x[length - 1]`` as masks over the state at ``n = 0``."""
    rows = [1 << i for i in range(min(length, STATE_BITS))]
    while len(rows) < length:
        form = 0
        for tap in RECURRENCE:
            form ^= rows[len(rows) - STATE_BITS + tap]
        rows.append(form)
    return rows


def words(states: np.ndarray, count: int) -> np.ndarray:
    """The next `count` 32-bit words of each sequence, lowest bit first in time.

    Parameters
    ----------
    states : uint64 array (channels,)
        Start states, none of them zero.
    count : int
        Words to produce for each channel.

    Returns
    -------
    uint32 array (channels, count)
    """
    state = np.ascontiguousarray(states, dtype=np.uint64).copy()
    out = np.empty((state.size, count), dtype=np.uint32)
    known = min(count, STATE_BITS)
    for index in range(known):
        out[:, index] = state & np.uint64(0xFFFFFFFF)
        entering = state.copy()
        for tap in RECURRENCE[1:]:
            entering ^= state >> np.uint64(tap)
        state = (state >> np.uint64(WORD)) | (entering << np.uint64(STATE_BITS - WORD))
    # Squaring a polynomial over GF(2) doubles its exponents: the recurrence holds as well for bits
    # that are any power of two apart, so for words, and for blocks of words.
    while known < count:
        stride = 1 << ((known // STATE_BITS).bit_length() - 1)
        begin = known - STATE_BITS * stride
        more = min((STATE_BITS - RECURRENCE[-1]) * stride, count - known)
        block = out[:, begin : begin + more].copy()
        for tap in RECURRENCE[1:]:
            block ^= out[:, begin + tap * stride : begin + tap * stride + more]
        out[:, known : known + more] = block
        known += more
    return out
