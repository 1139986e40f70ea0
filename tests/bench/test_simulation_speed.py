"""The comparison with a bare loop: both run the same images, and neither may be wrong."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from tombola.cli.engine_rtl import cached_rtl
from tombola.compiler.program import compile_ticket
from tombola.compiler.sizing import engine_for
from tombola.model.integer import IntegerModel
from tombola.suite.sample import sample
from tombola_sim import rtl

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "docs" / "records" / "simulation-speed.json").read_text())


@pytest.fixture(scope="module")
def speed():
    spec = importlib.util.spec_from_file_location("speed", ROOT / "bench" / "simulation_speed.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def case():
    ticket = sample("digits-cnn")
    config = engine_for(ticket, "4x4")
    pixels = np.random.default_rng(2).integers(0, 256, (2, *ticket.input.shape), np.uint8)
    return compile_ticket(ticket, config), rtl.load(cached_rtl(config)), pixels


def test_rates(speed):
    assert speed.rates(300, 2.0, 1.5) == {
        "clocks": 300, "clocks_per_second": 150, "clocks_per_processor_second": 200
    }  # fmt: skip


def test_the_record_is_of_a_proof_at_half_of_the_loop_at_least():
    assert RECORD["ratio_of_clocks_per_processor_second"] >= 0.5
    for turn in RECORD["turns"]:
        assert turn["bare"]["clocks"] == pytest.approx(turn["proof"]["clocks"], rel=0.01)


@pytest.mark.slow
def test_both_run_the_same_images(speed, case):
    found = speed.measure(*case, turns=1)
    assert found["images"] == 2
    (turn,) = found["turns"]
    assert turn["bare"]["clocks"] == pytest.approx(turn["proof"]["clocks"], rel=0.1)


@pytest.mark.slow
def test_a_wrong_logit_of_the_loop_is_seen(speed, case, tmp_path):
    program, design, pixels = case
    loop = speed.build_loop(design, tmp_path)
    expected = np.asarray(IntegerModel(program.ticket).logits(pixels))
    speed.bare(loop, program, pixels, expected)
    expected[1, 3] += 1
    with pytest.raises(ValueError, match="the bare loop's logits are wrong"):
        speed.bare(loop, program, pixels, expected)
