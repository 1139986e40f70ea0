"""How a layer's mask is written as bits: one order for coats and for stored weights."""

from dataclasses import dataclass

import numpy as np

from tombola.spec.errors import ConfigError, TicketError
from tombola.spec.lfsr import WORD
from tombola.spec.weight_stream import FreezeClass

MAX_COATS = 127
STORED_BITS = range(2, 9)


@dataclass(frozen=True, kw_only=True)
class Coding:
    """What the bits of a mask say: `coats` nested masks, or weights `stored` at so many bits.

    Exactly one of the two is set. One coat is a plain mask.
    """

    coats: int | None = None
    stored: int | None = None

    def __post_init__(self) -> None:
        if (self.coats is None) == (self.stored is None):
            raise ConfigError("a mask has either coats or stored bits; give one of the two")
        if self.coats is not None and not 1 <= self.coats <= MAX_COATS:
            raise ConfigError(f"coats must be between 1 and {MAX_COATS}, not {self.coats}")
        if self.stored is not None and self.stored not in STORED_BITS:
            raise ConfigError(f"stored must be between 2 and 8 bits, not {self.stored}")

    @property
    def magnitude(self) -> int:
        """Largest absolute value of a weight: n for n coats, 2^(b-1) - 1 for b stored bits."""
        if self.coats is not None:
            return self.coats
        assert self.stored is not None
        return (1 << (self.stored - 1)) - 1

    @property
    def planes(self) -> int:
        """Binary planes of the magnitude."""
        return self.magnitude.bit_length()

    @property
    def bit_layers(self) -> int:
        """Layers of bits in a word of the mask: the coats, or mask, sign and magnitude planes."""
        return self.coats if self.coats is not None else self.planes + 2


def _coded_bits(weights: np.ndarray, coding: Coding) -> np.ndarray:
    """Bool array (out, words, layers of bits, 32): the bits of every layer, wherever they stand."""
    magnitude = np.abs(weights.astype(np.int64)).reshape(weights.shape[0], -1, WORD)
    if coding.coats is not None:
        layers = [magnitude >= coat for coat in range(1, coding.coats + 1)]
    else:
        layers = [magnitude > 0, weights.reshape(magnitude.shape) < 0]
        layers += [(magnitude >> plane) & 1 == 1 for plane in reversed(range(coding.planes))]
    return np.stack(layers, axis=2)


def _written(bits: np.ndarray, classes: np.ndarray, coding: Coding) -> np.ndarray:
    """Bool array like `bits`: which of them own a place in the file."""
    written = np.empty_like(bits)
    written[:, :, 0] = (classes == FreezeClass.SEARCHABLE).reshape(bits.shape[0], -1, WORD)
    for layer in range(1, bits.shape[2]):
        # A further coat is written where the coat before is 1, a stored bit where the mask is 1.
        above = layer - 1 if coding.coats is not None else 0
        written[:, :, layer] = written[:, :, above] & bits[:, :, above]
    return written


def encode(weights: np.ndarray, classes: np.ndarray, coding: Coding) -> np.ndarray:
    """Weights in stream order to mask bits.

    The order is channel, word of 32 positions, then layer of bits, then position: coat 1, coat 2
    and so on, or mask, sign, magnitude planes from the most significant one.

    Parameters
    ----------
    weights : integer array (out, positions)
        For coats the counts 0..n (a sign is allowed and ignored); for stored weights the values.
    classes : uint8 array (out, positions)
        `FreezeClass` of each position.
    coding : Coding

    Returns
    -------
    bool array (bits,)

    Raises
    ------
    ConfigError
        If a weight is out of range, or disagrees with its freeze class.
    """
    magnitude = np.abs(weights.astype(np.int64))
    if magnitude.size and magnitude.max() > coding.magnitude:
        raise ConfigError(f"weights must be within +-{coding.magnitude}, not {magnitude.max()}")
    dropped = (classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)
    if magnitude[dropped].any():
        raise ConfigError("a pruned or padding position holds a weight; its value must be 0")
    if (magnitude[classes == FreezeClass.LOCKED] != coding.magnitude).any():
        raise ConfigError(f"a locked position must hold the full value {coding.magnitude}")
    bits = _coded_bits(weights, coding)
    return bits[_written(bits, classes, coding)]


def decode(
    mask_bits: np.ndarray, classes: np.ndarray, negative: np.ndarray, coding: Coding
) -> tuple[np.ndarray, np.ndarray]:
    """Mask bits to weights, and where each channel's bits start.

    Parameters
    ----------
    mask_bits : bool array (bits,)
    classes : uint8 array (out, positions)
    negative : bool array (out, positions)
        Signs drawn from the seed; not read for stored weights.
    coding : Coding

    Returns
    -------
    weights : int16 array (out, positions)
    starts : int64 array (out + 1,)
        First bit of each channel, and the number of bits at the end.

    Raises
    ------
    TicketError
        If the bits are too few or too many, or a kept stored weight has magnitude 0.
    """
    if coding.coats == 1:
        weights, starts = _decode_plain(mask_bits, classes)
    else:
        weights, starts = _decode_nested(mask_bits, classes, coding)
    if starts[-1] != mask_bits.size:
        raise TicketError(f"mask holds {mask_bits.size} bits but its layer needs {starts[-1]}")
    weights[classes == FreezeClass.LOCKED] = coding.magnitude
    if coding.coats is not None:
        weights[negative] *= -1
    return weights, starts


def _decode_plain(mask_bits: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    searchable = classes == FreezeClass.SEARCHABLE
    starts = np.concatenate([[0], np.cumsum(searchable.sum(axis=1))])
    weights = np.zeros(classes.shape, dtype=np.int16)
    if starts[-1] == mask_bits.size:
        weights[searchable] = mask_bits
    return weights, starts


def _decode_nested(
    mask_bits: np.ndarray, classes: np.ndarray, coding: Coding
) -> tuple[np.ndarray, np.ndarray]:
    out, positions = classes.shape
    weights = np.zeros((out, positions), dtype=np.int16)
    starts = np.zeros(out + 1, dtype=np.int64)
    searchable = (classes == FreezeClass.SEARCHABLE).reshape(out, -1, WORD)
    cursor = 0
    # Words without a mask bit are passed over, so the time is bounded by the size of the file.
    for channel, word in np.argwhere(searchable.any(axis=2)):
        where = word * WORD + np.flatnonzero(searchable[channel, word])
        begin, cursor = cursor, _decode_word(mask_bits, cursor, weights[channel], where, coding)
        starts[channel + 1] += cursor - begin
    return weights, np.cumsum(starts)


def _decode_word(
    mask_bits: np.ndarray, cursor: int, row: np.ndarray, where: np.ndarray, coding: Coding
) -> int:
    """Reads the bits of one word's searchable positions `where` into `row`; the next cursor."""

    def take(positions: np.ndarray) -> np.ndarray:
        nonlocal cursor
        bits = mask_bits[cursor : cursor + positions.size]
        cursor += positions.size
        if bits.size != positions.size:
            raise TicketError(f"mask holds {mask_bits.size} bits but its layer needs more")
        return bits

    if coding.coats is not None:
        for _ in range(coding.coats):
            if where.size:
                where = where[take(where)]
                row[where] += 1
        return cursor
    where = where[take(where)]
    signs = take(where)
    for _ in range(coding.planes):
        row[where] = 2 * row[where] + take(where)
    if (row[where] == 0).any():
        raise TicketError("a kept stored weight has magnitude 0; drop it in the mask instead")
    row[where] = np.where(signs, -row[where], row[where])
    return cursor


def pack(bits: np.ndarray) -> np.ndarray:
    """Bool array to bytes, lowest bit first, the last byte filled with zeros."""
    return np.packbits(bits, bitorder="little")


def unpack(packed: np.ndarray, count: int) -> np.ndarray:
    """Bytes to a bool array of `count` bits.

    Raises
    ------
    TicketError
        If the number of bytes is not the one that `count` bits need, or a filling bit is set.
    """
    if count < 0:
        raise TicketError(f"mask must have 0 bits or more, not {count}")
    if packed.size != -(-count // 8):
        raise TicketError(f"mask has {packed.size} bytes, but {count} bits need {-(-count // 8)}")
    bits = np.unpackbits(packed, bitorder="little").astype(bool)
    if bits[count:].any():
        raise TicketError("mask has a filling bit set after its last bit; it must be 0")
    return bits[:count]
