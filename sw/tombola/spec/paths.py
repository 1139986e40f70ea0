"""Where generated files live, and how they are written so that half a file is never seen."""

import os
import shutil
import tempfile
from pathlib import Path

from .errors import ConfigError, TombolaError

__all__ = ["cache_dir", "make_folder", "replace_dir_atomically", "write_atomically"]


def cache_dir() -> Path:
    """The folder for what can be made or fetched again; it need not exist yet.

    ``TOMBOLA_CACHE`` names it; without that it is ``tombola`` in ``XDG_CACHE_HOME`` or in
    ``~/.cache``.
    """
    if own := os.environ.get("TOMBOLA_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tombola"


def make_folder(path: Path | str) -> Path:
    """Make a folder that is missing, and make sure that it takes files.

    Raises
    ------
    ConfigError
        There can be no folder of that name, or nothing can be written to it.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"cannot make folder {path}: {reason}; name another") from None
    return path


def write_atomically(path: Path | str, content: bytes, *, mode: int = 0o644) -> Path:
    """Write a whole file or nothing, and create its folder.

    Parameters
    ----------
    path : Path
        The file. What it held before stays until the new content is safely on disk.
    content : bytes
        All of the file.
    mode : int
        Permissions of the file, before the umask is taken off.

    Raises
    ------
    TombolaError
        The file cannot be written; nothing is left behind.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode & ~_umask())
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise TombolaError(_cannot_write(path, error)) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return path


def replace_dir_atomically(finished: Path | str, target: Path | str) -> Path:
    """Move a finished folder to its place, in exchange for the folder that may be there.

    Both must be on one file system: make `finished` beside `target`.

    Raises
    ------
    TombolaError
        The move failed; the former folder is back in its place.
    """
    finished, target = Path(finished), Path(target)
    former = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            # A folder in use cannot be renamed over, so it steps aside first.
            former = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.replace(former / "content")
        finished.replace(target)
    except OSError as error:
        if former is not None and (former / "content").exists() and not target.exists():
            (former / "content").replace(target)
        raise TombolaError(_cannot_write(target, error)) from error
    finally:
        if former is not None:
            shutil.rmtree(former, ignore_errors=True)
    return target


def _cannot_write(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror or error}"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
