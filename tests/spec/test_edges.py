"""Sums over the edges of a graph: by hand, and the edges that are refused."""

import re

import numpy as np
import pytest

from tombola.spec.edges import aggregate, checked_edges
from tombola.spec.errors import ConfigError

PATH = np.array([[0, 1, 1, 2, 0], [1, 0, 2, 1, 0], [2, -3, 5, 1, 100]])
"""Nodes 0 - 1 - 2 with a loop at 0; nobody knows node 3."""


def test_by_hand():
    source = np.array([[[7, 10, -4, 9], [1, 0, 2, 3]]])[:, :, :, None]
    sums = aggregate(source, checked_edges(PATH, nodes=4))
    expected = [
        [-3 * 10 + 100 * 7, 2 * 7 + 1 * -4, 5 * 10, 0],
        [100 * 1, 2 * 1 + 1 * 2, 0, 0],
    ]
    assert sums[0, :, :, 0].tolist() == expected


def test_an_edge_listed_twice_counts_twice():
    edges = np.array([[0, 0], [1, 1], [3, 3]])
    sums = aggregate(np.array([[[[5], [0]]]]), edges)
    assert sums.flatten().tolist() == [0, 30]


def test_nodes_are_positions_row_by_row():
    source = np.arange(6).reshape(1, 1, 2, 3)
    edges = np.array([[5], [1], [1]])
    assert aggregate(source, edges)[0, 0].tolist() == [[0, 5, 0], [0, 0, 0]]


def test_no_edges():
    edges = checked_edges(np.zeros((3, 0), dtype=np.int64), nodes=2)
    assert aggregate(np.ones((1, 1, 2, 1), dtype=np.int64), edges).tolist() == [[[[0], [0]]]]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (None, "the ticket aggregates over a graph; give the edges of one"),
        (np.zeros((2, 3), int), "edges must be integers of shape (3, edges), not int64 of (2, 3)"),
        (np.zeros((3, 1)), "edges must be integers of shape (3, edges), not float64 of (3, 1)"),
        (np.array([[0], [4], [1]]), "edges must join nodes 0 to 3, not 0..4"),
        (np.array([[-1], [0], [1]]), "edges must join nodes 0 to 3, not -1..0"),
        (np.array([[0], [1], [128]]), "edge weights must lie in -128..127"),
        (np.array([[0], [1], [-129]]), "edge weights must lie in -128..127"),
        (np.ones((3, 65537), dtype=np.int8), "at most 65536 edges may lead into one node"),
    ],
)
def test_refused(edges, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        checked_edges(edges, nodes=4)


def test_as_many_edges_as_the_rules_of_a_ticket_count_on():
    assert checked_edges(np.ones((3, 65536), dtype=np.int8), nodes=4).shape == (3, 65536)
