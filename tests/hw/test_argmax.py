"""The largest logit against numpy's argmax."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from tombola.spec.engine import EngineConfig
from tombola_hw.argmax import ArgMax

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

LOW, HIGH = -(1 << 31), (1 << 31) - 1


def winners(config, runs, *, seed=0):
    """Index after each run, a list of (entry, value); between them come results of other layers."""
    dut, indices = ArgMax(config), []
    random = np.random.default_rng(seed)

    async def bench(ctx):
        for entries in runs:
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for entry, value in entries:
                for noise in range(random.integers(3)):
                    ctx.set(dut.results.p, {"value": HIGH, "address": 1, "logits": noise & 1})
                    ctx.set(dut.results.valid, ~noise & 1)
                    await ctx.tick()
                ctx.set(dut.results.p, {"value": value, "address": entry, "logits": 1})
                ctx.set(dut.results.valid, 1)
                await ctx.tick()
                ctx.set(dut.results.valid, 0)
            indices.append(ctx.get(dut.index))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return indices


def test_wrong_init():
    with pytest.raises(TypeError) as error:
        ArgMax(None)
    assert str(error.value) == "ArgMax config must be an EngineConfig, not None"


@pytest.mark.parametrize("compact", [False, True])
def test_equals_golden_in_any_order(compact):
    random = np.random.default_rng(1)
    config = EngineConfig(result_words=16, compact=compact)
    runs, expected = [], []
    for _ in range(60):
        values = random.integers(-3, 3, random.integers(1, 17)) * random.choice([1, 1000, 1 << 29])
        runs.append([(int(i), int(values[i])) for i in random.permutation(len(values))])
        expected.append(int(values.argmax()))
    assert winners(config, runs) == expected


@pytest.mark.parametrize("compact", [False, True])
def test_extremes(compact):
    config = EngineConfig(result_words=1024, compact=compact)
    assert winners(config, [
        [(1023, LOW)],
        [(1023, LOW), (1022, LOW)],
        [(5, LOW), (6, HIGH), (7, HIGH)],
        [(7, HIGH), (6, HIGH), (5, LOW)],
        [(3, -1), (4, 0)],
        [],
    ]) == [1023, 1022, 6, 6, 4, 0]
