"""Breaking a run off: at any point, and when it would never end, and the next run is right."""

from dataclasses import replace

import numpy as np
import pytest
from support.benches import simulate
from support.engine_host import CONFIG, SETTLE, EngineHost, small_network

from tombola.compiler import compile_ticket
from tombola.spec import descriptor, reference
from tombola.spec.registers import ADDRESS, START, STOP, ErrorCode, Window
from tombola_hw.engine import Engine

CONFIGS = {"plain": CONFIG, "compact": replace(CONFIG, compact=True, layer_rams=2)}


def with_program(bench, config=CONFIG):
    """Simulates a loaded engine with an image in it."""
    builder = small_network()
    ticket = builder.build()
    images = builder.images(1)
    program = compile_ticket(ticket, config)
    expected = reference.infer(ticket, images)[-1].reshape(-1)
    engine = Engine(config)

    async def whole(ctx):
        driver = EngineHost(ctx, engine)

        async def check():
            await driver.write_all(next(program.image_writes(images)))
            clocks = await driver.run(4 * program.cycles + 2000)
            assert clocks is not None and ctx.get(engine.done)
            assert ctx.get(engine.error) == ErrorCode.NONE
            words = await driver.read(*program.result_words)
            np.testing.assert_array_equal(program.logits_from_words(words), expected)
            return clocks

        await driver.write_all(program.writes)
        await bench(ctx, engine, driver, program, check)

    simulate(engine, whole)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_run_is_broken_off_anywhere(kind):
    async def bench(ctx, engine, driver, program, check):
        clocks = await check()
        for share in range(1, 16, 2):
            await driver.write(ADDRESS["control"], START)
            await ctx.tick().repeat(clocks * share // 16)
            assert ctx.get(engine.busy)
            await driver.write(ADDRESS["control"], STOP)
            await ctx.tick().repeat(1 + SETTLE)
            assert not ctx.get(engine.busy) and not ctx.get(engine.done)
            assert await check() == clocks

    with_program(bench, CONFIGS[kind])


@pytest.mark.parametrize("field", ["out_height", "starts_base"])
def test_a_forged_program_does_not_hang_the_engine(field):
    async def bench(ctx, engine, driver, program, check):
        clocks = await check()
        layer = dict(program.descriptors[0])
        # More lines than are ever built, or masks where there are none.
        layer |= {"out_height": 0, "groups": 0} if field == "out_height" else {field: 250}
        forged = program.config.descriptor.pack(layer)
        first = Window.TICKET.base + descriptor.FIRST
        await driver.write(first, *forged)
        ended = await driver.run(4 * clocks)
        assert (ended is None) == (field == "out_height")
        await driver.write(ADDRESS["control"], STOP)
        await ctx.tick().repeat(1 + SETTLE)
        assert not ctx.get(engine.busy)
        await driver.write(first, *program.config.descriptor.pack(program.descriptors[0]))
        assert await check() == clocks

    with_program(bench)
