"""The pooling unit of compact engines against numpy's maximum and sum."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from tombola.spec.engine import EngineConfig
from tombola_hw.compact_pool import CompactPoolLane, CompactPoolUnit

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def golden(position, *, signed, maximum):
    """Values of one position: a list of (activations, inside); the complement of a maximum."""
    taken = np.array([a for a, inside in position if inside], np.int64)
    if not len(taken):
        return [0] * len(position[0][0])
    taken = np.where((taken > 127) & bool(signed), taken - 256, taken)
    if maximum:
        return (~taken.max(axis=0)).tolist()
    return taken.sum(axis=0).tolist()


def check(config, positions, *, signed, maximum, gaps=None):
    dut = CompactPoolUnit(config)
    left, due = [], []

    async def bench(ctx):
        ctx.set(dut.signed, signed)
        ctx.set(dut.maximum, maximum)
        clock = 0

        async def tick():
            nonlocal clock
            _, _, valid, sums = await ctx.tick().sample(dut.sums.valid, dut.sums.p)
            if valid:
                values = [sums.values[i] for i in range(config.sum_channels)]
                left.append((clock, values, sums.count, sums.new_group, sums.end))
            clock += 1

        for lines, (count, new_group, end) in positions:
            for index, (activations, inside) in enumerate(lines):
                for _ in range(0 if gaps is None else gaps.choice([0, 0, 1, 3])):
                    ctx.set(dut.step.valid, 0)
                    ctx.set(dut.step.p.last, int(gaps.integers(2)))
                    await tick()
                last = index == len(lines) - 1
                ctx.set(dut.step.valid, 1)
                ctx.set(dut.step.p, {
                    "first": index == 0, "last": last, "inside": inside, "count": count,
                    "new_group": new_group, "end": end and last,
                })
                ctx.set(dut.activations.as_value(), int.from_bytes(activations.tobytes(), "little"))
                if last:
                    due.append(clock + dut.latency)
                await tick()
                if last:
                    ctx.set(dut.step.valid, 0)
                    await tick()
        ctx.set(dut.step.valid, 0)
        for _ in range(3):
            await tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()

    rest = [0] * (config.sum_channels - config.lanes)
    expected = [
        (
            when,
            golden(lines, signed=signed, maximum=maximum) + rest,
            *place,
        )
        for when, (lines, place) in zip(due, positions, strict=True)
    ]
    assert left == expected


def random_positions(random, lanes, number, *, lines=(1, 10), inside=0.6):
    return [
        (
            [
                (
                    random.choice([0, 1, 127, 128, 255, 77, 200], lanes).astype(np.uint8),
                    int(random.random() < inside),
                )
                for _ in range(random.integers(*lines))
            ],
            (int(random.integers(lanes)), int(random.integers(2)), int(random.integers(2))),
        )
        for _ in range(number)
    ]


def test_wrong_init():
    for core in (CompactPoolUnit, CompactPoolLane):
        with pytest.raises(TypeError) as error:
            core(8)
        assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not 8"


@pytest.mark.parametrize("maximum", [0, 1])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(("rows", "lanes"), [(4, 4), (1, 1), (3, 8), (1, 32)])
def test_equals_golden(rows, lanes, signed, maximum):
    config = EngineConfig(rows=rows, lanes=lanes, accumulator_bits=14, compact=True)
    random = np.random.default_rng(rows + lanes)
    positions = random_positions(random, lanes, 40)
    check(config, positions, signed=signed, maximum=maximum, gaps=random)


@pytest.mark.parametrize("maximum", [0, 1])
def test_positions_of_one_line_one_after_the_other(maximum):
    config = EngineConfig(rows=2, lanes=2, accumulator_bits=12, compact=True)
    positions = random_positions(np.random.default_rng(3), 2, 60, lines=(1, 2))
    check(config, positions, signed=1, maximum=maximum)


@pytest.mark.parametrize("signed", [0, 1])
def test_extremes_of_the_largest_window(signed):
    config = EngineConfig(rows=1, lanes=1, accumulator_bits=20, compact=True)
    positions = [
        ([(np.array([a], np.uint8), 1)] * 128, (0, 0, 0)) for a in (255, 128, 127, 0)
    ]
    check(config, positions, signed=signed, maximum=0)
    check(config, positions, signed=signed, maximum=1)
