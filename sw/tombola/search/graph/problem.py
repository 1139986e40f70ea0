"""One graph as the search takes it: 8-bit features, labels, and the nodes of each split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tombola.spec.errors import ConfigError

FEATURE_STEPS = 255
"""A feature of 1, which a node with a single feature has, in steps of a byte."""


@dataclass(frozen=True, kw_only=True)
class GraphProblem:
    """A graph whose nodes are to be classified, some of them with a known class.

    The features of a node, divided by their sum, are rounded to bytes; they stay sparse.

    Attributes
    ----------
    features : int
        Columns of the features.
    rows, columns : int64 array (entries,)
    values : uint8 array (entries,)
        In steps of 1/255.
    edges : int64 array (2, edges)
        Sources and targets, both directions, no loops.
    labels : int64 tensor (nodes,)
    train, validation, test : int64 tensor (nodes of the split,)
    class_names : tuple of str
    """

    features: int
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    edges: np.ndarray
    labels: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor
    class_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        *,
        features: int,
        starts: np.ndarray,
        columns: np.ndarray,
        values: np.ndarray,
        edges: np.ndarray,
        labels: np.ndarray,
        splits: Sequence[np.ndarray],
        class_names: Sequence[str],
    ) -> "GraphProblem":
        """From the arrays of a data set: features compressed by rows, and three splits.

        Raises
        ------
        ConfigError
            If a feature is negative: after ReLU and as bytes they are not.
        """
        if len(values) and values.min() < 0:
            raise ConfigError(f"features must not be negative, not {values.min():g}")
        rows = np.repeat(np.arange(len(labels)), np.diff(starts))
        sums = np.bincount(rows, weights=values, minlength=len(labels))
        normalised = values / np.where(sums > 0, sums, 1)[rows]
        train, validation, test = (torch.from_numpy(np.array(split)) for split in splits)
        return cls(
            features=features,
            rows=rows,
            columns=columns,
            values=np.floor(FEATURE_STEPS * normalised + 0.5).astype(np.uint8),
            edges=edges,
            labels=torch.from_numpy(np.array(labels)),
            train=train,
            validation=validation,
            test=test,
            class_names=tuple(class_names),
        )

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.labels)

    def image(self) -> np.ndarray:
        """Uint8 array (1, features, nodes, 1): the features as a ticket's input takes them."""
        image = np.zeros((1, self.features, self.nodes, 1), dtype=np.uint8)
        image[0, self.columns, self.rows, 0] = self.values
        return image
