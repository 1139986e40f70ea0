"""A step of the search costs little more than one of plain training, and the record says so."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "docs" / "records" / "search-speed").glob("*.json"))
MOST = 1.35


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(
        "search_speed", ROOT / "bench" / "search_speed.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(bench):
    return bench.measure("fmnist-cnn", batch=32, steps=5)


def test_the_search_costs_little(found):
    """On the processor, and with room for other work on the machine: the record is stricter."""
    assert 0 < found["cost"]["dense"]["processor"]["lower"] <= 1.5 * MOST


def test_says_where_the_time_goes(bench, found, capsys):
    bench.say(found)
    said = capsys.readouterr().out
    for part in ("search in dense, channels last", "selection", "masking", "quantiser", "images/s"):
        assert part in said
    own = ("selection of masks", "masking of weights", "quantiser")
    times = found["milliseconds"]
    assert sum(times[name][1] for name in own) < 2 * times["search"][1]


def test_costs_are_turn_by_turn(bench):
    times = {"search": [(2.0, 3.0), (8.0, 9.0), (3.0, 1.0)], "dense": [(1.0, 1.0)] * 3}
    cost = bench.costs(times, "dense")
    assert cost["clock"] == {"median": 3.0, "lower": 2.5, "upper": 5.5}
    assert cost["processor"] == {"median": 3.0, "lower": 2.0, "upper": 6.0}


def test_both_networks_are_recorded_on_both_cores():
    records = [json.loads(path.read_text()) for path in RECORDS]
    assert {(x["network"], x["threads"]) for x in records} == {
        (network, threads) for network in ("conv4", "fmnist-cnn") for threads in (1, 2)
    }


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_the_record_keeps_the_promise(path):
    """Against either layout of the dense network, by either clock."""
    record = json.loads(path.read_text())
    for cost in record["cost"].values():
        for clock in cost.values():
            assert clock["lower"] <= clock["median"] <= MOST
