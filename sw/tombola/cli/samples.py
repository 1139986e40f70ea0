"""Images for a ticket from files, from a data set or by chance, in the shape that it takes."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tombola import data
from tombola.spec.errors import ConfigError, DataError, TombolaError
from tombola.spec.ticket import Ticket

UNKNOWN = -1
"""The label of an image whose class nobody stated."""
BYTE_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Kinds of image files, as Pillow names them, with at most 8 bits a channel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Images that a ticket takes.

    Attributes
    ----------
    images : uint8 array (batch, channels, height, width)
    labels : int64 array (batch,)
        Index of the class, or `UNKNOWN`.
    names : list of str
        What to call each image.
    origin : str
        Where they are from, in a few words.
    """

    images: np.ndarray
    labels: np.ndarray
    names: list[str]
    origin: str


def from_dataset(
    ticket: Ticket, name: str | None, count: int, *, data_dir: Path | None = None
) -> Samples:
    """The first test images of a data set; of the one the ticket was searched on if None.

    Raises
    ------
    ConfigError
        If the ticket names none, the images have another shape, or there are fewer.
    DataError
        If the data set is missing or damaged.
    """
    wanted = name or ticket.provenance.get("dataset")
    if not isinstance(wanted, str):
        raise ConfigError("the ticket names no data set; say which with --dataset")
    content = data.load(wanted, data_dir=data_dir)
    most = len(content.test_images)
    if not 1 <= count <= most:
        raise ConfigError(
            f"samples must be between 1 and {most}, the test images of {content.name}, not {count}"
        )
    return Samples(
        images=_shaped(ticket, content.test_images[:count], f"those of {content.name}"),
        labels=content.test_labels[:count],
        names=[str(index) for index in range(count)],
        origin=f"{_count(count)} of the test set of {content.name}",
    )


def for_self_test(ticket: Ticket, count: int, *, data_dir: Path | None = None) -> Samples:
    """Test images of the ticket's data set if that is at hand and fits, else random bytes.

    Raises
    ------
    ConfigError
        If `count` is not positive.
    """
    if count < 1:
        raise ConfigError(f"samples must be at least 1, not {count}")
    try:
        return from_dataset(ticket, None, count, data_dir=data_dir)
    except (ConfigError, DataError):
        return by_chance(ticket, count)


def by_chance(ticket: Ticket, count: int) -> Samples:
    """Images of random bytes, the same ones each time."""
    images = np.random.default_rng(count).integers(256, size=(count, *ticket.input.shape))
    return Samples(
        images=images.astype(np.uint8),
        labels=np.full(count, UNKNOWN),
        names=[str(index) for index in range(count)],
        origin=f"{_count(count)} of random bytes",
    )


def from_files(ticket: Ticket, files: Sequence[Path]) -> Samples:
    """Images of image files, and of ``.npz`` files with arrays `images` and perhaps `labels`.

    Raises
    ------
    ConfigError
        If an image has another shape or more than 8 bits a channel.
    DataError
        If a file cannot be read or holds no images.
    """
    parts = [_read_arrays(ticket, f) if f.suffix == ".npz" else _read(ticket, f) for f in files]
    images, labels, names = zip(*parts, strict=True)
    count = sum(map(len, images))
    return Samples(
        images=np.concatenate(images),
        labels=np.concatenate(labels),
        names=[name for part in names for name in part],
        origin=f"{_count(count)} of {len(files)} file{'s' * (len(files) > 1)}",
    )


def _read(ticket: Ticket, file: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            mode = image.mode
            pixels = image.convert(_mode(ticket, image.size)) if mode in BYTE_MODES else None
    except UnidentifiedImageError:
        raise DataError(f"{file} is no image; give a .png, another image file or a .npz") from None
    except OSError as error:
        raise _unreadable(file, error) from None
    if pixels is None:
        raise ConfigError(f"{file} must have 8 bits a channel, not the format {mode}; convert it")
    values = np.asarray(pixels)
    values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return _shaped(ticket, values[None], str(file)), np.full(1, UNKNOWN), [str(file)]


def _mode(ticket: Ticket, size: tuple[int, int]) -> str:
    """Colours if the ticket takes three channels, or all values of a coloured image in a row."""
    channels, height, width = ticket.input.shape
    flat = height * width == 1 and channels == 3 * size[0] * size[1]
    return "RGB" if channels == 3 or flat else "L"


def _read_arrays(ticket: Ticket, file: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    try:
        with file.open("rb") as opened:
            arrays = np.load(opened, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise ValueError("it holds a single array")
            content = {name: arrays[name] for name in arrays.files if name in ("images", "labels")}
    except OSError as error:
        raise _unreadable(file, error) from None
    except (ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(f"{file} is no sound .npz file: {error}") from None
    if "images" not in content:
        raise DataError(f"{file} must hold an array named images; write it with numpy.savez")
    images = content["images"]
    if images.dtype != np.uint8 or images.ndim < 2 or not len(images):
        raise DataError(
            f"images in {file} must be uint8 of shape (batch, channels, height, width), "
            f"not {images.dtype} of shape {images.shape}"
        )
    labels = content.get("labels", np.full(len(images), UNKNOWN))
    if labels.dtype.kind not in "iu" or labels.shape != (len(images),):
        raise DataError(
            f"labels in {file} must be integers of shape ({len(images)},), "
            f"not {labels.dtype} of shape {labels.shape}"
        )
    names = [f"{file}:{index}" for index in range(len(images))]
    return _shaped(ticket, images, f"those in {file}"), labels.astype(np.int64), names


def _shaped(ticket: Ticket, images: np.ndarray, whose: str) -> np.ndarray:
    """The images as the ticket takes them, which may be all values of a pixel map as channels."""
    shape = ticket.input.shape
    if images.ndim == 3:  # one channel that is not counted
        images = images[:, None]
    flat = shape[1:] == (1, 1) and np.prod(images.shape[1:]) == shape[0]
    if images.shape[1:] != shape and not flat:
        have, want = ("x".join(map(str, each)) for each in (images.shape[1:], shape))
        raise ConfigError(
            f"images must be {want} (channels x height x width) for this ticket, not {have} "
            f"as {whose}"
        )
    return images.reshape(len(images), *shape)


def _count(images: int) -> str:
    return "1 image" if images == 1 else f"{images:,} images"


def _unreadable(file: Path, error: OSError) -> TombolaError:
    return DataError(f"cannot read {file}: {error.strerror or error}")
