"""The start-state mixer against the contract's function, and the stream of channel starts."""

import random

import pytest
from support.benches import coin, load_seed, simulate

from tombola.spec.engine import EngineConfig
from tombola.spec.start_state import (
    HALF_BITS,
    HALF_MASK,
    ROTATE_LEFT,
    ROTATE_RIGHT,
    ROUNDS,
    ZERO_STATE,
    StreamKind,
    high_half,
    round_key,
    start_state,
)
from tombola_hw.channel_starts import ChannelStarts
from tombola_hw.compact_start_state import CompactStartStateMixer
from tombola_hw.interfaces import layer_layout
from tombola_hw.start_state import StartStateMixer


async def mix(ctx, dut, *, seed, high, channel):
    """The state, and the clocks from `start` to `done`."""
    await load_seed(ctx, dut, seed)
    ctx.set(dut.high, high)
    ctx.set(dut.channel, channel)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)
    ctx.set(dut.high, 0)
    ctx.set(dut.channel, 0)
    clocks = 0
    while not ctx.get(dut.done):
        await ctx.tick()
        clocks += 1
    if isinstance(dut, StartStateMixer):
        return ctx.get(dut.state), clocks
    low = ctx.get(dut.word)
    ctx.set(dut.take, 1)
    await ctx.tick()
    ctx.set(dut.take, 0)
    assert ctx.get(dut.done)
    return ctx.get(dut.word) << HALF_BITS | low, clocks


MIXERS = [(StartStateMixer, 12), (CompactStartStateMixer, 24)]


@pytest.mark.parametrize("mixer, latency", MIXERS)
def test_equals_the_contract(mixer, latency):
    dut = mixer()
    source = random.Random(5)
    cases = [(0, 0, 0, StreamKind.SIGN), (2**64 - 1, 2**24 - 1, 2**32 - 1, StreamKind.FREEZE)]
    for _ in range(20):
        kind = source.choice(list(StreamKind))
        cases.append((source.getrandbits(64), source.getrandbits(24), source.getrandbits(32), kind))

    async def bench(ctx):
        for seed, weight_set, channel, kind in cases:
            high = high_half(weight_set, kind)
            state, clocks = await mix(ctx, dut, seed=seed, high=high, channel=channel)
            expected = start_state(seed, weight_set=weight_set, channel=channel, kind=kind)
            assert (state, clocks) == (expected, latency)

    simulate(dut, bench)


@pytest.mark.parametrize("mixer", [StartStateMixer, CompactStartStateMixer])
def test_a_mixed_zero_is_replaced(mixer):
    seed, x, y = 0x0123456789ABCDEF, 0, 0
    for index in reversed(range(ROUNDS)):  # the rounds backwards, from zero
        y ^= x
        y = ((y >> ROTATE_LEFT) | (y << (HALF_BITS - ROTATE_LEFT))) & HALF_MASK
        x = ((x ^ round_key(seed, index)) - y) & HALF_MASK
        x = ((x << ROTATE_RIGHT) | (x >> (HALF_BITS - ROTATE_RIGHT))) & HALF_MASK
    dut = mixer()

    async def bench(ctx):
        state, _ = await mix(ctx, dut, seed=seed, high=x, channel=y)
        assert state == ZERO_STATE

    simulate(dut, bench)


@pytest.mark.parametrize("mixer, latency", MIXERS)
def test_start_breaks_off_what_went_on(mixer, latency):
    dut = mixer()

    async def bench(ctx):
        ctx.set(dut.start, 1)
        await ctx.tick().repeat(2)
        ctx.set(dut.start, 0)
        await ctx.tick().repeat(5)
        state, clocks = await mix(ctx, dut, seed=9, high=7, channel=8)
        assert state == start_state(9, weight_set=7, channel=8, kind=StreamKind.SIGN)
        assert clocks == latency

    simulate(dut, bench)


def test_channel_starts_wrong_init():
    with pytest.raises(TypeError) as error:
        ChannelStarts(None)
    assert str(error.value) == "ChannelStarts config must be an EngineConfig, not None"


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("frozen", [0, 256])
def test_channel_starts_come_in_order(frozen, compact):
    config = EngineConfig(table_entries=16, compact=compact)
    dut = ChannelStarts(config)
    layer = dict.fromkeys(layer_layout(config).members, 0) | {"weight_set": 77, "frozen": frozen}
    kinds = [StreamKind.SIGN, StreamKind.FREEZE] if frozen else [StreamKind.SIGN]

    async def bench(ctx):
        flip = coin(4, 0.5)
        ctx.set(dut.layer, layer_layout(config).const(layer))
        await load_seed(ctx, dut, 1234567)
        for clocks in (20, 1):  # the first beginning is broken off while it mixes
            ctx.set(dut.begin, 1)
            await ctx.tick()
            ctx.set(dut.begin, 0)
            await ctx.tick().repeat(clocks)
        for channel in range(4):
            words = []
            while not ctx.get(dut.complete):
                ctx.set(dut.words.ready, flip())
                if ctx.get(dut.words.valid & dut.words.ready):
                    assert ctx.get(dut.index) == len(words)
                    words.append(ctx.get(dut.words.payload))
                await ctx.tick()
            states = [
                start_state(1234567, weight_set=77, channel=channel, kind=kind) for kind in kinds
            ]
            assert words == [half for state in states for half in (state & HALF_MASK, state >> 32)]
            assert ctx.get(dut.channel) == channel
            ctx.set(dut.next, 1)
            await ctx.tick()
            ctx.set(dut.next, 0)

    simulate(dut, bench)
