"""Records of jackpots are whole, and say what the page says of them."""

import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS / "records"))  # the scripts import each other

import jackpot  # noqa: E402
import jackpot_page  # noqa: E402

LOST = {0.0: 0.0051, 0.5: 0.0051, 0.7: 0.0051, 0.9: 0.0101}
"""Half a point by the integers, which ten of the 2,000 images make; where little is left, one."""
RECORDED = [arm for arm in jackpot.ARMS if (jackpot.HERE / f"{arm}.json").exists()]


@pytest.mark.parametrize("arm", RECORDED)
def test_records_are_whole(arm):
    found, planned = json.loads((jackpot.HERE / f"{arm}.json").read_text()), jackpot.ARMS[arm]
    assert found["name"] == arm
    assert found["commands"] == [jackpot.command(arm, x) for x in planned.sparsities]
    assert "torch" in found["environment"]
    places = [(run["sparsity"], run["seed"]) for run in found["runs"]]
    assert places == sorted(set(places))
    for run in found["runs"]:
        assert run["arm"] == arm
        assert run["sparsity"] in planned.sparsities and run["seed"] in planned.seeds
        epochs, batch = run["settings"]["epochs"], run["settings"]["batch"]
        assert run["steps"] == epochs * -(-10_000 // batch)
        assert len(run["curve"]) == max(1, epochs)
        assert run["curve"][-1] == run["float_accuracy"]
        dropped = int(run["sparsity"] * run["weights"])
        assert 0.9 * (run["weights"] - dropped) < run["kept_weights"] or "4" in arm
        assert run["kept_weights"] <= run["weights"] - dropped


FURTHER = pytest.mark.xfail(reason="a search of these loses 0.55 or 0.6 points by the integers")


@pytest.mark.parametrize("arm", [
    pytest.param(arm, marks=[FURTHER] * (arm in {"unlimited", "jackpot-4", "jackpot-4-short"}))
    for arm in RECORDED
])  # fmt: skip
def test_integers_lose_little(arm):
    for run in json.loads((jackpot.HERE / f"{arm}.json").read_text())["runs"]:
        assert abs(run["integer_accuracy"] - run["float_accuracy"]) <= LOST[run["sparsity"]]


def test_no_record_without_a_search():
    assert {path.stem for path in jackpot.HERE.glob("*.json")} == {*RECORDED, jackpot.PRETRAINED}


def accuracy(arm, sparsity):
    runs = jackpot_page.runs(arm, sparsity)
    return sum(run["integer_accuracy"] for run in runs) / len(runs)


def test_the_network_is_the_pretrained_one():
    found = json.loads((jackpot.HERE / "pretrained.json").read_text())
    assert found["float_accuracy"] == 0.879
    assert abs(accuracy("dense", 0.0) - 0.879) <= 0.005


def sparsities(*arms):
    """Those at which all these arms are recorded."""
    return [x for x in jackpot.SPARSITIES if all(jackpot_page.runs(arm, x) for arm in arms)]


def test_there_is_something_to_compare():
    assert 0.7 in sparsities("magnitude", "refreshed", "jackpot", "random")


@pytest.mark.parametrize("sparsity", sparsities("jackpot"))
def test_a_search_is_better_than_plain_pruning(sparsity):
    assert accuracy("jackpot", sparsity) > accuracy("magnitude", sparsity) + 0.1


MISSED = pytest.mark.xfail(reason="at 90 % the random start takes 1.7 times as many steps, not 3")


@pytest.mark.parametrize("sparsity", [
    pytest.param(sparsity, marks=[MISSED] if sparsity == 0.9 else [])
    for sparsity in sparsities("jackpot", "random")
])  # fmt: skip
def test_a_random_start_takes_three_times_as_many_steps(sparsity):
    theirs = jackpot_page.points(("random", "random-long"), sparsity)
    ours = jackpot_page.points(("jackpot", "jackpot-short"), sparsity)
    best = max(value for _, value in theirs)
    taken = min(steps for steps, value in theirs if value == best)
    assert 3 * min(steps for steps, value in ours if value >= best) <= taken


def test_the_tables_have_a_row_for_each():
    page = (DOCS / "results.md").read_text()
    for arm in RECORDED:
        if jackpot.ARMS[arm].sparsities == jackpot.SPARSITIES:
            assert f"| {jackpot.ARMS[arm].title} |" in page
