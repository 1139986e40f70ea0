"""The area model's factors are those of the recorded engines, and a fit finds what there is."""

import importlib.util
import json
import random
from pathlib import Path

import pytest

from tombola.compiler.area import ECP5
from tombola.spec.engine import EngineConfig

ROOT = Path(__file__).parents[2]
TOLERANCE = 0.15


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("area", ROOT / "bench" / "area.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORD = json.loads((ROOT / "docs" / "records" / "area.json").read_text())


def test_an_engine_is_named_by_what_it_has(script):
    config = script.config_of("8x16x2 construction=16 planes=3 stored")
    assert (config.geometry, config.construction, config.planes) == ("8x16x2", 16, 3)
    assert config.stored and config.unsigned_sums and not config.residual
    assert not script.config_of("8x8 unsigned_sums=0").unsigned_sums


def test_the_record_is_of_engines_of_the_set(script):
    assert set(RECORD) <= set(script.ENGINES)
    for engine, used in RECORD.items():
        assert EngineConfig(**used["config"]) == script.config_of(engine), engine


def test_the_factors_are_those_of_the_record(script):
    assert script.fit(RECORD, "lut4") == ECP5.lut4
    assert script.fit(RECORD, "ff") == ECP5.ff
    assert script.fit(RECORD, "dsp") == ECP5.dsp


@pytest.mark.parametrize("engine", sorted(RECORD))
def test_estimates_are_near_what_was_counted(engine):
    used = RECORD[engine]
    estimate = ECP5.estimate(EngineConfig(**used["config"])).to_json()
    for resource in ("lut4", "ff"):
        assert estimate[resource] == pytest.approx(used[resource], rel=TOLERANCE), resource
    for resource in ("block_ram", "dsp"):
        assert estimate[resource] == used[resource], resource


def test_a_fit_comes_near_engines_that_are_sums(script):
    rng, made = random.Random(1), {}
    factors = {name: rng.uniform(0.8, 1.2) * x for name, x in script.USUAL["lut4"].items()}
    factors["chained"] = 12.3
    for engine in script.ENGINES:
        config = script.config_of(engine)
        counts = ECP5.quantities(config)
        cells = sum(factors[name] * counts[name] for name in factors)
        made[engine] = {"config": config.to_json(), "lut4": cells}
    found = script.fit(made, "lut4")
    for engine, used in made.items():
        counts = ECP5.quantities(script.config_of(engine))
        cells = sum(found[name] * counts[name] for name in found)
        assert cells == pytest.approx(used["lut4"], rel=0.02), engine
    # What an engine has and the set does not tell apart stays near the usual.
    assert found["chained"] == pytest.approx(12.3, rel=0.03)
    assert script.fit({}, "lut4") == pytest.approx(script.USUAL["lut4"], abs=0.01)
