"""The weight constructor against the decoded weights of random masks, cut into lines."""

import pytest
from support.benches import coin, load_seed, simulate
from support.weights import WeightCase

from tombola.spec.engine import EngineConfig
from tombola.spec.weight_stream import WeightSet
from tombola_hw.class_drawer import ClassDrawer
from tombola_hw.constructor import WeightConstructor
from tombola_hw.interfaces import layer_layout, line_layout
from tombola_hw.mask_applier import MaskApplier
from tombola_hw.row_states import RowStates
from tombola_hw.row_walk import RowWalk
from tombola_hw.turn_control import TurnControl

BUDGET = 40_000
"""Clocks that no case needs."""


def build(config, cases, *, chunk_words=0, take=1.0):
    """Lines that a constructor made of each case in turn, and the clocks each took."""
    dut = WeightConstructor(config)
    memory = [0] * config.ticket_words
    made, clocks = [], []

    async def ticket_memory(ctx):
        async for _, _, address in ctx.tick().sample(dut.read_address):
            ctx.set(dut.read_data, memory[address])

    async def bench(ctx):
        flip = coin(7, take)
        for case in cases:
            memory[:] = case.memory(config.ticket_words)
            fields = case.descriptor(config, chunk_words=chunk_words)
            ctx.set(dut.layer, layer_layout(config).const(fields))
            await load_seed(ctx, dut, case.seed)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            lines, waiting, clock = [], None, 0
            while True:
                ctx.set(dut.lines.ready, flip())
                busy, valid, ready = (
                    ctx.get(dut.busy), ctx.get(dut.lines.valid), ctx.get(dut.lines.ready)
                )
                payload = {
                    name: int(ctx.get(dut.lines.p[name])) for name in line_layout(config).members
                }
                assert waiting is None or (valid and payload == waiting), "a line changed or left"
                waiting = payload if valid and not ready else None
                if valid and ready:
                    lines.append(payload)
                if not busy:
                    break
                await ctx.tick()
                clock += 1
                assert clock < BUDGET, "the constructor hangs"
            made.append(lines)
            clocks.append(clock)

    simulate(dut, bench, ticket_memory)
    return made, clocks


def check(config, case, *, chunk_words=0, take=1.0):
    made, clocks = build(config, [case], chunk_words=chunk_words, take=take)
    expected = case.lines(config, chunk_words=chunk_words)
    assert len(made[0]) == len(expected)
    for index, (got, want) in enumerate(zip(made[0], expected, strict=True)):
        assert got == want, f"line {index}"
    return clocks[0]


def engine(rows=3, lanes=4, construction=4):
    return EngineConfig(
        rows=rows, lanes=lanes, construction=construction, ticket_words=256, weight_lines=64
    )


def weight_set(channels, *, out=4, kernel=(2, 2), prune=60, lock=40):
    return WeightSet(
        id=0xABCDE, out_channels=out, in_channels=channels, kernel=kernel, prune=prune, lock=lock
    )


def test_init():
    config = engine()
    dut = WeightConstructor(config)
    assert dut.lines.payload.shape() == line_layout(config)
    assert len(dut.read_address) == 8


PARTS = [WeightConstructor, TurnControl, RowWalk, RowStates, ClassDrawer, MaskApplier]


@pytest.mark.parametrize("core", PARTS)
def test_wrong_init(core):
    with pytest.raises(TypeError) as error:
        core(4)
    assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not 4"


@pytest.mark.parametrize("construction", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("lanes", [1, 4, 32])
def test_every_width_and_lane_count_under_stalls(construction, lanes):
    config = engine(lanes=lanes, construction=construction)
    check(config, WeightCase(weight_set(5)), take=0.6)


@pytest.mark.parametrize("channels", [1, 3, 32, 33, 70])
@pytest.mark.parametrize("lanes, construction", [(1, 8), (8, 4), (16, 32)])
def test_padding(channels, lanes, construction):
    config = engine(rows=2, lanes=lanes, construction=construction)
    case = WeightCase(weight_set(channels, out=3, kernel=(1, 3)))
    check(config, case, take=0.8)


@pytest.mark.parametrize("construction", [1, 4, 8, 32])
@pytest.mark.parametrize("chunk_words", [1, 2])
def test_rows_continue_after_the_other_rows_had_their_turn(construction, chunk_words):
    config = engine(rows=3, lanes=4, construction=construction)
    case = WeightCase(weight_set(70, out=5, kernel=(1, 2)))
    check(config, case, chunk_words=chunk_words, take=0.7)


@pytest.mark.parametrize("prune, lock", [(0, 0), (256, 0), (0, 256), (100, 156), (1, 0), (0, 1)])
@pytest.mark.parametrize("construction", [4, 32])
def test_freeze_thresholds(prune, lock, construction):
    config = engine(construction=construction)
    case = WeightCase(weight_set(20, prune=prune, lock=lock))
    check(config, case)
    check(config, case, chunk_words=1, take=0.8)


def test_smallest_engine():
    config = engine(rows=1, lanes=1, construction=1)
    check(config, WeightCase(weight_set(1, out=1, kernel=(1, 1))))
    check(config, WeightCase(weight_set(40, out=2, kernel=(1, 1))), chunk_words=1)


@pytest.mark.parametrize("construction", [1, 8, 16, 32])
def test_mask_bits_start_anywhere_in_a_word(construction):
    config = engine(rows=2, lanes=8, construction=construction)
    for first_bit in (0, 1, 31, 32 - construction):
        case = WeightCase(weight_set(16, out=2, prune=0, lock=0), first_bit=first_bit)
        check(config, case)


def test_layers_one_after_the_other():
    config = engine(rows=2)
    cases = [
        WeightCase(weight_set(12, out=3)),
        WeightCase(weight_set(3, out=2, prune=0, lock=0), seed=5),
        WeightCase(weight_set(40, out=1), seed=2**64 - 1),
    ]
    made, _ = build(config, cases, take=0.9)
    assert made == [case.lines(config) for case in cases]


@pytest.mark.parametrize("construction", [4, 8, 16, 32])
@pytest.mark.parametrize("lock", [0, 10])
def test_a_step_a_clock_within_a_turn(construction, lock):
    config = engine(rows=4, lanes=min(32, 2 * construction), construction=construction)
    case = WeightCase(weight_set(320, out=4, kernel=(1, 2), prune=0, lock=lock))
    steps = 4 * case.weight_set.layout.positions // construction
    waits = 4 * 12 if lock and steps < 4 * 24 else 0  # for start states, in short rows
    around = 4 * 11 + (36 if lock else 20) + waits
    assert steps <= check(config, case) <= steps + around
