"""Digits 8x8 of scikit-learn: 1,797 small images that need no download."""

from pathlib import Path

import numpy as np

from .dataset import Dataset
from .source import Source

__all__ = ["SOURCE", "TEST_IMAGES"]

# The last fifth of the file. The file is in the order in which writers handed in their forms, so
# the test images come from hands the training images hardly show: accuracy is lower, and more
# honest, than after a shuffle. All classes have 33 to 37 images in it.
TEST_IMAGES = 360


def _read(folder: Path) -> Dataset:
    from sklearn.datasets import load_digits

    table = load_digits()
    # Pixels are counts 0..16 stored as floats; they stay these integers.
    images = table.images.astype(np.uint8)[:, None]
    labels = table.target.astype(np.int64)
    return Dataset(
        name="digits",
        train_images=images[:-TEST_IMAGES],
        train_labels=labels[:-TEST_IMAGES],
        test_images=images[-TEST_IMAGES:],
        test_labels=labels[-TEST_IMAGES:],
        class_names=tuple(str(digit) for digit in range(10)),
    )


SOURCE = Source(
    name="digits",
    title="handwritten digits, 8x8 grey, 1,437 + 360 images, values 0..16",
    read=_read,
)
