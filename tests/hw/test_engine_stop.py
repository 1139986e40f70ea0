"""Breaking a run off: at any point, and when it would never end, and the next run is right."""

from dataclasses import replace

import numpy as np
import pytest
from support.benches import simulate
from support.tickets import TicketBuilder

from tombola.compiler import compile_ticket
from tombola.spec import descriptor, reference
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS, START, STOP, ErrorCode, Window
from tombola.spec.ticket import Window as Sliding
from tombola_hw.engine import Engine

CONFIG = EngineConfig(rows=4, lanes=4, construction=4, weight_lines=64, ticket_words=256)
CONFIGS = {"plain": CONFIG, "compact": replace(CONFIG, compact=True, layer_rams=2)}


def small_network():
    """Two convolutions, a pooling between them."""
    return (
        TicketBuilder((3, 6, 6), seed=4)
        .conv(6, (3, 3), freeze=(60, 60), in_channels=3)
        .max_pool((2, 2), Sliding(stride=(2, 2)))
        .conv(5, (2, 2), in_channels=6, logits=True)
    )


class Driver:
    """The engine's bus in a test."""

    def __init__(self, ctx, engine):
        self.ctx, self.engine = ctx, engine

    async def write(self, address, *words):
        ctx, request = self.ctx, self.engine.requests
        for offset, word in enumerate(words):
            ctx.set(
                request.payload, {"address": address + offset, "data": int(word), "write": 1}
            )
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
        ctx.set(request.valid, 0)

    async def read(self, address, count):
        ctx, request, response = self.ctx, self.engine.requests, self.engine.responses
        ctx.set(response.ready, 1)
        words = []
        for offset in range(count):
            ctx.set(request.payload, {"address": address + offset, "write": 0})
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
            word, = await ctx.tick().sample(response.payload).until(response.valid)
            words.append(word)
        return np.array(words, dtype=np.uint32)

    async def run(self, limit):
        await self.write(ADDRESS["control"], START)
        for clock in range(limit):
            if not self.ctx.get(self.engine.busy):
                return clock
            await self.ctx.tick()
        return None


def with_program(bench, config=CONFIG):
    """Simulates a loaded engine with an image in it."""
    builder = small_network()
    ticket = builder.build()
    images = builder.images(1)
    program = compile_ticket(ticket, config)
    expected = reference.infer(ticket, images)[-1].reshape(-1)
    engine = Engine(config)

    async def whole(ctx):
        driver = Driver(ctx, engine)

        async def check():
            for address, words in next(program.image_writes(images)):
                await driver.write(address, *words)
            clocks = await driver.run(4 * program.cycles + 2000)
            assert clocks is not None and ctx.get(engine.done)
            assert ctx.get(engine.error) == ErrorCode.NONE
            words = await driver.read(*program.result_words)
            np.testing.assert_array_equal(program.logits_from_words(words), expected)
            return clocks

        for address, words in program.writes:
            await driver.write(address, *words)
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
            await ctx.tick().repeat(2)
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
        forged = descriptor.pack(layer)
        first = Window.TICKET.base + descriptor.FIRST
        await driver.write(first, *forged)
        ended = await driver.run(4 * clocks)
        assert (ended is None) == (field == "out_height")
        await driver.write(ADDRESS["control"], STOP)
        await ctx.tick().repeat(2)
        assert not ctx.get(engine.busy)
        await driver.write(first, *descriptor.pack(program.descriptors[0]))
        assert await check() == clocks

    with_program(bench)
