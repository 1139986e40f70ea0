"""Freeze decode and bit deposit: every small case, random wide ones."""

import random

import pytest
from amaranth import Module, Signal
from support.benches import simulate

from tombola.spec.errors import ConfigError
from tombola_hw.deposit import BitDeposit, BlockCounts, low_halves
from tombola_hw.freeze import FreezeDecoder

WIDTHS = [1, 2, 4, 8, 16, 32]


def deposit(flags, window, width):
    """Bit deposit as a loop; positions that are not searchable stay 0."""
    out = 0
    for at in range(width):
        if flags >> at & 1:
            out |= (window & 1) << at
            window >>= 1
    return out


def cases(width):
    """(flags, window) pairs: all of them for four positions at most."""
    if width <= 4:
        return [(flags, window) for flags in range(1 << width) for window in range(1 << width)]
    source = random.Random(width)
    full = (1 << width) - 1
    return [(full, 0x5A5A5A5A & full), (0, full)] + [
        (source.getrandbits(width), source.getrandbits(width)) for _ in range(200)
    ]


@pytest.mark.parametrize(
    "core, options", [(FreezeDecoder, {"chained": False}), (BlockCounts, {}), (BitDeposit, {})]
)
def test_wrong_init(core, options):
    with pytest.raises(ConfigError) as error:
        core(12, **options)
    assert str(error.value) == f"{core.__name__} width must be a power of two up to 32, not 12"
    with pytest.raises(TypeError) as error:
        core(4.0, **options)
    assert str(error.value) == f"{core.__name__} width must be an int, not 4.0"


@pytest.mark.parametrize("width", WIDTHS)
def test_counts(width):
    dut = BlockCounts(width)

    async def bench(ctx):
        for flags, _ in cases(width):
            ctx.set(dut.flags, flags)
            counts = ctx.get(dut.counts)
            assert counts["all"] == flags.bit_count()
            for start, size in low_halves(width):
                part = flags >> start & ((1 << size) - 1)
                assert counts[f"from{start}_of{size}"] == part.bit_count()
            await ctx.tick()

    simulate(_clocked(dut), bench)


@pytest.mark.parametrize("width", WIDTHS)
def test_each_searchable_position_gets_the_next_bit(width):
    counter, dut = BlockCounts(width), BitDeposit(width)
    pair = _clocked(counter, dut)
    pair.d.comb += dut.counts.eq(counter.counts)

    async def bench(ctx):
        for flags, window in cases(width):
            ctx.set(counter.flags, flags)
            ctx.set(dut.window, window)
            assert ctx.get(dut.bits) & flags == deposit(flags, window, width)
            await ctx.tick()

    simulate(pair, bench)


@pytest.mark.parametrize("width, cut", [(16, 8), (32, 8), (32, 16)])
def test_two_deposits_in_turn_are_one(width, cut):
    counter = BlockCounts(width)
    coarse, fine = BitDeposit(width, smallest=2 * cut), BitDeposit(width, largest=cut)
    chain = _clocked(counter, coarse, fine)
    chain.d.comb += [
        coarse.counts.eq(counter.counts),
        fine.counts.eq(counter.counts),
        fine.window.eq(coarse.bits),
    ]

    async def bench(ctx):
        for flags, window in cases(width):
            ctx.set(counter.flags, flags)
            ctx.set(coarse.window, window)
            assert ctx.get(fine.bits) & flags == deposit(flags, window, width)
            await ctx.tick()

    simulate(chain, bench)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("prune, frozen", [(0, 0), (1, 1), (0, 256), (256, 256), (100, 180)])
def test_every_draw_is_sorted(prune, frozen, chained):
    dut = FreezeDecoder(2, chained=chained)

    async def bench(ctx):
        ctx.set(dut.prune, prune)
        ctx.set(dut.frozen, frozen)
        for draw in range(256):
            ctx.set(dut.draws, draw << 8 | 255 - draw)
            for real in range(4):
                ctx.set(dut.real, real)
                both = [(255 - draw, real & 1), (draw, real >> 1)]
                assert ctx.get(dut.pruned) == _bits(ok and d < prune for d, ok in both)
                assert ctx.get(dut.locked) == _bits(ok and prune <= d < frozen for d, ok in both)
                assert ctx.get(dut.searchable) == _bits(ok and d >= frozen for d, ok in both)
        await ctx.tick()

    simulate(_clocked(dut), bench)


def _bits(flags):
    return sum(bool(flag) << index for index, flag in enumerate(flags))


def _clocked(*cores):
    """The cores in a module with a clock, which the simulator asks for."""
    m = Module()
    m.submodules += cores
    clocked = Signal()
    m.d.sync += clocked.eq(~clocked)
    return m
