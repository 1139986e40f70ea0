"""docs/planned.md is what its records say, and these are of engines that the ticket fits."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from tombola.compiler import compile_ticket
from tombola.spec.engine import EngineConfig
from tombola_boards.build import Built
from tombola_boards.parts import target_of

ROOT = Path(__file__).parents[2]
RECORDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "docs" / "records" / "planned").glob("*.json"))
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("planned", ROOT / "bench" / "planned.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["planned"] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_records(script):
    assert script.TARGET.read_text() == script.page()


def test_refusals_end_with_the_ratio_that_fits(script):
    case = script.Case("fmnist-mlp", 0.7, "tang-nano-9k", 27)
    target = case.target
    nothing, below, enough = script.refusals(case, target, "4x8")
    assert nothing["frozen_to_fit"] >= script.refusals(case, target)[0]["frozen_to_fit"]
    ratio = nothing["frozen_to_fit"]
    assert (nothing["frozen"], nothing["fits"]) == (0.0, False)
    assert (below["frozen"], below["fits"]) == (ratio - script.STEP, False)
    assert (enough["frozen"], enough["fits"]) == (ratio, True)
    assert f"freeze {ratio:.4f} of the weights or use a larger part" in nothing["reason"]


def test_a_case_is_planned_built_recorded_and_shown(script, monkeypatch, tmp_path):
    """With a build that took what was foretold, and a twentieth more cells."""
    calls = []

    def build(board, *, config, seeds):
        calls.append((board.name, config, seeds))
        area = target_of(board).model.estimate(config).to_json()
        cells = {**area, "lut4": round(area["lut4"] / 0.95)}
        others = {"fmax_mhz": 28.0, "clock_mhz": 27.0, "seed": 1, "tools": {}, "seconds": {}}
        document = {**cells, "capacity": area, "bitstream_sha256": "f" * 64, **others}
        return Built(document=document, files={})

    case = script.Case("fmnist-mlp", 0.7, "tang-nano-9k", 27)
    monkeypatch.setattr(script, "build", build)
    monkeypatch.setattr(script, "CASES", (case,))
    monkeypatch.setattr(script, "RECORDS", tmp_path)
    record = script.run(case, seeds=3)
    config = EngineConfig(**record["config"])
    assert calls == [(case.board, config, 3)]
    compile_ticket(case.ticket(case.frozen), config)
    (tmp_path / f"{case.name}.json").write_text(json.dumps(record))
    page = script.page()
    assert f"planner's choice is {config.geometry} ({config.macs} masked" in page
    assert "| -5.0 % |" in page
    assert "the fastest clock is 28 MHz" in page
    assert page.count("| fits: ") == 2 and "freeze " in page


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_is_of_a_built_engine_that_runs_the_ticket(script, name):
    record = RECORDS[name]
    case = script.Case(
        record["network"], record["frozen"], record["board"], record["clock_mhz"]
    )
    assert case in script.CASES and name == case.name
    config, target = EngineConfig(**record["config"]), case.target
    assert compile_ticket(case.ticket(case.frozen), config).cycles == record["cycles"]
    built, estimate = record["built"], target.model.estimate(config).to_json()
    assert built["fmax_mhz"] >= built["clock_mhz"] == target.clock_hz / 1e6
    for resource in ("lut4", "ff"):
        assert estimate[resource] == pytest.approx(built[resource], rel=0.15), resource
    for resource in ("block_ram", "dsp"):
        assert estimate[resource] == built[resource], resource
    said = script.refusals(case, target) + script.refusals(case, target, config.geometry)
    assert record["refusals"] == said
