"""Whole searches over a small graph: files, the chosen epoch, the same bytes again."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tombola.model.integer import IntegerModel
from tombola.search.graph.edges import of_model
from tombola.search.graph.search import search_graph
from tombola.search.graph.settings import algorithm
from tombola.spec import reference, ticket_file
from tombola.spec.errors import ConfigError

SMALL = {"hidden": 32, "epochs": 24, "learning_rate": 0.01, "seed": 3}


def run(problem, out, name="gnn-multicoat", *, resume=False, observer=None, **changes):
    settings = algorithm(name, **{**SMALL, **changes})
    return search_graph(
        settings, problem, name=name, dataset="small", out=out, resume=resume, observer=observer
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "gin"},
        {"name": "gnn-ugt"},
        {"name": "gnn-nm", "keep_of_16": 4},
        {"layers": 4, "stages": 1},
        {"layers": 4, "stages": 1, "fold_masks": "shared"},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())) or "gcn",
)
def test_the_ticket_computes_what_the_search_measured(problem, tmp_path, changes):
    result = run(problem, tmp_path, **changes)
    assert result.integer_accuracy == result.float_accuracy
    ticket = ticket_file.load(result.ticket)
    edges = of_model(changes.get("model", "gcn"), problem.edges, problem.nodes).list()
    logits = reference.logits(ticket, problem.image(), edges=edges).reshape(-1, problem.nodes)
    exact = IntegerModel(ticket, edges=edges).logits(problem.image()).reshape(-1, problem.nodes)
    assert np.array_equal(exact.numpy(), logits)
    right = (logits.argmax(axis=0) == problem.labels.numpy())[problem.test.numpy()]
    assert right.mean() == result.integer_accuracy
    assert ticket.provenance["integer_accuracy"] == result.integer_accuracy


def test_something_is_found(problem, tmp_path):
    assert run(problem, tmp_path).float_accuracy > 0.6  # a guess is right one time in three


def test_the_best_epoch_on_the_validation_nodes(problem, tmp_path):
    result = run(problem, tmp_path)
    validated = [found.validation_accuracy for found in result.history]
    assert result.epoch == validated.index(max(validated)) + 1
    found = result.history[result.epoch - 1]
    assert result.validation_accuracy == found.validation_accuracy
    assert result.float_accuracy == found.test_accuracy
    assert result.last_accuracy == result.history[-1].test_accuracy
    assert result.epoch < len(result.history)  # so that the last scores are not the best ones


def test_test_labels_choose_nothing(problem, tmp_path):
    labels = problem.labels.clone()
    labels[problem.test] = (labels[problem.test] + 1) % 3
    first = run(problem, tmp_path / "a")
    second = run(replace(problem, labels=labels), tmp_path / "b")
    assert first.epoch == second.epoch
    assert first.float_accuracy != second.float_accuracy
    ours, theirs = (ticket_file.load(x.ticket) for x in (first, second))
    for mask, other in zip(ours.masks, theirs.masks, strict=True):
        assert np.array_equal(mask.bits, other.bits)


def test_files(problem, tmp_path):
    result = run(problem, tmp_path)
    assert result.ticket == tmp_path / "gnn-multicoat-small.ticket"
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 24
    assert set(json.loads(lines[0])) == {
        "epoch", "loss", "train_accuracy", "validation_accuracy", "test_accuracy", "seconds",
    }
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "checkpoint.pt").exists()


def test_the_same_bytes_again_stopped_or_not(problem, tmp_path):
    whole = run(problem, tmp_path / "whole", dropout=0.3).ticket.read_bytes()
    assert run(problem, tmp_path / "again", dropout=0.3).ticket.read_bytes() == whole
    assert run(problem, tmp_path / "other", dropout=0.3, seed=4).ticket.read_bytes() != whole

    class Stop(Exception):
        pass

    class Observer:
        def step(self, *, epoch, step, steps):
            if epoch == 22:
                raise Stop

        def epoch(self, history):
            pass

    with pytest.raises(Stop):
        run(problem, tmp_path / "stopped", observer=Observer(), dropout=0.3)
    resumed = run(problem, tmp_path / "stopped", resume=True, dropout=0.3)
    assert [found.epoch for found in resumed.history] == list(range(1, 25))
    assert resumed.ticket.read_bytes() == whole


def test_a_checkpoint_of_another_search(problem, tmp_path):
    run(problem, tmp_path)
    message = f"{tmp_path / 'checkpoint.pt'} is of a search with hidden 32, not 16; give the same"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        run(problem, tmp_path, hidden=16, resume=True)


def test_coats_are_coded_where_the_coat_before_is(problem, tmp_path):
    result = run(problem, tmp_path, epochs=2)
    weights = 20 * 32 + 32 * 32 + 32 * 3
    assert result.size["weights"] == result.size["layer_weights"] == weights
    nested = weights + (weights - int(weights / 2)) + (weights - int(weights * 2 / 3))
    assert result.size["mask_bits"] == nested
    assert result.size["dense_bytes"] == 4 * weights


def test_what_folding_saves(problem, tmp_path):
    deep = {"layers": 5, "epochs": 2}
    own = run(problem, tmp_path / "own", stages=1, **deep).size
    shared = run(problem, tmp_path / "shared", stages=1, fold_masks="shared", **deep).size
    free = run(problem, tmp_path / "free", **deep).size
    assert own["dense_bytes"] == shared["dense_bytes"] == free["dense_bytes"]
    # Masks of their own cost as much as without folding; the weights to be drawn are fewer.
    assert own["mask_bits"] == free["mask_bits"] > shared["mask_bits"]
    assert own["weights"] == shared["weights"] == free["weights"] - 2 * 32 * 32
