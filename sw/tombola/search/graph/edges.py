"""Edge weights of graph networks, as the 8-bit integers that a chip sums with."""

from dataclasses import dataclass

import numpy as np

from tombola.spec.arithmetic import signed_range
from tombola.spec.errors import ConfigError

WEIGHT_BITS = 8
FULL = signed_range(WEIGHT_BITS)[1]
"""Integer of the edge weight 1, the largest there is."""


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Weighted edges, loops included; node `targets[i]` takes in `weights[i] / FULL` of its source.

    Attributes
    ----------
    sources, targets : int64 array (edges,)
    weights : int8 array (edges,)
    """

    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def list(self) -> np.ndarray:
        """Int64 array (3, edges): sources, targets and weights, as a run of a ticket takes them."""
        return np.stack([self.sources, self.targets, self.weights.astype(np.int64)])


def convolution(edges: np.ndarray, nodes: int) -> Edges:
    """GCN: ``D^-1/2 (A + I) D^-1/2``, D being the degrees with the loop.

    Source: Kipf and Welling, "Semi-supervised classification with graph convolutional networks",
    2017.

    Parameters
    ----------
    edges : int64 array (2, edges)
        Sources and targets, both directions, no loops.
    nodes : int
    """
    degrees = np.bincount(edges[1], minlength=nodes) + 1.0
    return _with_loops(
        edges,
        nodes,
        weights=1 / np.sqrt(degrees[edges[0]] * degrees[edges[1]]),
        loops=1 / degrees,
    )


def isomorphism(edges: np.ndarray, nodes: int) -> Edges:
    """GIN: ``I + D^-1 A``, a node and the mean of its neighbours.

    Source: Xu et al., "How powerful are graph neural networks?", 2019, with the mean instead of the
    sum, which 8 bits could not hold for a node of many neighbours. Parameters as `convolution`.
    """
    degrees = np.bincount(edges[1], minlength=nodes)
    return _with_loops(edges, nodes, weights=1 / degrees[edges[1]], loops=np.ones(nodes))


MODELS = {"gcn": convolution, "gin": isomorphism}
"""Graph networks by name; they differ in how a node takes in its neighbours."""


def of_model(model: str, edges: np.ndarray, nodes: int) -> Edges:
    """The edges of a model by name.

    Raises
    ------
    ConfigError
        With the names there are.
    """
    if model not in MODELS:
        raise ConfigError(f"model must be {' or '.join(MODELS)}, not {model!r}")
    return MODELS[model](edges, nodes)


def _with_loops(
    edges: np.ndarray, nodes: int, *, weights: np.ndarray, loops: np.ndarray
) -> Edges:
    own = np.arange(nodes)
    real = np.concatenate([weights, loops])
    return Edges(
        sources=np.concatenate([edges[0], own]),
        targets=np.concatenate([edges[1], own]),
        weights=np.floor(FULL * real + 0.5).astype(np.int8),
    )
