"""Fashion-MNIST from Debian's archive: 70,000 grey images of clothes."""

import shutil
from pathlib import Path

from .download import run_tool
from .idx import FILES, read_idx_dataset
from .source import Source

__all__ = ["SOURCE"]

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")

# Of the decompressed files, in the order of `FILES`; Debian recompresses them.
DIGESTS = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)


def _read(folder: Path):
    return read_idx_dataset(folder, name="fmnist", digests=DIGESTS, class_names=CLASS_NAMES)


def _download(folder: Path) -> None:
    """Takes the package apart instead of installing it, so that nobody needs to be root."""
    way_out = f"put {FILES[0]}.gz and its three sisters into a folder and pass it as --data-dir"
    run_tool(
        ("apt-get", "download", PACKAGE), cwd=folder, way_out=way_out,
        hints={
            "Unable to locate package": "run apt-get update as root",
            "Can't find a source": "run apt-get update as root",
        },
    )
    (package,) = folder.glob(f"{PACKAGE}_*.deb")
    run_tool(("dpkg-deb", "--extract", package.name, "tree"), cwd=folder, way_out=way_out)
    package.unlink()
    tree = folder / "tree"
    for name in FILES:
        shutil.move(tree / INSTALLED.relative_to("/") / f"{name}.gz", folder)
    shutil.rmtree(tree)


SOURCE = Source(
    name="fmnist",
    aliases=("fashion-mnist",),
    title="Fashion-MNIST, 28x28 grey, 60,000 + 10,000 images",
    files=FILES,
    read=_read,
    download=_download,
    megabytes=31,
    system_folders=(INSTALLED,),
)
