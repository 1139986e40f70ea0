"""The table of a sweep and the front of its picture."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tombola.sweep import pareto, table
from tombola.sweep.grid import Axis, trials

TRIALS = trials(Axis.parse(text) for text in ("preset=a", "sparsity=0.3,0.5", "seed=1,2"))


def result(accuracy, size):
    return {
        "float_accuracy": accuracy + 0.01,
        "integer_accuracy": accuracy,
        "model_bytes": size,
    }


RESULTS = {
    TRIALS[0]: result(0.8, 100),
    TRIALS[1]: result(0.9, 102),
    TRIALS[2]: {"error": "lower prune"},
}


def test_repetitions_are_gathered():
    first, second = table.summary(TRIALS, RESULTS)
    assert first["configuration"] == {"sparsity": "0.3"}
    assert first["seeds"] == 2
    assert first["accuracy"] == pytest.approx(0.85)
    assert first["deviation"] == pytest.approx(0.0707, abs=1e-4)
    assert first["model_bits"] == 808
    assert (second["seeds"], second["accuracy"], second["model_bits"]) == (0, None, None)


def test_without_a_ticket_the_float_accuracy_counts():
    assert table.accuracy({"float_accuracy": 0.7, "integer_accuracy": None}) == 0.7


def test_both_files_have_a_row_a_trial(tmp_path):
    table.write(TRIALS, RESULTS, tmp_path)
    document = json.loads((tmp_path / "results.json").read_text())
    assert [row["state"] for row in document["rows"]] == ["done", "done", "failed", "open"]
    assert document["varied"] == ["sparsity", "seed"]
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["1", "2", "1", "2"]
    assert rows[0]["integer_accuracy"] == "0.8"
    assert rows[2]["error"] == "lower prune"
    assert rows[3]["model_bytes"] == ""


def test_front_by_hand():
    #         beaten     best      smallest    larger, no better   tie in size
    points = [(5, 0.7), (4, 0.8), (1, 0.5), (9, 0.8), (4, 0.75)]
    assert pareto.front(points) == [2, 1]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=12))
def test_front_is_what_nothing_beats(points):
    kept = {points[index] for index in pareto.front(points)}
    beaten = {
        (size, good)
        for size, good in points
        for other, better in points
        if other <= size and better >= good and (other, better) != (size, good)
    }
    assert kept == set(points) - beaten


def test_picture_leaves_out_what_is_not_there(tmp_path):
    gathered = table.summary(TRIALS, RESULTS)
    pareto.draw(gathered, tmp_path / "p.png", title="t")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert pareto.front_of(gathered) == [0]
    pareto.draw(table.summary(TRIALS, {}), tmp_path / "q.png", title="nothing yet")
