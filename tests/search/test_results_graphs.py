"""The records of graph networks are whole and meet what was promised."""

import importlib
import json
import statistics
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "records"
sys.path.insert(0, str(FOLDER))  # the scripts import each other
graphs = importlib.import_module("graphs")
RECORDS = sorted((FOLDER / "graphs").glob("*.json"))


def record(name):
    return json.loads((FOLDER / "graphs" / f"{name}.json").read_text())


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_records_are_whole(path):
    found = json.loads(path.read_text())
    assert found["name"] == path.stem
    assert found["command"] == graphs.EXPERIMENTS[path.stem].command
    assert [run["seed"] for run in found["runs"]] == found["seeds"] == list(graphs.SEEDS)
    for run in found["runs"]:
        assert abs(run["integer_accuracy"] - run["float_accuracy"]) <= 0.002
        assert run["seed_and_mask_bytes"] == -(-(64 + run["mask_bits"]) // 8)
    for key, summary in found["summary"].items():
        values = [run[key] for run in found["runs"]]
        assert summary["mean"] == pytest.approx(statistics.mean(values))
        assert summary["deviation"] == pytest.approx(statistics.stdev(values))


@pytest.mark.parametrize(
    ("name", "least", "epochs"),
    [("cora", 0.80, 40), ("cora-authors", 0.80, 400), ("citeseer", 0.66, 40)],
)
def test_accuracies(name, least, epochs):
    found = record(name)
    assert found["summary"]["integer_accuracy"]["mean"] >= least
    assert found["settings"]["epochs"] == epochs


def test_sharing_weights_saves_no_mask_and_sharing_masks_does():
    unfolded, folded, shared = (
        record(name)["runs"][0] for name in ("cora-deep", "cora-deep-folded", "cora-deep-shared")
    )
    assert folded["weights"] < unfolded["weights"] == folded["layer_weights"]
    assert folded["seed_and_mask_bytes"] == unfolded["seed_and_mask_bytes"]
    assert shared["seed_and_mask_bytes"] < folded["seed_and_mask_bytes"]
