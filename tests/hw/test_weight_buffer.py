"""The weight buffer against a list of committed lines, with reader and writer at random paces."""

import random

import pytest
from support.benches import coin, simulate

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import line_layout, weights_layout
from tombola_hw.weight_buffer import WeightBuffer


def groups_of(chunks, *, rows, lanes, seed=3):
    """For each group, a list of chunks, each a list of lines, each a (positive, negative) a row."""
    source = random.Random(seed)

    def line():
        pairs = []
        for _ in range(rows):
            positive = source.getrandbits(lanes)
            pairs.append((positive, source.getrandbits(lanes) & ~positive))
        return pairs

    return [[[line() for _ in range(size)] for size in group] for group in chunks]


def written(groups, rows):
    """The lines of `groups` in the order of construction."""
    for group in groups:
        for chunk in group:
            for row in range(rows):
                for index, line in enumerate(chunk):
                    yield {
                        "positive": line[row][0],
                        "negative": line[row][1],
                        "row": row,
                        "chunk_end": int(index == len(chunk) - 1),
                        "last_row": int(row == rows - 1),
                    }


def pass_through(config, groups, *, positions, give=1.0, take=1.0, lead=0):
    """Weights as read with every group replayed for `positions` positions; checks them all."""
    dut = WeightBuffer(config)
    shape = line_layout(config)
    rows = config.rows

    async def writer(ctx):
        flip = coin(11, give)
        for line in written(groups, rows):
            while not flip():
                await ctx.tick()
            ctx.set(dut.lines.valid, 1)
            ctx.set(dut.lines.payload, shape.const(line))
            await ctx.tick().until(dut.lines.ready)
            ctx.set(dut.lines.valid, 0)

    async def reader(ctx):
        flip = coin(12, take)
        await ctx.tick().repeat(lead + 1)
        for group in groups:
            lines = [line for chunk in group for line in chunk]
            for position in range(positions):
                for index, line in enumerate(lines):
                    while not (ctx.get(dut.available) and flip()):
                        await ctx.tick()
                    ctx.set(dut.advance, 1)
                    ctx.set(dut.rewind, index == len(lines) - 1)
                    ctx.set(dut.release, position == positions - 1)
                    await ctx.tick()
                    ctx.set(dut.advance, 0)
                    weights = ctx.get(dut.weights)
                    got = [(weights.positive[row], weights.negative[row]) for row in range(rows)]
                    assert got == line
        await ctx.tick()
        assert not ctx.get(dut.available)

    simulate(dut, reader, writer)


def engine(rows=3, lanes=4, compact=False):
    return EngineConfig(rows=rows, lanes=lanes, weight_lines=64, compact=compact)


def test_init():
    config = engine()
    dut = WeightBuffer(config)
    assert dut.weights.shape() == weights_layout(config)
    assert dut.lines.payload.shape() == line_layout(config)


def test_wrong_init():
    with pytest.raises(TypeError) as error:
        WeightBuffer({"rows": 4})
    assert str(error.value) == "WeightBuffer config must be an EngineConfig, not {'rows': 4}"


@pytest.mark.parametrize("give, take", [(1.0, 1.0), (0.3, 1.0), (1.0, 0.3), (0.7, 0.7)])
@pytest.mark.parametrize("positions", [1, 3])
@pytest.mark.parametrize("compact", [False, True])
def test_lines_come_in_order(compact, give, take, positions):
    config = engine(compact=compact)
    groups = groups_of([[9], [17], [1], [40], [25], [30]], rows=3, lanes=4)
    pass_through(config, groups, positions=positions, give=give, take=take)


def test_group_larger_than_the_ring_passes_as_a_fifo():
    config = engine()
    pass_through(config, groups_of([[32] * 5 + [7]], rows=3, lanes=4), positions=1, take=0.8)


def test_groups_of_the_whole_ring():
    config = engine()
    groups = groups_of([[64], [64], [64]], rows=3, lanes=4)
    pass_through(config, groups, positions=2, lead=250)


def test_smallest():
    config = engine(rows=1, lanes=1)
    pass_through(config, groups_of([[1], [2], [3]], rows=1, lanes=1), positions=2)


@pytest.mark.parametrize("compact", [False, True])
def test_flush_forgets_lines(compact):
    config = engine(rows=1, compact=compact)
    dut = WeightBuffer(config)
    shape = line_layout(config)

    async def write(ctx, values):
        for index, value in enumerate(values):
            end = index == len(values) - 1
            line = {"positive": value, "negative": 0, "row": 0, "chunk_end": end, "last_row": 1}
            ctx.set(dut.lines.payload, shape.const(line))
            ctx.set(dut.lines.valid, 1)
            await ctx.tick().until(dut.lines.ready)
        ctx.set(dut.lines.valid, 0)

    async def bench(ctx):
        await write(ctx, [1, 2, 3])
        ctx.set(dut.flush, 1)
        await ctx.tick()
        ctx.set(dut.flush, 0)
        assert not ctx.get(dut.available)
        await write(ctx, [7])
        await ctx.tick()
        assert ctx.get(dut.available)
        ctx.set(dut.advance, 1)
        await ctx.tick()
        assert ctx.get(dut.weights.positive[0]) == 7
        assert not ctx.get(dut.available)

    simulate(dut, bench)
