"""Edge weights of GCN and GIN on a graph of four nodes, by hand."""

import re

import numpy as np
import pytest

from tombola.search.graph.edges import FULL, convolution, isomorphism, of_model
from tombola.spec.errors import ConfigError

# 0 knows 1 and 2, which know each other; nobody knows 3.
EDGES = np.array([[0, 1, 0, 2, 1, 2], [1, 0, 2, 0, 2, 1]])
STAR = np.array([[0, 1, 0, 2, 0, 3], [1, 0, 2, 0, 3, 0]])


def dense(edges):
    matrix = np.zeros((4, 4))
    matrix[edges.targets, edges.sources] = edges.weights
    return matrix


def steps(matrix):
    """Real weights as the nearest integers, halves up."""
    return np.floor(FULL * np.array(matrix) + 0.5)


def test_full_is_the_largest_int8():
    assert FULL == 127


def test_convolution():
    third = 1 / 3  # each node of the triangle has degree 3 with its loop
    expected = [[third] * 3 + [0]] * 3 + [[0, 0, 0, 1]]
    found = convolution(EDGES, 4)
    assert np.array_equal(dense(found), steps(expected))
    assert dense(found)[0, 0] == 42
    assert found.weights.dtype == np.int8


def test_convolution_of_unequal_degrees():
    # Degrees with the loop: 4 in the middle, 2 at each end; 1 / sqrt(4 * 2) between them.
    between = 1 / np.sqrt(8)
    expected = [
        [1 / 4, between, between, between],
        [between, 1 / 2, 0, 0],
        [between, 0, 1 / 2, 0],
        [between, 0, 0, 1 / 2],
    ]
    assert np.array_equal(dense(convolution(STAR, 4)), steps(expected))
    assert dense(convolution(STAR, 4))[0].tolist() == [32, 45, 45, 45]


def test_isomorphism_takes_the_mean_of_the_neighbours():
    expected = [[1, 1 / 2, 1 / 2, 0], [1 / 2, 1, 1 / 2, 0], [1 / 2, 1 / 2, 1, 0], [0, 0, 0, 1]]
    assert np.array_equal(dense(isomorphism(EDGES, 4)), steps(expected))
    star = dense(isomorphism(STAR, 4))
    assert np.array_equal(star, steps([[1, 1 / 3, 1 / 3, 1 / 3], *np.eye(4)[1:]]) + steps(
        [[0] * 4, [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    ))


def test_the_list_of_a_run():
    edges = convolution(EDGES, 4)
    listed = edges.list()
    assert listed.shape == (3, 10)
    matrix = np.zeros((4, 4))
    matrix[listed[1], listed[0]] = listed[2]
    assert np.array_equal(matrix, dense(edges))


def test_an_unknown_model():
    with pytest.raises(ConfigError, match=f"^{re.escape('model must be gcn or gin, not ')}'gat'$"):
        of_model("gat", EDGES, 4)
