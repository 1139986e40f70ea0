"""The requantiser at the edges of its operands, its shift and its clamp."""

import itertools

import numpy as np
import pytest
from amaranth.sim import Simulator

from tombola.spec.arithmetic import half, requantise, signed_range
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola_hw.compact_requantiser import CompactRequantiser
from tombola_hw.compact_scaler import CompactScaler
from tombola_hw.compact_shifter import CompactShifter
from tombola_hw.requantiser import Requantiser
from tombola_hw.scaler import Scaler
from tombola_hw.shifter import Shifter

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def check(config, cases, *, shift, clamp, pipelined=False):
    """Cases (value, scale, bias), one a clock, of one layer; no clamp means logits."""
    dut = CompactRequantiser(config)
    if not config.compact:
        dut = Requantiser(config, pipelined=pipelined, makes_logits=pipelined or clamp is None)
    results = []

    async def bench(ctx):
        ctx.set(dut.layer.shift, shift)
        ctx.set(dut.layer.logits, clamp is None)
        if clamp is not None:
            ctx.set(dut.layer.clamp_low, clamp[0])
            ctx.set(dut.layer.clamp_high, clamp[1])
        for value, scale, bias in [*cases, *[(0, 0, 0)] * dut.latency]:
            ctx.set(dut.value, value)
            _, _, result = await ctx.tick().sample(dut.result)
            results.append(result)
            ctx.set(dut.entry, {"scale": scale, "bias": bias})

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()

    value, scale, bias = np.array(cases, np.int64).T
    expected = requantise(value, scale, bias - half(shift), shift=shift, clamp=clamp)
    results = np.array(results[dut.latency:], np.int32)
    bits = 32 - 9 if clamp is not None else 0
    np.testing.assert_array_equal(results << bits >> bits, expected.astype(np.int32))


def extremes(bits):
    low, high = signed_range(bits)
    return [low, low + 1, -1, 0, 1, high - 1, high]


def edges(*, shift, clamp):
    """Biases that put a product of 0 on both sides of the clamp's bounds, and of 9 and 32 bits,
    in a total of 41 bits."""
    for bound in (*clamp, -256, 255, *signed_range(32)):
        for offset in (-1, 0, 1):
            for low in (0, (1 << shift) - 1):
                bias = ((bound + offset) << shift) + low
                if -(1 << 40) <= bias < 1 << 40:
                    yield (0, 1, bias)


def test_init():
    config = EngineConfig(accumulator_bits=32)
    assert Requantiser(config).latency == 12
    assert Requantiser(config, pipelined=True).latency == 14
    several = EngineConfig(pixels=2)
    assert Requantiser(several, pipelined=True).latency == 14
    assert Requantiser(several, pipelined=True, makes_logits=False).latency == 14
    assert Scaler(config).total_bits == 49
    assert Scaler(EngineConfig(accumulator_bits=24)).total_bits == 41
    assert Scaler(EngineConfig(accumulator_bits=12)).total_bits == 34


def test_compact_init():
    config = EngineConfig(accumulator_bits=20, compact=True)
    assert CompactRequantiser(config).latency == 5
    assert CompactScaler(config).total_bits == 37
    assert CompactScaler(EngineConfig(accumulator_bits=12)).total_bits == 34
    with pytest.raises(ConfigError) as error:
        CompactShifter(65)
    assert str(error.value) == "CompactShifter total_bits must be between 32 and 64, not 65"


def test_wrong_init():
    for core in (Requantiser, Scaler, CompactRequantiser, CompactScaler):
        with pytest.raises(TypeError) as error:
            core(1.5)
        assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not 1.5"
    for core in (Requantiser, Scaler):
        with pytest.raises(TypeError) as error:
            core(EngineConfig(), pipelined=None)
        assert str(error.value) == f"{core.__name__} pipelined must be a bool, not None"
    with pytest.raises(TypeError) as error:
        Requantiser(EngineConfig(), makes_logits=0)
    assert str(error.value) == "Requantiser makes_logits must be a bool, not 0"
    with pytest.raises(ConfigError) as error:
        Shifter(65, 32)
    assert str(error.value) == "Shifter total_bits must be between 2 and 64, not 65"
    with pytest.raises(ConfigError) as error:
        Shifter(40, 40)
    assert str(error.value) == "Shifter result_bits must be between 1 and 39, not 40"


@pytest.mark.parametrize("pipelined", [True, False])
@pytest.mark.parametrize("bits", [12, 16, 20, 32])
def test_extremes_of_all_operands(bits, pipelined):
    config = EngineConfig(accumulator_bits=bits)
    totals = extremes(Scaler(config).total_bits)
    cases = [
        (value, scale, bias)
        for value, scale in itertools.product(extremes(bits), extremes(16))
        for bias in (*extremes(34), *(total - value * scale for total in totals))
        if abs(bias) < 1 << 47 and abs(value * scale + bias) < totals[-1]
    ]
    for shift in (0, 17):
        check(config, cases, shift=shift, clamp=(-128, 127), pipelined=pipelined)
    check(config, cases, shift=31, clamp=(-256, 255), pipelined=pipelined)
    # A total may leave more than a logit of 32 bits; the low 32 bits are kept.
    check(config, cases, shift=13, clamp=None, pipelined=pipelined)


@pytest.mark.parametrize("pipelined", [True, False])
@pytest.mark.parametrize("clamp", [(-128, 127), (0, 255), (0, 1), (-256, 255), (5, 5)])
def test_clamp_edges_at_every_shift(clamp, pipelined):
    config = EngineConfig()
    for shift in [*range(0, 31, 2 if clamp == (0, 255) else 10), 31]:
        cases = list(edges(shift=shift, clamp=clamp))
        check(config, cases, shift=shift, clamp=clamp, pipelined=pipelined)
        check(config, cases, shift=shift, clamp=None, pipelined=pipelined)


@pytest.mark.parametrize("pixels", [1, 2])
def test_pixels_of_an_engine_requantise_alike(pixels):
    """Logits and not, with the waits that make their latencies equal."""
    config = EngineConfig(accumulator_bits=20, pixels=pixels)
    random = np.random.default_rng(pixels)
    cases = [tuple(int(random.integers(-(1 << n), 1 << n)) for n in (19, 15, 33))
             for _ in range(200)]  # fmt: skip
    for shift in (0, 9, 19, 31):
        check(config, cases, shift=shift, clamp=None, pipelined=True)
        for pipelined in (True, False):
            check(config, cases, shift=shift, clamp=(-77, 99), pipelined=pipelined)


@pytest.mark.parametrize("bits", [12, 16, 17, 20, 32])
def test_compact_extremes_of_all_tables_of_programs(bits):
    config = EngineConfig(accumulator_bits=bits, compact=True)
    most = (1 << bits - 1) // 128  # weights of a channel
    cases = [
        (value, scale, bias + rounding + scale * (128 * positive + (1 - 128) * negative))
        for value in extremes(bits)
        for scale in extremes(16)
        for bias in extremes(32)
        for rounding in (0, 1 << 30)
        for positive, negative in ((0, 0), (most, 0), (0, most))
        # Sums of unsigned activations times these weights, minus what the bias gives back.
        if -255 * negative <= value + 128 * positive + (1 - 128) * negative <= 255 * positive
        or not positive + negative
    ]
    for shift in (0, 15, 16, 31):
        check(config, cases, shift=shift, clamp=(-128, 127))
        check(config, cases, shift=shift, clamp=None)


@pytest.mark.parametrize("clamp", [(-128, 127), (0, 255), (-256, 255), (5, 5)])
def test_compact_clamp_edges_at_every_shift(clamp):
    config = EngineConfig(accumulator_bits=20, compact=True)
    for shift in range(32):
        cases = [(0, 1, 0), *edges(shift=shift, clamp=clamp)]
        cases = [case for case in cases if abs(case[2]) < 3 << 30]
        check(config, cases, shift=shift, clamp=clamp)
        check(config, cases, shift=shift, clamp=None)


SHORT = EngineConfig(accumulator_bits=16, compact=True, short_totals=True)


def test_short_init():
    assert CompactRequantiser(SHORT).latency == 4
    assert CompactScaler(SHORT).total_bits == 32


@pytest.mark.parametrize("clamp", [(-128, 127), (0, 255), (-256, 255), (5, 5), None])
def test_short_totals_at_every_shift(clamp):
    """Values, scales and biases at their ends, as long as what comes of them has 32 bits."""
    cases = [
        (value, scale, bias)
        for value in extremes(16)
        for scale in extremes(16)
        for bias in extremes(32)
        if -(1 << 31) <= value * scale + bias < 1 << 31
    ]
    assert len(cases) > 150
    for shift in range(32):
        near = [] if clamp is None else list(edges(shift=shift, clamp=clamp))
        near = [case for case in near if -(1 << 31) <= case[2] < 1 << 31]
        check(SHORT, cases + near, shift=shift, clamp=clamp)
