"""Array, pooling unit, output unit and activation store of several pixels, each for itself."""

import numpy as np
import pytest
from support.benches import simulate

from tombola.spec.engine import EngineConfig
from tombola.spec.registers import Window
from tombola_hw.mac import MacArray
from tombola_hw.output import OutputUnit
from tombola_hw.stores import ActivationStore

CONFIG = EngineConfig(
    rows=3, lanes=4, pixels=4, accumulator_bits=18, activation_words=32, table_entries=16
)


def lines_of_a_position(random, count):
    """(activations (pixels, lanes), inside (pixels,), weights (rows, lanes)) of each line."""
    shape = CONFIG.pixels, CONFIG.lanes
    return [
        (
            random.integers(0, 256, shape),
            random.random(CONFIG.pixels) < 0.7,
            random.integers(-1, 2, (CONFIG.rows, CONFIG.lanes)),
        )
        for _ in range(count)
    ]


def sums_of(dut, positions, *, part=0, **inputs):
    """Sums (positions, pixels, channels) that leave, with constant `inputs`."""
    left = []

    async def bench(ctx):
        async def tick():
            _, _, valid = await ctx.tick().sample(dut.sums.valid)
            if valid:
                left.append([list(values) for values in ctx.get(dut.sums.p.values)])

        for name, value in {"signed": 1, **inputs}.items():
            ctx.set(getattr(dut, name), value)
        for lines in positions:
            for index, (activations, inside, signs) in enumerate(lines):
                ctx.set(dut.step.valid, 1)
                bits = sum(int(flag) << pixel for pixel, flag in enumerate(inside))
                step = {"last": index == len(lines) - 1, "inside": bits, "part": part}
                ctx.set(dut.step.p, step)
                ctx.set(dut.activations, activations.tolist())
                for sides, value in ((dut.weights.positive, 1), (dut.weights.negative, -1)):
                    for row, lanes in enumerate(signs == value):
                        ctx.set(sides[row], sum(int(x) << i for i, x in enumerate(lanes)))
                await tick()
        ctx.set(dut.step.valid, 0)
        for _ in range(dut.latency + 1):
            await tick()

    simulate(dut, bench)
    return np.array(left)


@pytest.mark.parametrize("pipelined", [False, True])
def test_the_array_adds_each_pixels_own_activations(pipelined):
    random = np.random.default_rng(1)
    positions = [lines_of_a_position(random, count) for count in (3, 1, 1, 5)]
    found = sums_of(MacArray(CONFIG, pipelined=pipelined), positions)
    for position, lines in enumerate(positions):
        expected = np.zeros((CONFIG.pixels, CONFIG.rows), int)
        for activations, inside, signs in lines:
            a = activations.astype(np.uint8).view(np.int8).astype(int) * inside[:, None]
            for row in range(CONFIG.rows):
                terms = np.where(signs[row] > 0, a, np.where(signs[row] < 0, ~a, 0))
                expected[:, row] += terms.sum(axis=1)
        assert found[position, :, : CONFIG.rows].tolist() == expected.tolist()


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("part", [0, 1])
def test_the_array_sums_each_lane_of_a_part_of_a_word(part, pipelined):
    random = np.random.default_rng(2)
    positions = [lines_of_a_position(random, count) for count in (4, 1, 6, 2)]
    dut = MacArray(CONFIG, pipelined=pipelined)
    found = sums_of(dut, positions, part=part, sums_lanes=1)
    for position, lines in enumerate(positions):
        for pixel in range(CONFIG.pixels):
            taken = [a[pixel] for a, inside, _ in lines if inside[pixel]]
            values = np.array(taken or [[0] * CONFIG.lanes]).astype(np.uint8).view(np.int8)
            wanted = values.astype(int).sum(axis=0)[2 * part : 2 * part + 2]
            assert found[position, pixel].tolist() == [*wanted, 0]


@pytest.mark.parametrize("parallel", [0, 1])
def test_results_go_to_their_memories(parallel):
    random = np.random.default_rng(3)
    layer = {"clamp_low": -128, "clamp_high": 127, "output_base": 5, "output_step": 2,
             "table_step": 1, "parallel": parallel, "strip_positions": 3}  # fmt: skip
    sums = random.integers(-200, 200, (2, 7, CONFIG.pixels, CONFIG.rows))  # groups, positions
    dut = OutputUnit(CONFIG)
    left = []

    async def bench(ctx):
        async def tick():
            _, _, valid, result = await ctx.tick().sample(dut.results.valid, dut.results.p)
            if valid:
                values = [(value + 256) % 512 - 256 for value in result.value]  # of 9 bits
                left.append((result.banks, result.address, result.lane, values))

        for name, value in layer.items():
            ctx.set(dut.layer[name], value)
        ctx.set(dut.table_entry, {"scale": 1, "bias": 0})
        ctx.set(dut.start, 1)
        await tick()
        ctx.set(dut.start, 0)
        for group in sums:
            for position, values in enumerate(group):
                ctx.set(dut.mac.p["count"], CONFIG.rows - 1)
                ctx.set(dut.mac.p["new_group"], position == 0)
                ctx.set(dut.mac.valid, 1)
                await tick()
                ctx.set(dut.mac.valid, 0)
                ctx.set(dut.mac.p["values"], [[*map(int, pixel)] for pixel in values])
                for _ in range(CONFIG.rows - 1):
                    await tick()
        for _ in range(dut.latency + 1):
            await tick()

    simulate(dut, bench)
    expected = []
    for group, position, row in np.ndindex(2, 7, CONFIG.rows):
        word, lane = divmod(group * CONFIG.rows + row, CONFIG.lanes)
        strip, at = divmod(position, 3)
        values = np.clip(sums[group, position, :, row], -128, 127).tolist()
        banks = 15 if parallel else 1 << strip
        given = values if parallel else [values[0]] * CONFIG.pixels
        expected.append((banks, 5 + 2 * at + word, lane, given))
    assert left == expected


def test_host_and_engine_share_the_memories():
    dut = ActivationStore(CONFIG)
    words = np.arange(32 * CONFIG.pixels, dtype=np.uint32) * 0x01030507

    async def bench(ctx):
        for address, word in enumerate(words.tolist()):
            ctx.set(dut.host_address, address)
            ctx.set(dut.host_data, word)
            ctx.set(dut.host_write, 1)
            await ctx.tick()
        ctx.set(dut.host_write, 0)
        ctx.set(dut.window, Window.ACTIVATIONS)
        for address in (0, 31, 32, 77, 127):
            ctx.set(dut.host_address, address)
            await ctx.tick().repeat(ActivationStore.latency(CONFIG))
            assert ctx.get(dut.host_read_data) == words[address]
        ctx.set(dut.busy, 1)
        for address, turn in ((0, 0), (3, 1), (31, 3)):
            ctx.set(dut.address, address)
            ctx.set(dut.turn, turn)
            await ctx.tick().repeat(ActivationStore.latency(CONFIG))
            seen = ctx.get(dut.activations)
            for pixel in range(CONFIG.pixels):
                held = int(words[(pixel + turn) % 4 * 32 + address])
                assert [seen[pixel][x] for x in range(4)] == list(held.to_bytes(4, "little"))

    simulate(dut, bench)
