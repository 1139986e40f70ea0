"""A trained network as plain layers and arrays, whichever framework wrote its file."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

__all__ = ["KINDS", "TrainedLayer", "TrainedNetwork"]

KINDS = ("convolution", "linear", "norm", "relu", "add", "average", "maximum", "flatten")


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedLayer:
    """One operation.

    Attributes
    ----------
    name : str
        Unique in the network.
    kind : str
        One of `KINDS`.
    inputs : tuple of str
        Layers read; the network's `input` is the image.
    shape : tuple of int
        Of what it makes: (channels, height, width), or (values,) where it is flat.
    arrays : dict of float32 array
        ``weight`` (out, in, height, width) or (out, in) and ``bias`` (out,) of a convolution or
        linear layer; ``mean``, ``variance``, ``scale`` and ``shift`` (channels,) of a norm.
    options : dict
        ``stride`` and ``padding`` (top, left, bottom, right) of a convolution; ``epsilon`` of a
        norm; ``kernel`` and ``stride`` of a pooling.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """Layers in an order in which each reads only earlier ones; the last makes the logits.

    Attributes
    ----------
    name : str
        What messages call it.
    input : str
        Name of the image.
    shape : (int, int, int)
        Channels, height and width of an image.
    layers : tuple of TrainedLayer
    """

    name: str
    input: str
    shape: tuple[int, int, int]
    layers: tuple[TrainedLayer, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all names, types, shapes and values of the arrays, in hexadecimal."""
        found = sha256()
        for layer in self.layers:
            for name, array in layer.arrays.items():
                found.update(f"{layer.name} {name} {array.dtype.str} {array.shape}\n".encode())
                found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()
