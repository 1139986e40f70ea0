"""The pooling unit against numpy's maximum, part by part of a word."""

import numpy as np
import pytest
from support.benches import simulate

from tombola.spec.engine import EngineConfig
from tombola_hw.interfaces import part_lanes
from tombola_hw.max_pool import MaxPoolUnit

BYTES = [0, 1, 77, 127, 128, 129, 200, 255]


def random_positions(random, config, number, *, lines=(1, 10)):
    """Positions: (part, lines of (activations (pixels, lanes), inside (pixels,)), place)."""
    width = config.maximum_lanes
    shape = config.pixels, config.lanes
    positions = []
    for _ in range(number):
        taken = [
            (random.choice(BYTES, shape), random.random(config.pixels) < 0.6)
            for _ in range(random.integers(*lines))
        ]
        # At least one line counts: a window of the network always meets its map.
        taken[random.integers(len(taken))][1][:] = True
        lane = width * int(random.integers(config.lanes // width))
        place = [int(random.integers(n)) for n in (width, 2, 2)]
        positions.append((lane, taken, place))
    return positions


def golden(config, position, *, signed):
    lane, lines, _ = position
    offset = 128 if signed else 0
    values = np.array([word[:, lane : lane + config.maximum_lanes] for word, _ in lines])
    inside = np.array([flags for _, flags in lines])[:, :, None]
    return np.where(inside, (values + offset) % 256, 0).max(axis=0).tolist()


def check(config, positions, *, signed, gaps=None):
    dut = MaxPoolUnit(config)
    left, due = [], []

    async def bench(ctx):
        clock = 0

        async def tick():
            nonlocal clock
            _, _, valid, maxima = await ctx.tick().sample(dut.maxima.valid, dut.maxima.p)
            if valid:
                pixels = [maxima.values] if config.pixels == 1 else maxima.values
                left.append((
                    clock, [list(values) for values in pixels], maxima.count, maxima.new_group,
                    maxima.end,
                ))  # fmt: skip
            clock += 1

        ctx.set(dut.signed, signed)
        for lane, lines, (count, new_group, end) in positions:
            for index, (word, inside) in enumerate(lines):
                for _ in range(0 if gaps is None else gaps.choice([0, 0, 1, 3])):
                    ctx.set(dut.step.valid, 0)
                    ctx.set(dut.step.p.last, int(gaps.integers(2)))
                    ctx.set(dut.activations.as_value(), int(gaps.integers(256)))
                    await tick()
                last = index == len(lines) - 1
                part = {"part": lane // part_lanes(config)}
                ctx.set(dut.step.valid, 1)
                ctx.set(dut.step.p, {
                    "first": index == 0, "last": last, "count": count, "new_group": new_group,
                    "inside": sum(int(flag) << pixel for pixel, flag in enumerate(inside)),
                    "end": end and last, **(part if part_lanes(config) < config.lanes else {}),
                })  # fmt: skip
                packed = int.from_bytes(word.astype(np.uint8).tobytes(), "little")
                ctx.set(dut.activations.as_value(), packed)
                if last:
                    due.append(clock + dut.latency)
                await tick()
        ctx.set(dut.step.valid, 0)
        for _ in range(dut.latency + 1):
            await tick()

    simulate(dut, bench)
    assert left == [
        (when, golden(config, position, signed=signed), *position[2])
        for when, position in zip(due, positions, strict=True)
    ]


def test_wrong_init():
    with pytest.raises(TypeError) as error:
        MaxPoolUnit(8)
    assert str(error.value) == "MaxPoolUnit config must be an EngineConfig, not 8"


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(
    ("rows", "lanes", "pixels"),
    [(4, 4, 1), (1, 1, 1), (3, 8, 4), (1, 32, 1), (16, 32, 1), (2, 16, 2), (5, 8, 1)],
)
def test_equals_golden(rows, lanes, pixels, signed):
    config = EngineConfig(rows=rows, lanes=lanes, pixels=pixels)
    random = np.random.default_rng(rows + lanes + pixels)
    check(config, random_positions(random, config, 30), signed=signed, gaps=random)


def test_back_to_back_positions_of_one_line():
    config = EngineConfig(rows=2, lanes=16)
    random = np.random.default_rng(3)
    check(config, random_positions(random, config, 60, lines=(1, 2)), signed=1)


def test_bytes_that_are_close_or_differ_in_one_bit():
    config = EngineConfig(rows=2, lanes=8)
    pairs = [
        (a, b % 256) for a in range(256) for b in (a - 1, a + 1, *(a ^ 1 << k for k in range(8)))
    ]
    inside = np.ones(1, bool)
    positions = [
        (0, [(words[None, :, side], inside) for side in (0, 1)], [7, 0, 0])
        for words in np.array(pairs).reshape(-1, 8, 2)
    ]
    check(config, positions, signed=0)
