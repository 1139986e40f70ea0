"""The array against a dot product in which a negative weight takes the complement."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth import Mux, Shape, Signal
from amaranth.sim import Simulator

from tombola.spec.arithmetic import raw_accumulator_bits, signed_range
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola_hw.adder_tree import AdderTree
from tombola_hw.mac import MacArray
from tombola_hw.mac_row import MacRow, MacRowSignature

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


KINDS = [{}, {"compact": True}, {"unsigned_sums": True}]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "".join(kind) or "plain")


def golden(config, position, signed):
    """Sums of one position: a list of (activations, signs (rows, lanes) of -1, 0, 1, inside)."""
    total = 0
    upper = 0
    for activations, signs, inside, *more in position:
        a = activations.astype(np.int64)
        if signed:
            a = np.where(a > 127, a - 256, a)
        a = a * inside
        if config.compact and not signed:
            a = a - 128
        if config.unsigned_sums and signed:
            a = a + 128
        negative = 255 - a if config.unsigned_sums else ~a
        line = 2 * upper + np.where(signs > 0, a, np.where(signs < 0, negative, 0)).sum(axis=1)
        upper, total = (line, total) if more and more[0] else (0, total + line)
    return total.tolist()


def pack(bits):
    """Bool array, last axis lowest, as one number."""
    return int.from_bytes(np.packbits(bits.reshape(-1), bitorder="little").tobytes(), "little")


def run(dut, positions, *, signed=0, gaps=None, rest=False):
    """Feeds positions, each with its place in the layer; returns what left and when it was due.

    With `rest` a clock without a line follows each position.
    """
    left, due = [], []

    async def bench(ctx):
        ctx.set(dut.signed, signed)
        clock = 0

        async def tick():
            nonlocal clock
            _, _, valid, sums = await ctx.tick().sample(dut.sums.valid, dut.sums.p)
            # The values of a compact array come with `valid`, the others are there afterwards.
            values = sums.values if rest else ctx.get(dut.sums.p.values)
            if valid:
                values = [values[i] for i in range(len(dut.sums.p.values))]
                left.append((clock, values, sums.count, sums.new_group, sums.end))
            clock += 1

        for lines, (count, new_group, end) in positions:
            for index, (activations, signs, inside, *more) in enumerate(lines):
                for _ in range(0 if gaps is None else gaps.choice([0, 0, 1, 3])):
                    # Between lines the other ports may show anything.
                    ctx.set(dut.step.valid, 0)
                    ctx.set(dut.step.p.last, int(gaps.integers(2)))
                    ctx.set(dut.activations.as_value(), int(gaps.integers(256)))
                    await tick()
                last = index == len(lines) - 1
                ctx.set(dut.step.valid, 1)
                ctx.set(dut.step.p, {
                    "first": index == 0, "last": last, "inside": inside, "count": count,
                    "new_group": new_group, "end": end and last,
                    **({"more": more[0]} if more else {}),
                })
                ctx.set(dut.activations.as_value(), int.from_bytes(activations.tobytes(), "little"))
                ctx.set(dut.weights.positive.as_value(), pack(signs > 0))
                ctx.set(dut.weights.negative.as_value(), pack(signs < 0))
                if last:
                    due.append(clock + dut.latency)
                await tick()
                if last and rest:
                    ctx.set(dut.step.valid, 0)
                    await tick()
        ctx.set(dut.step.valid, 0)
        for _ in range(dut.latency + 1):
            await tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return left, due


def check(dut, config, positions, *, signed=0, gaps=None):
    left, due = run(dut, positions, signed=signed, gaps=gaps, rest=config.compact)
    rest = [0] * (config.sum_channels - config.rows) if config.compact else []
    expected = [
        (when, golden(config, lines, signed) + rest, count, new_group, end)
        for when, (lines, (count, new_group, end)) in zip(due, positions, strict=True)
    ]
    assert left == expected


def random_positions(random, config, number, *, lines=(1, 6)):
    positions = []
    for _ in range(number):
        position = [
            (
                random.choice([0, 1, 127, 128, 255, 77], config.lanes).astype(np.uint8),
                random.integers(-1, 2, (config.rows, config.lanes)),
                int(random.random() < 0.8),
            )
            for _ in range(random.integers(*lines))
        ]
        place = tuple(int(random.integers(n)) for n in (config.rows, 2, 2))
        positions.append((position, place))
    return positions


def test_init():
    config = EngineConfig(rows=2, lanes=8)
    dut = MacArray(config)
    assert dut.latency == 4
    assert MacArray(config, pipelined=True).latency == 5
    assert MacArray(replace(config, compact=True)).latency == 1
    assert MacArray(replace(config, compact=True), pipelined=True).latency == 2
    assert MacRow(config).latency == 4
    assert MacRow(config, levels_per_register=2).latency == 3
    assert AdderTree(5, term_bits=9).latency == 3
    assert AdderTree(5, term_bits=9).total_bits == 12
    assert AdderTree(1, term_bits=9).latency == 0
    assert AdderTree(5, term_bits=9, levels_per_register=0).latency == 0


def test_wrong_init():
    for core in (MacArray, MacRow, MacRowSignature):
        with pytest.raises(TypeError) as error:
            core("4x4")
        assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not '4x4'"
    with pytest.raises(TypeError) as error:
        MacArray(EngineConfig(), pipelined=2)
    assert str(error.value) == "MacArray pipelined must be a bool, not 2"
    with pytest.raises(TypeError) as error:
        MacRow(EngineConfig(), levels_per_register=1.0)
    assert str(error.value) == "AdderTree levels_per_register must be an int, not 1.0"
    with pytest.raises(ConfigError) as error:
        AdderTree(0, term_bits=9)
    assert str(error.value) == "AdderTree terms must be between 1 and 256, not 0"


@kinds
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(
    ("rows", "lanes", "levels"),
    [(4, 4, 1), (1, 1, 1), (3, 8, 2), (2, 32, 1), (1, 16, 8), (5, 2, 1)],
)
def test_equals_golden(rows, lanes, levels, signed, kind):
    config = EngineConfig(rows=rows, lanes=lanes, accumulator_bits=18, **kind)
    dut = MacArray(
        config, row=lambda c: MacRow(c, levels_per_register=levels), pipelined=rows == 3
    )
    random = np.random.default_rng(1000 * rows + lanes)
    positions = random_positions(random, config, 25)
    check(dut, config, positions, signed=signed, gaps=random)


def in_planes(random, positions, most):
    """The lines of each position with weights of several bits, a line for each plane of them.

    Their number is the same in all positions, as it is in a layer, and up to `most`.
    """
    planes = int(random.integers(1, most + 1))
    return [
        (
            [
                (activations, signs * (random.random(signs.shape) < 0.7), inside, plane > 0)
                for activations, signs, inside in lines
                for plane in reversed(range(planes))
            ],
            place,
        )
        for lines, place in positions
    ]


@kinds
@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize(("planes", "rows", "lanes"), [(2, 3, 4), (3, 2, 8), (7, 2, 1)])
def test_planes_weigh_twice_as_much_as_those_after_them(planes, rows, lanes, pipelined, kind):
    config = EngineConfig(rows=rows, lanes=lanes, planes=planes, accumulator_bits=20, **kind)
    dut = MacArray(config, pipelined=pipelined)
    random = np.random.default_rng(planes)
    for signed, gaps in ((0, None), (1, random)):
        positions = in_planes(random, random_positions(random, config, 20), planes)
        check(dut, config, positions, signed=signed, gaps=gaps)


class ForgetfulRow(MacRow):
    """A row in which all planes count the same."""

    def _weighted(self, m, plane):
        before, sum = (Signal(Shape(20, signed=True)) for _ in range(2))
        m.d.comb += sum.eq(before + plane)
        with m.If(self.port.accumulate):
            m.d.sync += before.eq(Mux(self.port.more, sum, 0))
        return sum


def test_a_row_that_does_not_double_is_found_out():
    config = EngineConfig(rows=2, lanes=4, planes=2, accumulator_bits=20)
    random = np.random.default_rng(3)
    positions = random_positions(random, config, 5)
    positions = [
        ([(*line, more) for line in lines for more in (1, 0)], place) for lines, place in positions
    ]
    check(MacArray(config), config, positions)
    with pytest.raises(AssertionError):
        check(MacArray(config, row=ForgetfulRow), config, positions)


@pytest.mark.parametrize("planes", [2, 7])
@pytest.mark.parametrize("compact", [False, True])
def test_extremes_of_all_planes(planes, compact):
    config = EngineConfig(rows=1, lanes=32, planes=planes, accumulator_bits=21, compact=compact)
    fan_in = (1 << 21 - config.operand_bits) // ((1 << planes) - 1)
    bits = raw_accumulator_bits(fan_in, (1 << planes) - 1, operand_bits=config.operand_bits)
    assert bits == 21

    def extreme(activation, sign):
        line = (np.full(32, activation, np.uint8), np.full((1, 32), sign), 1)
        planes_of_line = [(*line, plane > 0) for plane in reversed(range(planes))]
        return (planes_of_line * (fan_in // 32), (0, 0, 0))

    positions = [extreme(a, sign) for a in (255, 0, 128) for sign in (1, -1)]
    for signed in (0, 1):
        check(MacArray(config), config, positions, signed=signed)


@kinds
def test_back_to_back_positions_of_one_line(kind):
    config = EngineConfig(rows=3, lanes=4, accumulator_bits=12, **kind)
    random = np.random.default_rng(7)
    check(MacArray(config), config, random_positions(random, config, 40, lines=(1, 2)))


@kinds
@pytest.mark.parametrize(("lanes", "bits"), [(1, 12), (4, 12), (32, 16)])
@pytest.mark.parametrize("signed", [0, 1])
def test_extremes_of_the_largest_fan_in(lanes, bits, signed, kind):
    config = EngineConfig(rows=1, lanes=lanes, accumulator_bits=bits, **kind)
    fan_in = 1 << (bits - config.operand_bits)
    widths = [
        raw_accumulator_bits(n, 1, operand_bits=config.operand_bits) for n in (fan_in, fan_in + 1)
    ]
    assert widths[0] == bits < widths[1]

    def extreme(activation, sign, inside=1):
        line = (
            np.full(lanes, activation, np.uint8), np.full((1, lanes), sign), inside
        )
        return ([line] * (fan_in // lanes), (0, 0, 0))

    positions = [
        extreme(a, sign, inside)
        for a in (255, 128, 127, 0) for sign in (1, -1, 0) for inside in (1, 0)
    ]
    if config.unsigned_sums:
        assert 255 * fan_in <= signed_range(bits)[1]
    elif not signed:
        lowest = extreme(0, 1) if config.compact else extreme(255, -1)
        assert golden(config, lowest[0], 0) == [signed_range(bits)[0]]
    check(MacArray(config), config, positions, signed=signed)
