"""The records of graph networks are whole and meet what was promised."""

import importlib
import statistics
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
sys.path.insert(0, str(DOCS / "records"))  # the scripts import each other
GRAPHS = importlib.import_module("graphs")
RECORDS = GRAPHS.records()


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_whole(name):
    found, experiment = RECORDS[name], GRAPHS.EXPERIMENTS[name]
    assert found["command"] == experiment.command
    assert [run["seed"] for run in found["runs"]] == found["seeds"] == list(GRAPHS.SEEDS)
    assert "torch" in found["environment"]
    settings = found["settings"]
    for run in found["runs"]:
        assert run["integer_accuracy"] == run["float_accuracy"]
        assert 1 <= run["epoch"] <= settings["epochs"]
        assert run["seed_and_mask_bytes"] == -(-(64 + run["mask_bits"]) // 8)
        assert run["model_bytes"] < run["ticket_file_bytes"] < run["dense_bytes"] / 8
        if not settings["keep_of_16"] and settings["fold_masks"] == "own":
            assert run["dropped"] == pytest.approx(settings["sparsity"], abs=1e-5)
    for key, summary in found["summary"].items():
        values = [run[key] for run in found["runs"]]
        assert summary["mean"] == pytest.approx(statistics.mean(values))
        assert summary["deviation"] == pytest.approx(statistics.stdev(values))


def test_no_record_is_left_out():
    assert {path.stem for path in GRAPHS.HERE.glob("*.json")} == set(RECORDS)


def test_accuracies():
    for name, least in {"cora": 0.80, "citeseer": 0.66}.items():
        assert RECORDS[name]["summary"]["integer_accuracy"]["mean"] >= least
        assert RECORDS[name]["settings"]["sparsity"] == 0.5
