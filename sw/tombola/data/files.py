"""Reads a file of a data set, compressed or not, and compares its content with a checksum."""

import gzip
import zlib
from hashlib import sha256
from pathlib import Path

from ..spec.errors import DataError

__all__ = ["check", "read_checked"]


def read_checked(folder: Path, name: str, *, digest: str) -> bytes:
    """The content of `name` or of `name.gz`.

    Parameters
    ----------
    folder, name : Path, str
        Where it is.
    digest : str
        SHA-256 of the content after decompression: distributions recompress the files.

    Raises
    ------
    DataError
        The file cannot be read, or holds something else.
    """
    path = folder / name
    try:
        if path.is_file():
            content = path.read_bytes()
        else:
            path = folder / f"{name}.gz"
            with gzip.open(path) as file:
                content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}") from error
    check(content, path=path, digest=digest)
    return content


def check(content: bytes | memoryview, *, path: Path, digest: str) -> None:
    """Compare content with its SHA-256.

    Raises
    ------
    DataError
        They differ.
    """
    found = sha256(content).hexdigest()
    if found != digest:
        raise DataError(f"{path} is damaged: its SHA-256 begins {found[:8]}, not {digest[:8]}")
