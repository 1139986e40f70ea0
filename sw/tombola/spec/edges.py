"""The edges of a graph, an input of a run beside its features, and the sums over them."""

import numpy as np

from tombola.spec.arithmetic import signed_range
from tombola.spec.errors import ConfigError
from tombola.spec.layer_rules import MAX_SIDE

WEIGHT_BITS = 8


def checked_edges(edges: np.ndarray | None, *, nodes: int) -> np.ndarray:
    """Int64 array (3, edges): sources, targets and weights of a graph of so many nodes.

    Raises
    ------
    ConfigError
        If there are none, or one names another node, is no int8, or is one too many into a node.
    """
    if edges is None:
        raise ConfigError("the ticket aggregates over a graph; give the edges of one")
    if edges.ndim != 2 or len(edges) != 3 or edges.dtype.kind not in "iu":
        raise ConfigError(
            f"edges must be integers of shape (3, edges), not {edges.dtype} of {edges.shape}"
        )
    edges = edges.astype(np.int64)
    if not edges.size:
        return edges
    ends, weights = edges[:2], edges[2]
    if ends.min() < 0 or ends.max() >= nodes:
        raise ConfigError(f"edges must join nodes 0 to {nodes - 1}, not {ends.min()}..{ends.max()}")
    low, high = signed_range(WEIGHT_BITS)
    if weights.min() < low or weights.max() > high:
        raise ConfigError(f"edge weights must lie in {low}..{high}")
    if np.bincount(ends[1]).max() > MAX_SIDE:
        raise ConfigError(f"at most {MAX_SIDE} edges may lead into one node")
    return edges


def aggregate(source: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """For each node, a position, the weighted sum over the edges that lead into it.

    Parameters
    ----------
    source : int64 array (batch, channels, height, width)
    edges : int64 array (3, edges), as `checked_edges` returns them
    """
    values = source.reshape(*source.shape[:2], -1)
    sums = np.zeros_like(values)
    for origin, target, weight in edges.T:
        sums[:, :, target] += weight * values[:, :, origin]
    return sums.reshape(source.shape)
