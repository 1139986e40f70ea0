"""Graphs: the two citation networks, and what is said of a graph that breaks a rule."""

import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tombola.data import Graph, fetch, find, load, load_graph
from tombola.spec.errors import DataError


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.fixture
def triangle() -> Graph:
    """Three nodes that know each other and a fourth that knows nobody."""
    return Graph(
        name="triangle",
        features=2,
        starts=np.array([0, 1, 3, 4, 4]),
        columns=np.array([1, 0, 1, 0]),
        values=np.ones(4, dtype=np.float32),
        edges=np.array([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]]),
        labels=np.array([0, 1, 0, -1]),
        train=np.array([0]),
        validation=np.array([1]),
        test=np.array([2]),
        class_names=("a", "b"),
    )


@pytest.mark.parametrize(
    ("name", "nodes", "features", "edges", "splits", "classes"),
    [
        ("cora", 2708, 1433, 10556, (140, 500, 1000), [351, 217, 418, 818, 426, 298, 180]),
        ("citeseer", 3327, 3703, 9104, (120, 500, 1000), [249, 590, 668, 701, 596, 508]),
    ],
)
def test_citation_networks(name, nodes, features, edges, splits, classes):
    if find(name) is None:
        pytest.skip(f"{name} is not on this computer; TOMBOLA_DATA names a folder with {name}.npz")
    graph = load_graph(name)
    assert (graph.nodes, graph.features, graph.edges.shape[1]) == (nodes, features, edges)
    assert (len(graph.train), len(graph.validation), len(graph.test)) == splits
    labelled = graph.labels[graph.labels >= 0]
    assert np.bincount(labelled).tolist() == classes  # as the classes' names are usually counted
    assert len(graph.class_names) == len(classes)
    # 20 nodes a class to train on, which is what the Planetoid split is.
    assert np.bincount(graph.labels[graph.train]).tolist() == [20] * len(classes)
    assert (graph.values == 1).all()


def test_a_sound_graph(triangle):
    assert triangle.nodes == 4


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"starts": np.array([0, 1, 3, 4])}, "starts of features must rise from 0 to 4 over 5 "),
        ({"columns": np.array([1, 0, 2, 0])}, "columns of features must lie in 0..1"),
        ({"columns": np.array([1, 1, 0, 0])}, "columns of features must rise within a node"),
        ({"edges": np.array([[0, 4], [4, 0]])}, "edges must be two rows of nodes 0..3"),
        ({"edges": np.array([[0, 1], [0, 1]])}, "edges must not be loops"),
        ({"edges": np.array([[0, 1], [1, 2]])}, "edges must be listed once in each direction"),
        (
            {"edges": np.array([[0, 1, 0], [1, 0, 1]])},
            "edges must be listed once in each direction",
        ),
        ({"labels": np.array([0, 2, 0, 0])}, "labels must lie in -1..1"),
        ({"test": np.array([1])}, "splits must be disjoint and hold nodes 0..3"),
        ({"test": np.array([3])}, "nodes of the splits must have labels"),
    ],
)
def test_a_graph_that_breaks_a_rule(triangle, change, rule):
    with pytest.raises(DataError, match=f"^triangle: {re.escape(rule)}"):
        replace(triangle, **change)


def test_missing(empty_places, tmp_path):
    message = "cora is missing; put cora.npz into a folder and name it with --data-dir"
    with pytest.raises(DataError, match=exactly(message)):
        load_graph("cora")
    message = (
        "cora is in no package registry; put cora.npz into a folder and name it with --data-dir"
    )
    with pytest.raises(DataError, match=exactly(message)):
        fetch("cora")


def test_damaged(empty_places, tmp_path):
    path = tmp_path / "cora.npz"
    path.write_bytes(b"not a zip")
    with pytest.raises(DataError, match=r"^cannot read .*cora\.npz: .*; put cora\.npz into"):
        load_graph("cora", data_dir=tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.npy", b"")
    with pytest.raises(DataError, match=r"^cannot read .*cora\.npz: "):
        load_graph("cora", data_dir=tmp_path)


def test_one_value_changed(empty_places, tmp_path):
    members = {
        name: np.zeros(3, dtype=np.int64)
        for name in (
            "features_shape", "features_indptr", "features_indices", "features_data", "edge_index",
            "labels", "train_index", "val_index", "test_index",
        )
    }
    np.savez(tmp_path / "cora.npz", **members)
    with pytest.raises(DataError, match=r"is damaged: the SHA-256 of its arrays begins \w{8}, not"):
        load_graph("cora", data_dir=tmp_path)


def test_a_file_with_code_in_it_is_not_run(empty_places, tmp_path):
    np.savez(tmp_path / "cora.npz", features_shape=np.array([print], dtype=object))
    with pytest.raises(DataError, match=r"^cannot read .*: Object arrays cannot be loaded"):
        load_graph("cora", data_dir=tmp_path)


def test_graphs_and_images_are_not_mistaken():
    message = "digits holds images, not a graph; graphs are cora and citeseer"
    with pytest.raises(DataError, match=exactly(message)):
        load_graph("digits")
    if find("cora") is None:
        pytest.skip("cora is not on this computer")
    message = "cora is a graph, not images; tombola search --algorithm takes graphs"
    with pytest.raises(DataError, match=exactly(message)):
        load("cora")
