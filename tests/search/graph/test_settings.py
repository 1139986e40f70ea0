"""Settings of graph searches: what the algorithms are, folding, and what is refused."""

import re

import pytest

from tombola.search.graph.settings import GraphSettings, algorithm
from tombola.spec.errors import ConfigError


def test_the_algorithms():
    multicoat = algorithm("gnn-multicoat")
    assert (multicoat.ranking, multicoat.coats) == ("abs", 3)
    authors = algorithm("gnn-multicoat", hyperparameters="authors")
    assert (authors.epochs, authors.learning_rate) == (400, 0.01)
    changed = algorithm("gnn-multicoat", hyperparameters="authors", epochs=9)
    assert (changed.epochs, changed.learning_rate) == (9, 0.01)
    assert multicoat.sparsities == pytest.approx((0.5, 2 / 3, 5 / 6))
    ugt = algorithm("gnn-ugt", sparsity=0.75)
    assert (ugt.ranking, ugt.sparsities) == ("raw", (0.75,))
    groups = algorithm("gnn-nm", keep_of_16=1)
    assert groups.sparsities == pytest.approx((15 / 16, 23 / 24, 47 / 48))


@pytest.mark.parametrize(
    ("layers", "stages", "weight_sets"),
    [
        (2, 0, [0, 1]),
        (3, 0, [0, 1, 2]),
        (3, 1, [0, 1, 2]),
        (6, 0, [0, 1, 2, 3, 4, 5]),
        (6, 1, [0, 1, 1, 1, 1, 2]),
        (6, 2, [0, 1, 1, 2, 2, 3]),
        (7, 2, [0, 1, 1, 1, 2, 2, 3]),
    ],
)
def test_stages_share_weight_sets(layers, stages, weight_sets):
    assert GraphSettings(layers=layers, stages=stages).weight_sets() == weight_sets


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2**64}, "seed must be between 0 and 18446744073709551615, not "),
        ({"layers": 1}, "layers must be at least 2, not 1"),
        ({"hidden": 0}, "hidden must be at least 1, not 0"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"coats": 0}, "coats must be between 1 and 127, not 0"),
        ({"coats": 128}, "coats must be between 1 and 127, not 128"),
        ({"model": "gat"}, "model must be gcn or gin, not 'gat'"),
        ({"ranking": "log"}, "ranking must be abs or raw, not 'log'"),
        ({"fold_masks": "no"}, "fold_masks must be own or shared, not 'no'"),
        ({"sparsity": 1.0}, "sparsity must be at least 0 and below 1, not 1"),
        ({"keep_of_16": 17}, "keep_of_16 must be between 0 and 16, not 17"),
        ({"stages": 2}, "stages must be between 0 and 1, the layers between the first and the las"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0 and at most 1e+37, not 0"),
    ],
)
def test_refused(change, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        GraphSettings(**change)


def test_an_unknown_algorithm():
    message = "algorithm 'gnn' is unknown; known: gnn-multicoat, gnn-ugt, gnn-nm"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        algorithm("gnn")
