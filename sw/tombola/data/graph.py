"""A graph in memory: features and a label for each node, edges, and which nodes train and test."""

from dataclasses import dataclass

import numpy as np

from ..spec.errors import DataError

__all__ = ["UNLABELLED", "Graph"]

UNLABELLED = -1
"""Label of a node whose class nobody knows; such a node is in no split."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph as it is stored, before any normalisation.

    Features are compressed by rows: those of node i are `columns[starts[i]:starts[i + 1]]`, with
    the values at the same places.

    Attributes
    ----------
    name : str
        The name under which `load_graph` knows it.
    features : int
        Columns of the features.
    starts : int64 array (nodes + 1,)
    columns : int64 array (entries,)
        Rising within a node.
    values : float32 array (entries,)
    edges : int64 array (2, edges)
        Sources and targets: both directions of each edge, no loops, none twice.
    labels : int64 array (nodes,)
        Each an index into `class_names`, or `UNLABELLED`.
    train, validation, test : int64 array (nodes of the split,)
        Disjoint, all of them labelled.
    class_names : tuple of str
        One name per class, in the order of the labels.

    Raises
    ------
    DataError
        An array breaks one of these rules.
    """

    name: str
    features: int
    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    edges: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self):
        self._check_features()
        self._check_edges()
        self._check_labels()

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.labels)

    def _require(self, holds: bool, rule: str) -> None:
        if not holds:
            raise DataError(f"{self.name}: {rule}")

    def _check_features(self) -> None:
        starts, columns = self.starts, self.columns
        self._require(
            starts.shape == (self.nodes + 1,) and starts[0] == 0 and (np.diff(starts) >= 0).all()
            and starts[-1] == len(columns) == len(self.values),
            f"starts of features must rise from 0 to {len(columns)} over {self.nodes + 1} entries",
        )
        self._require(
            not len(columns) or (columns.min() >= 0 and columns.max() < self.features),
            f"columns of features must lie in 0..{self.features - 1}",
        )
        node = np.repeat(np.arange(self.nodes), np.diff(starts))
        place = node * self.features + columns
        self._require((np.diff(place) > 0).all(), "columns of features must rise within a node")

    def _check_edges(self) -> None:
        edges, nodes = self.edges, self.nodes
        self._require(
            edges.ndim == 2 and len(edges) == 2
            and (not edges.size or (edges.min() >= 0 and edges.max() < nodes)),
            f"edges must be two rows of nodes 0..{nodes - 1}",
        )
        self._require((edges[0] != edges[1]).all(), "edges must not be loops")
        there, back = edges[0] * nodes + edges[1], edges[1] * nodes + edges[0]
        self._require(
            len(np.unique(there)) == len(there) and np.array_equal(np.sort(there), np.sort(back)),
            "edges must be listed once in each direction",
        )

    def _check_labels(self) -> None:
        classes = len(self.class_names)
        self._require(
            self.nodes > 0 and self.labels.min() >= UNLABELLED and self.labels.max() < classes,
            f"labels must lie in {UNLABELLED}..{classes - 1}",
        )
        chosen = np.concatenate([self.train, self.validation, self.test])
        self._require(
            min(map(len, (self.train, self.validation, self.test))) > 0
            and chosen.min() >= 0 and chosen.max() < self.nodes
            and len(np.unique(chosen)) == len(chosen),
            f"splits must be disjoint and hold nodes 0..{self.nodes - 1}",
        )
        self._require((self.labels[chosen] >= 0).all(), "nodes of the splits must have labels")
