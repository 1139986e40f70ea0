"""Images and labels as the search takes them: tensors that some loader filled."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tombola.search.randomness import generator
from tombola.spec.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Labelled images.

    Parameters
    ----------
    images : uint8 tensor (samples, channels, height, width)
    labels : int64 tensor (samples,)
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ConfigError(
                f"images must be uint8 (samples, channels, height, width), not {self.images.dtype} "
                f"of {tuple(self.images.shape)}"
            )
        if len(self.images) != len(self.labels):
            raise ConfigError(f"{len(self.images)} images have {len(self.labels)} labels")

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray) -> "Samples":
        """From numpy arrays of the same shapes and kinds."""
        return cls(
            images=torch.from_numpy(np.array(images)),
            labels=torch.from_numpy(np.array(labels)).long(),
        )

    def to(self, device: str) -> "Samples":
        """The same samples in the memory of a device."""
        return Samples(images=self.images.to(device), labels=self.labels.to(device))

    def first(self, count: int | None, *, what: str) -> "Samples":
        """So many from the beginning, or all; `what` names them in the message.

        Raises
        ------
        ConfigError
            If there are none, or not so many.
        """
        if count is None:
            return self
        if not 1 <= count <= len(self):
            raise ConfigError(f"{what} must be between 1 and {len(self)}, not {count}")
        return Samples(images=self.images[:count], labels=self.labels[:count])

    def set_aside(self, ratio: float, *, seed: int) -> tuple["Samples", "Samples"]:
        """The samples that are left, and the part of them that the seed sets aside.

        Raises
        ------
        ConfigError
            If either would have none.
        """
        aside = round(ratio * len(self))
        if not 0 < aside < len(self) - 1:
            raise ConfigError(
                f"validation {ratio:g} leaves {len(self) - aside} of {len(self)} training images "
                f"and sets {aside} aside; choose a ratio at which both have some"
            )
        order = torch.randperm(len(self), generator=generator(seed, "validation"))
        chosen = (order[aside:].sort().values, order[:aside].sort().values)
        left, aside_ = (Samples(images=self.images[x], labels=self.labels[x]) for x in chosen)
        return left, aside_

    def __len__(self) -> int:
        return len(self.images)
