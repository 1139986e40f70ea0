"""A Keras h5 file, opened with care: its description as JSON, and the arrays of each layer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..spec.errors import DataError

__all__ = ["KerasFile", "open_keras"]

MOST_BYTES = 1 << 30


class KerasFile:
    """An open file; arrays are read one by one, each checked before a byte of it is.

    Parameters
    ----------
    path : Path
    file : h5py.File
    """

    def __init__(self, path: Path, file: Any) -> None:
        self._size = path.stat().st_size
        self._file = file

    def description(self) -> Any:
        """What ``model_config`` says.

        Raises
        ------
        DataError
            If it is missing or no JSON.
        """
        text = self._file.attrs.get("model_config")
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        if not isinstance(text, str):
            raise DataError("it has no model_config; save the whole model, not its weights alone")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise DataError("its model_config is not JSON") from None

    def array(self, layer: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The float32 array ``name:0`` of a layer, which must have that shape.

        Raises
        ------
        DataError
            If it is not there, of another shape or type, lies outside the file, or holds what is
            no number.
        """
        import h5py

        found = self._follow("model_weights", layer, layer, f"{name}:0")
        if not isinstance(found, h5py.Dataset):
            raise DataError(f"layer {layer} has no array {name}")
        if found.shape != shape:
            raise DataError(f"{name} of layer {layer} must be {shape}, not {found.shape}")
        if found.dtype != np.float32:
            raise DataError(f"{name} of layer {layer} must be float32, not {found.dtype}")
        if found.external or found.is_virtual or found.nbytes > self._size:
            raise DataError(f"{name} of layer {layer} must lie in the file as it is")
        array = np.asarray(found[()])
        if not np.isfinite(array).all():
            raise DataError(f"{name} of layer {layer} must hold finite numbers only")
        return array

    def _follow(self, *parts: str) -> Any:
        """What lies at a path of hard links; None where there is no such path."""
        import h5py

        here = self._file
        for part in parts:
            link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
            if not isinstance(link, h5py.HardLink):
                return None
            here = here[part]
        return here


@contextmanager
def open_keras(path: Path) -> Iterator[KerasFile]:
    """The file, open for reading.

    Raises
    ------
    DataError
        If it cannot be read; the message of whatever is raised inside begins with the path.
    """
    import h5py

    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has more than {MOST_BYTES} bytes, no network here is so large")
        with h5py.File(path, "r") as file:
            yield KerasFile(path, file)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    # h5py says OSError for a file that is no h5, RuntimeError, KeyError or ValueError for a part
    # of it that is damaged.
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise DataError(f"cannot read {path}: {reason}") from None
