"""Parses the idx format of the MNIST family: a magic number, the dimensions, unsigned bytes."""

import struct
from pathlib import Path

import numpy as np

from ..spec.errors import DataError
from .dataset import Dataset
from .files import read_checked

__all__ = ["FILES", "parse_idx", "read_idx_dataset"]

UNSIGNED_BYTE = 0x08

# Order of the checksums in `read_idx_dataset`.
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def parse_idx(content: bytes, *, dimensions: int, what: str) -> np.ndarray:
    """The array an idx file holds.

    Parameters
    ----------
    content : bytes
        The whole file, decompressed.
    dimensions : int
        How many dimensions it must have.
    what : str
        How messages call it.

    Raises
    ------
    DataError
        The magic number is another one, or the length does not fit the dimensions.
    """
    expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if content[:4] != expected:
        raise DataError(
            f"{what} must begin with {expected.hex()} for {dimensions} dimensions of bytes, "
            f"not with {content[:4].hex() or 'nothing'}"
        )
    head = 4 + 4 * dimensions
    if len(content) < head:
        raise DataError(f"{what} must have {head} bytes of header, not {len(content)}")
    shape = struct.unpack(f">{dimensions}I", content[4:head])
    size = head + int(np.prod(shape, dtype=object))
    if len(content) != size:
        raise DataError(f"{what} must have {size} bytes, not {len(content)}")
    # A copy, because torch warns about arrays that may not be written.
    return np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape).copy()


def read_idx_dataset(
    folder: Path, *, name: str, digests: tuple[str, ...], class_names: tuple[str, ...]
) -> Dataset:
    """The data set that the four `FILES` of a folder make, checked against `digests`."""
    arrays = []
    for file, digest in zip(FILES, digests, strict=True):
        content = read_checked(folder, file, digest=digest)
        arrays.append(
            parse_idx(content, dimensions=3 if "images" in file else 1, what=str(folder / file))
        )
    train_images, train_labels, test_images, test_labels = arrays
    return Dataset(
        name=name,
        train_images=train_images[:, None],
        train_labels=train_labels.astype(np.int64),
        test_images=test_images[:, None],
        test_labels=test_labels.astype(np.int64),
        class_names=class_names,
    )
