"""The whole engine in Amaranth's simulator, layer by layer, against the numpy reference."""

import numpy as np
import pytest
from support.benches import simulate
from support.engine_host import SETTLE
from support.tickets import mixed_network

from tombola.compiler import compile_ticket
from tombola.spec import reference
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS, ErrorCode
from tombola_hw.engine import Engine


async def write(ctx, engine, address, words):
    """Writes words from an address on."""
    ctx.set(engine.requests.payload.write, 1)
    for offset, word in enumerate(words):
        ctx.set(engine.requests.payload.address, address + offset)
        ctx.set(engine.requests.payload.data, int(word))
        ctx.set(engine.requests.valid, 1)
        while not ctx.get(engine.requests.ready):
            await ctx.tick()
        await ctx.tick()
    ctx.set(engine.requests.valid, 0)


async def read(ctx, engine, address, count):
    """Reads words from an address on."""
    words = []
    ctx.set(engine.requests.payload.write, 0)
    ctx.set(engine.responses.ready, 1)
    for offset in range(count):
        ctx.set(engine.requests.payload.address, address + offset)
        ctx.set(engine.requests.valid, 1)
        await ctx.tick()
        ctx.set(engine.requests.valid, 0)
        while not ctx.get(engine.responses.valid):
            await ctx.tick()
        words.append(ctx.get(engine.responses.payload))
        await ctx.tick()
    return np.array(words, dtype=np.uint32)


async def run_layers(ctx, engine, program, layers):
    """Runs the first `layers` layers on what is in the activation memory."""
    for address, words in program.stop_after(layers):
        await write(ctx, engine, address, words)
    await write(ctx, engine, ADDRESS["control"], [1])
    await ctx.tick().repeat(SETTLE)
    for _ in range(4 * program.cycles + 2000):
        if ctx.get(engine.done):
            return
        await ctx.tick()
    raise AssertionError(f"no end of {layers} layers")


CONFIGS = [
    EngineConfig(rows=8, lanes=8, construction=32, activation_banks=2),
    EngineConfig(
        rows=3, lanes=2, construction=4, weight_lines=128, activation_words=688, ticket_words=320
    ),
    EngineConfig(rows=5, lanes=32, construction=8, accumulator_bits=20),
    EngineConfig(rows=1, lanes=4, construction=1, weight_lines=64),
    EngineConfig(rows=4, lanes=8, construction=16, unsigned_sums=True),
    EngineConfig(
        rows=4, lanes=4, construction=4, activation_banks=2, accumulator_bits=20, compact=True,
        count_bits=10,
    ),
    EngineConfig(
        rows=6, lanes=4, construction=2, activation_banks=2, accumulator_bits=16, compact=True,
        count_bits=8, short_totals=True,
    ),
]


@pytest.mark.parametrize(
    "config",
    [CONFIGS[0], *(pytest.param(config, marks=pytest.mark.slow) for config in CONFIGS[1:])],
    ids=lambda config: f"{config.geometry}x{config.construction}",
)
def test_every_layer_equals_the_reference(config):
    builder = mixed_network()
    ticket = builder.build()
    images = builder.images(1)
    expected = reference.infer(ticket, images)
    program = compile_ticket(ticket, config)
    engine = Engine(config)

    async def bench(ctx):
        for address, words in program.writes:
            await write(ctx, engine, address, words)
        for layers in range(1, program.layer_count + 1):
            for address, words in next(program.image_writes(images)):
                await write(ctx, engine, address, words)
            await run_layers(ctx, engine, program, layers)
            assert ctx.get(engine.error) == ErrorCode.NONE
            ranges = program.tensor_ranges(layers)
            words = [await read(ctx, engine, *each) for each in ranges]
            found = program.tensor_from_words(layers, np.concatenate(words))
            np.testing.assert_array_equal(found, expected[layers][0], f"tensor {layers}")
        winner = await read(ctx, engine, ADDRESS["winner"], 1)
        assert winner == expected[-1].reshape(-1).argmax()

    simulate(engine, bench)
