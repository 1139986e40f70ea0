"""A data set in memory: integer images and labels, split into training and test."""

from dataclasses import dataclass

import numpy as np

from ..spec.errors import DataError

__all__ = ["Dataset"]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Images as they are stored, before any normalisation.

    Attributes
    ----------
    name : str
        The name under which `load` knows it.
    train_images, test_images : uint8 array
        (images, channels, height, width)
    train_labels, test_labels : int64 array
        (images,), each an index into `class_names`.
    class_names : tuple of str
        One name per class, in the order of the labels.

    Raises
    ------
    DataError
        An array has another type or shape, or a label has no class.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self):
        for part in ("train", "test"):
            images = getattr(self, f"{part}_images")
            labels = getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim != 4:
                raise DataError(
                    f"{part} images of {self.name} must be uint8 in 4 dimensions, "
                    f"not {images.dtype} in {images.ndim}"
                )
            if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
                raise DataError(
                    f"{part} labels of {self.name} must be int64 of shape {images.shape[:1]}, "
                    f"not {labels.dtype} of shape {labels.shape}"
                )
            if labels.size and not 0 <= labels.min() <= labels.max() < len(self.class_names):
                raise DataError(
                    f"{part} labels of {self.name} must lie in 0..{len(self.class_names) - 1}, "
                    f"not in {labels.min()}..{labels.max()}"
                )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)"""
        return self.train_images.shape[1:]
