"""The turner against numpy's roll."""

import numpy as np
import pytest
from support.benches import simulate

from tombola.spec.engine import EngineConfig
from tombola_hw.turner import Turner


@pytest.mark.parametrize(("pixels", "lanes"), [(2, 4), (4, 1), (32, 2)])
def test_every_pixel_gets_the_word_of_its_memory(pixels, lanes):
    config = EngineConfig(lanes=lanes, pixels=pixels)
    dut = Turner(config)
    random = np.random.default_rng(pixels)

    async def bench(ctx):
        for turn in [*range(pixels), *random.integers(0, pixels, 8).tolist()]:
            words = random.integers(0, 256, (pixels, lanes))
            ctx.set(dut.words, words.tolist())
            ctx.set(dut.turn, turn)
            await ctx.tick().repeat(Turner.latency(config))
            seen = ctx.get(dut.activations)
            found = [[seen[pixel][lane] for lane in range(lanes)] for pixel in range(pixels)]
            assert found == np.roll(words, -turn, axis=0).tolist()

    simulate(dut, bench)


def test_one_pixel_takes_no_clock():
    assert Turner.latency(EngineConfig()) == 0
    with pytest.raises(TypeError, match=r"^Turner config must be an EngineConfig, not 3$"):
        Turner(3)
