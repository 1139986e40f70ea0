"""A small random graph whose two classes are easy to tell apart."""

import numpy as np
import pytest

from tombola.search.graph.problem import GraphProblem

NODES, WORDS, CLASSES = 60, 20, 3


@pytest.fixture(scope="session")
def problem() -> GraphProblem:
    """60 nodes in 3 classes; a node's words and neighbours are mostly those of its class."""
    rng = np.random.default_rng(5)
    labels = np.arange(NODES) % CLASSES
    chance = np.where(np.arange(WORDS) % CLASSES == labels[:, None], 0.4, 0.1)
    has = rng.random((NODES, WORDS)) < chance
    rows, columns = np.nonzero(has)
    near = np.where(labels[:, None] == labels, 0.15, 0.02)
    pairs = np.triu(rng.random((NODES, NODES)) < near, 1)
    edges = np.stack(np.nonzero(pairs | pairs.T))
    order = rng.permutation(NODES)
    return GraphProblem.of(
        features=WORDS,
        starts=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=NODES))]),
        columns=columns,
        values=np.ones(len(columns), dtype=np.float32),
        edges=edges,
        labels=labels,
        splits=(order[:15], order[15:30], order[30:]),
        class_names=("a", "b", "c"),
    )
