"""The mask reader against slices of the memory's bits, under random stalls, seeks and saves."""

import random

import pytest
from support.benches import coin, simulate

from tombola.spec.engine import EngineConfig
from tombola_hw.mask_reader import MaskReader, cursor_bits

WORDS = 64


def engine(construction, *, compact=False):
    return EngineConfig(construction=construction, ticket_words=WORDS, compact=compact)


def test_init():
    config = engine(8)
    assert cursor_bits(config) == 11
    assert len(MaskReader(config).target) == 11


def test_wrong_init():
    with pytest.raises(TypeError) as error:
        MaskReader(8)
    assert str(error.value) == "MaskReader config must be an EngineConfig, not 8"


@pytest.mark.parametrize("construction", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("pace", [1.0, 0.5])
@pytest.mark.parametrize("compact", [False, True])
def test_windows_and_cursors(compact, construction, pace):
    dut = MaskReader(engine(construction, compact=compact))
    source = random.Random(construction)
    memory = [source.getrandbits(32) for _ in range(WORDS)]
    bits = sum(word << (32 * index) for index, word in enumerate(memory))

    async def ticket_memory(ctx):
        async for _, _, address in ctx.tick().sample(dut.read_address):
            ctx.set(dut.read_data, memory[address])

    async def bench(ctx):
        flip = coin(2, pace)
        cursor = 0
        for turn in range(12):
            if turn % 3 != 2:
                cursor = source.randrange(32 * 20)
            ctx.set(dut.seek, 1)
            ctx.set(dut.target, cursor)
            await ctx.tick()
            ctx.set(dut.seek, 0)
            clocks = 1
            while not ctx.get(dut.ready):
                ctx.set(dut.take, flip())
                ctx.set(dut.count, construction)
                await ctx.tick()
                clocks += 1
            assert clocks == (4 if compact else 6)
            for _ in range(25):
                assert ctx.get(dut.window) == bits >> cursor & ((1 << construction) - 1)
                assert ctx.get(dut.ready)
                count = construction if turn == 0 else source.randint(0, construction)
                take = flip()
                ctx.set(dut.take, take)
                ctx.set(dut.count, count)
                await ctx.tick()
                cursor += count if take else 0
            ctx.set(dut.take, 0)
            ctx.set(dut.unwind, 1)
            await ctx.tick().repeat(2)
            ctx.set(dut.unwind, 0)
            assert ctx.get(dut.cursor) == cursor

    simulate(dut, bench, ticket_memory)
