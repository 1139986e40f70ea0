"""The benchmark suite: cases that are what they say, records that the estimates agree with."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from tombola.compiler import compile_ticket, estimate
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.suite.networks import NETWORKS
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample

ROOT = Path(__file__).parents[2]
RECORDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "docs" / "records" / "bench").glob("*.json"))
}
MEASURED = json.loads((ROOT / "docs" / "records" / "cycles.json").read_text())
RAN = sorted(name for name, record in RECORDS.items() if "refused" not in record)
TOLERANCE = 0.02


def script(name):
    """A module of bench/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def suite():
    return script("suite")


def test_every_network_has_cases_of_names_of_their_own(suite):
    assert {case.network for case in suite.CASES} == set(NETWORKS)
    names = [case.name for case in suite.CASES]
    assert len(set(names)) == len(names)
    assert "conv6-frozen70-16x32" in names
    assert "resnet8-stored4-8x16" in names


def test_cases_that_want_the_same_features_share_an_engine(suite):
    cases = [suite.Case("digits-cnn", "4x8"), suite.Case("fmnist-cnn", "4x8")]
    wanted = [suite.fastest(case) for case in cases]
    shared = [suite.engine_of(case, cases) for case in cases]
    if wanted[0].features == wanted[1].features:
        assert shared[0] == shared[1]
    else:
        assert shared == wanted
    for case, engine in zip(cases, shared, strict=True):
        compile_ticket(case.ticket, engine)
    alone = suite.engine_of(suite.Case("digits-cnn", "4x16"), cases)
    assert alone == suite.fastest(suite.Case("digits-cnn", "4x16"))


def test_what_is_refused_is_a_case_in_the_compilers_own_words(suite, monkeypatch):
    monkeypatch.setattr(suite, "cached_rtl", lambda config: pytest.fail("nothing to generate"))

    def refuse(ticket, config, *, batch):
        raise FitError("too large")

    monkeypatch.setattr(suite, "compile_ticket", refuse)
    found = suite.run(suite.Case("digits-cnn", "8x8"), cases=())
    assert found["refused"] == "too large"
    assert found["name"] == "digits-cnn-8x8"
    assert "cycles_per_inference" not in found


def test_an_interrupted_suite_goes_on(suite, monkeypatch, tmp_path, capsys):
    ran = []

    def run(case, *, jobs):
        ran.append(case.name)
        return {"name": case.name, "refused": "for a test"}

    monkeypatch.setattr(suite, "RESULTS", tmp_path)
    monkeypatch.setattr(suite, "run", run)
    names = ["digits-cnn-8x8", "digits-cnn-8x16"]
    for chosen in (names[:1], names, names):
        monkeypatch.setattr(sys, "argv", ["suite.py", *chosen])
        assert suite.main() == 0
    assert ran == names
    monkeypatch.setattr(sys, "argv", ["suite.py", names[0], "--again"])
    assert suite.main() == 0
    assert ran == [*names, names[0]]
    assert "digits-cnn-8x8: for a test" in capsys.readouterr().out


@pytest.mark.parametrize("name", RAN)
def test_records_are_exact_and_foretold_within_a_fiftieth(suite, name):
    record = RECORDS[name]
    assert record["exact"]
    case = next(case for case in suite.CASES if case.name == name)
    config = EngineConfig(**record["config"])
    program = compile_ticket(case.ticket, config, batch=case.batch)
    cycles = record["cycles_per_inference"] * case.batch
    assert program.cycles == pytest.approx(cycles, rel=TOLERANCE)
    assert sum(sum(layer["estimate"].values()) for layer in record["layers"]) == pytest.approx(
        cycles, rel=TOLERANCE
    )


@pytest.mark.parametrize("number", range(len(MEASURED)))
def test_simulated_clocks_are_foretold_within_a_fiftieth(number):
    run = MEASURED[number]
    recipe = Recipe.parse(frozen=run["frozen"], coats=run["coats"], weights=run["weights"])
    program = compile_ticket(
        sample(run["network"], recipe=recipe), EngineConfig(**run["config"])
    )
    found = sum(run["cycles"])
    assert program.cycles == pytest.approx(found, rel=TOLERANCE)
    for fields, cycles in zip(program.descriptors, run["cycles"], strict=True):
        if cycles * 100 >= found:
            assert estimate.layer_cycles(fields, program.config) == pytest.approx(cycles, rel=0.04)


def test_the_page_is_that_of_the_records(monkeypatch, tmp_path):
    page = script("page")
    monkeypatch.setattr(page, "TARGET", tmp_path / "benchmarks.md")
    page.main()
    made = (tmp_path / "benchmarks.md").read_text()
    assert made == (ROOT / "docs" / "benchmarks.md").read_text()
    for name in ("NNgen", "conv64", "Estimates", "icebreaker"):
        assert name in made


@pytest.mark.slow
def test_a_case_runs(suite):
    found = suite.run(suite.Case("digits-cnn", "4x8", images=1), cases=())
    assert found["exact"]
    assert found["estimated_cycles"] == pytest.approx(found["cycles_per_inference"], rel=TOLERANCE)
    for layer in found["layers"]:
        assert layer["measured"]["cycles"] == pytest.approx(
            sum(layer["estimate"].values()), rel=0.05, abs=20
        )
