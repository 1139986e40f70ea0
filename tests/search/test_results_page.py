"""docs/results.md is what its records say, and the records meet what was promised."""

import importlib.util
import json
import statistics
import sys
from pathlib import Path

import pytest

from tombola.search.allocation import Allocation
from tombola.search.settings import SearchSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS / "records"))  # the scripts import each other


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / "records" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(name):
    return json.loads((DOCS / "records" / f"{name}.json").read_text())


def test_the_page_is_generated():
    page = (DOCS / "results.md").read_text()
    assert page == script("render").render(), "run: python docs/records/render.py"


@pytest.mark.parametrize("name", script("record").EXPERIMENTS)
def test_records_are_whole(name):
    found = record(name)
    experiment = script("record").EXPERIMENTS[name]
    assert found["name"] == name
    assert found["command"] == experiment.command
    assert found["algorithm"] == experiment.algorithm
    assert [run["seed"] for run in found["runs"]] == found["seeds"] == list(experiment.seeds)
    assert "torch" in found["environment"]
    for run in found["runs"]:
        if run["integer_accuracy"] is not None:
            bits = 64 + run["mask_bits"] + run["requantisation_bits"]
            assert run["model_bits"] == bits <= 8 * run["ticket_bytes"]
    for key, summary in found["summary"].items():
        values = [run[key] for run in found["runs"]]
        assert summary["mean"] == pytest.approx(statistics.mean(values))
        assert summary["deviation"] == pytest.approx(statistics.stdev(values))


def test_every_record_is_on_the_page():
    assert set(script("render").EXPERIMENTS) == set(script("record").EXPERIMENTS)


@pytest.mark.parametrize("found", script("render").configurations(), ids=lambda x: x["name"])
def test_configurations_hold(found):
    """What was not run here can at least be built, and its settings are those of a search."""
    size = script("render").counted(found)
    assert 0 < size.mask_bits < size.seed_and_mask_bits < size.dense_bits()
    allocation = Allocation(found["search"].get("allocation", "uniform"))
    settings = SearchSettings(**{**found["search"], "allocation": allocation})
    assert settings.sparsity == found["size"]["sparsities"][0]
    page = (DOCS / "results.md").read_text()
    assert f"| {found['name']} |" in page[page.index("## Not run here") :]


def test_accuracies():
    for run in record("fmnist-cnn")["runs"]:
        assert run["integer_accuracy"] >= 0.89
    for run in record("digits-cnn")["runs"]:
        assert run["integer_accuracy"] >= 0.95
    assert record("fmnist-cnn")["settings"]["epochs"] <= 10
    for name in ("digits-cnn", "fmnist-cnn", "fmnist-cnn-frozen", "fmnist-mlp-stream"):
        for run in record(name)["runs"]:
            assert abs(run["integer_accuracy"] - run["float_accuracy"]) <= 0.005


def test_sizes():
    for run in record("fmnist-cnn-frozen")["runs"]:
        assert run["mask_bits"] <= 0.31 * run["weights"]
    for name in ("fmnist-cnn", "fmnist-cnn-frozen"):
        for run in record(name)["runs"]:
            parts = -(-run["mask_bits"] // 8) + run["requantisation_bits"] // 8
            assert run["ticket_bytes"] <= parts + 4096


def test_the_stream_is_as_good_as_pytorchs_generator():
    ours, theirs = (record(f"fmnist-mlp-{name}")["summary"] for name in ("stream", "torch"))
    ours, theirs = ours["float_accuracy"], theirs["float_accuracy"]
    spread = max(ours["deviation"], theirs["deviation"])
    assert abs(ours["mean"] - theirs["mean"]) <= max(spread, 0.002)
