"""Cora and Citeseer: papers that cite each other, their words, and the split of Planetoid."""

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np

from ..spec.errors import DataError
from .graph import Graph
from .source import Source

__all__ = ["CITESEER", "CORA"]

# The members of a file, in the order in which its checksum takes them.
MEMBERS = (
    "features_shape", "features_indptr", "features_indices", "features_data", "edge_index",
    "labels", "train_index", "val_index", "test_index",
)
# A checkout may have a folder of shared data beside it.
BESIDE = Path(__file__).parents[4] / "shared" / "data"


def _arrays(path: Path, *, digest: str) -> dict[str, np.ndarray]:
    """The members of an npz file, whose contents are compared with a checksum.

    The checksum is of types, shapes and values, since a zip can be compressed in many ways.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in MEMBERS}
    # NumPy says ValueError for a member that would need pickle, KeyError for a missing one.
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}") from error
    found = sha256()
    for name, array in arrays.items():
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    if found.hexdigest() != digest:
        raise DataError(
            f"{path} is damaged: the SHA-256 of its arrays begins {found.hexdigest()[:8]}, "
            f"not {digest[:8]}"
        )
    return arrays


def _graph(folder: Path, *, name: str, digest: str, class_names: tuple[str, ...]) -> Graph:
    arrays = _arrays(folder / f"{name}.npz", digest=digest)
    integers = {key: array.astype(np.int64) for key, array in arrays.items()}
    return Graph(
        name=name,
        features=int(integers["features_shape"][1]),
        starts=integers["features_indptr"],
        columns=integers["features_indices"],
        values=arrays["features_data"],
        edges=integers["edge_index"],
        labels=integers["labels"],
        train=integers["train_index"],
        validation=integers["val_index"],
        test=integers["test_index"],
        class_names=class_names,
    )


def _source(name: str, *, title: str, digest: str, class_names: tuple[str, ...]) -> Source:
    return Source(
        name=name,
        title=title,
        files=(f"{name}.npz",),
        read=lambda folder: _graph(folder, name=name, digest=digest, class_names=class_names),
        download=None,
        system_folders=(BESIDE,),
    )


CORA = _source(
    "cora",
    title="Cora, a graph of 2,708 papers in 7 classes, 1,433 words, Planetoid split",
    digest="1bf483a89f6840b6240cca4bc465a50abf35462796aec2d5e3ec83b964ed9699",
    class_names=(
        "Theory", "Reinforcement Learning", "Genetic Algorithms", "Neural Networks",
        "Probabilistic Methods", "Case Based", "Rule Learning",
    ),
)
CITESEER = _source(
    "citeseer",
    title="Citeseer, a graph of 3,327 papers in 6 classes, 3,703 words, Planetoid split",
    digest="8835ee3ec6222922f6d10988458353535d498dfc2700c0e053ece647190bc9b1",
    class_names=("AI", "ML", "IR", "DB", "Agents", "HCI"),
)
