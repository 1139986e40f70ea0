"""Studies run each search once, and their records are whole and meet what was promised."""

import importlib
import json
import statistics
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "records"
sys.path.insert(0, str(FOLDER))  # the scripts import each other
trials, freezing, page, by_sparsity, by_algorithm = map(
    importlib.import_module,
    ("trials", "freezing", "freezing_page", "by_sparsity", "by_algorithm"),
)
STUDIES = ("by_sparsity", "by_algorithm", "allocations", "freezing")


def accuracies(found):
    return [one["integer_accuracy"] for one in found]


def test_a_study_runs_each_search_once_and_asks_again(tmp_path, monkeypatch):
    ran = []

    def run(one, work):
        ran.append(trials.option(one, "seed"))
        (work / one.name).mkdir()
        (work / one.name / "result.json").write_text("{}")
        return {}

    monkeypatch.setattr(trials, "run", run)

    def study(results):
        first = trials.trial(seed=1)
        return [first, *([trials.trial(seed=2)] if first in results else [])]

    assert len(trials.finish(study, tmp_path, minutes=1)) == 2
    assert len(trials.finish(study, tmp_path, minutes=0)) == 2
    assert ran == ["1", "2"]


def test_no_search_begins_after_the_time(tmp_path):
    assert trials.finish(lambda results: [trials.trial(seed=1)], tmp_path, minutes=0) == {}


def test_a_search_and_its_bits(tmp_path):
    one = trials.trial(preset="digits-cnn", epochs=1, seed=1)
    found = trials.run(one, tmp_path)
    assert trials.load(tmp_path, [one]) == {one: found}
    assert 0 <= found["integer_accuracy"] <= 1
    assert found["mask_bits"] == found["weights"] == 25744
    assert trials.command(one) == "tombola search --preset digits-cnn --epochs 1 --seed 1 --out DIR"


def test_a_search_that_is_refused_says_why(tmp_path):
    one = trials.trial(preset="vgg")
    found = trials.run(one, tmp_path)
    assert found["error"].startswith("tombola: error: preset 'vgg' is unknown")
    assert trials.load(tmp_path, [one]) == {one: found}
    assert trials.accuracy(found) == 0


def test_the_best_target_is_that_of_the_first_seed():
    point = freezing.Point(source="frozen", freeze=0.7, width=1.0)
    results = {
        point.search(sparsity, 1): {"integer_accuracy": accuracy}
        for sparsity, accuracy in zip(point.candidates(), (0.7, 0.9, 0.8), strict=True)
    }
    assert point.best(results) == point.candidates()[1]
    assert freezing.Point(source="frozen", freeze=0.7, width=2.0).best(results) == point.best(
        results
    )
    del results[point.search(point.candidates()[0], 1)]
    assert point.best(results) is None


@pytest.mark.parametrize("name", STUDIES)
def test_records_are_what_the_study_wants(name):
    _, results = trials.record(name)
    wanted = importlib.import_module(name).study(results)
    assert set(results) <= set(wanted)
    for one, found in results.items():
        if "error" in found:
            assert "keeps no weight" in found["error"]
            continue
        assert abs(found["integer_accuracy"] - found["float_accuracy"]) <= 0.005, one.name
        bits = 64 + found["mask_bits"] + found["requantisation_bits"]
        assert found["model_bytes"] == -(-bits // 8)


def test_mnist_at_the_best_part_kept():
    _, results = trials.record("by_sparsity")
    found = [found for one, found in results.items() if trials.option(one, "seed") != "1"]
    assert len(found) == 2
    best = max(results.values(), key=lambda found: found["integer_accuracy"])
    assert statistics.mean(accuracies([best, *found])) >= 0.97


def test_a_network_twice_as_wide():
    _, results = trials.record("by_algorithm")
    wanted = [by_algorithm.search("fmnist-cnn", "2", "edge-popup", seed) for seed in (1, 2, 3)]
    found = accuracies([results[one] for one in wanted if one in results])
    assert statistics.mean(found) >= 0.91


def test_both_frozen_sources_spend_the_same_bits():
    _, results = trials.record("freezing")
    for _, *rest in freezing.networks():
        for pruned, frozen in zip(rest[::2], rest[1::2], strict=True):
            for one in (*pruned.found(results), *frozen.found(results)):
                searched = (1 - pruned.freeze) * one["weights"]
                assert one["mask_bits"] == pytest.approx(searched, rel=0.02)


def test_the_picture_is_drawn_from_the_record(tmp_path):
    _, results = trials.record("freezing")
    page.draw(results, tmp_path / "picture.svg")
    assert "<svg" in (tmp_path / "picture.svg").read_text()
    assert json.dumps(page.PICTURE.name)[1:-1] in (FOLDER.parent / "results.md").read_text()
