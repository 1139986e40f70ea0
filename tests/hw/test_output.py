"""The output unit against requantisation, table index and addresses written as formulas."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from tombola.spec.arithmetic import half, requantise, signed_range
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola_hw.compact_serialiser import CompactSerialiser
from tombola_hw.output import OutputUnit
from tombola_hw.placement import Placement
from tombola_hw.serialiser import Serialiser
from tombola_hw.table_cursor import TableCursor

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

LAYER = {
    "shift": 8, "clamp_low": -128, "clamp_high": 127, "logits": 0, "output_base": 0,
    "output_step": 0, "table_base": 0, "table_step": 1,
}


def wrap(value, bits):
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def golden(config, layer, table, groups):
    """Results (value, address, lane, logits, end) of one layer in order.

    `groups` is a list of channel groups, each an int array (positions, channels).
    """
    results, first_channel = [], 0
    bits = (max(config.activation_words, config.result_words) - 1).bit_length()
    for group, sums in enumerate(groups):
        for position, index in np.ndindex(sums.shape):
            channel = first_channel + index
            scale, bias = table[
                (layer["table_base"] + layer["table_step"] * channel) % config.table_entries
            ]
            value = int(requantise(
                sums[position, index], np.int64(scale), np.int64(bias) - half(layer["shift"]),
                shift=layer["shift"],
                clamp=None if layer["logits"] else (layer["clamp_low"], layer["clamp_high"]),
            ))
            word, lane = (channel, 0) if layer["logits"] else divmod(channel, config.lanes)
            address = layer["output_base"] + position * layer["output_step"] + word
            end = group == len(groups) - 1 and (position + 1, index + 1) == sums.shape
            address %= 1 << bits
            results.append((wrap(value, 32), address, lane, layer["logits"], int(end)))
        first_channel += sums.shape[1]
    return results


def check(config, table, layers, *, gaps=None, pipelined=False):
    """`layers` is a list of (layer, groups, source), the source being ``mac`` or ``pool``."""
    dut = OutputUnit(config, pipelined=pipelined)
    random = np.random.default_rng(0)
    left, due, clock = [], [], 0

    async def bench(ctx):
        async def tick():
            nonlocal clock
            _, _, address, valid, result = await ctx.tick().sample(
                dut.table_address, dut.results.valid, dut.results.p
            )
            scale, bias = table[address]
            ctx.set(dut.table_entry, {"scale": scale, "bias": bias})
            if valid:
                # A requantiser fills 9 bits unless these are logits.
                bits = 32 if result.logits else 9
                value = wrap(result.value, bits)
                left.append((
                    clock, value, result.address, result.lane, result.logits, result.end
                ))
            clock += 1

        for layer, groups, name in layers:
            for field, value in layer.items():
                ctx.set(getattr(dut.layer, field), value)
            source = getattr(dut, name)
            held = None
            ctx.set(dut.start, 1)
            if gaps is not None and gaps.integers(2):
                await tick()
                ctx.set(dut.start, 0)
            for group, sums in enumerate(groups):
                for position, values in enumerate(sums):
                    last = group == len(groups) - 1 and position == len(sums) - 1
                    rest = [0] * (len(source.p.values) - len(values))
                    taken = [int(v) for v in values] + rest
                    # Those of an array that is not compact come a clock later, and stay.
                    stay = name == "mac" and not config.compact
                    ctx.set(source.p, {
                        "values": held or taken[::-1] if stay else taken,
                        "count": len(values) - 1,
                        "new_group": position == 0, "end": last,
                    })
                    ctx.set(source.valid, 1)
                    due.extend(clock + dut.latency + i for i in range(len(values)))
                    await tick()
                    ctx.set(dut.start, 0)
                    ctx.set(source.valid, 0)
                    ctx.set(source.p.as_value(), int(random.integers(1 << 30)))
                    if stay:
                        ctx.set(source.p["values"], taken)
                        held = taken
                    wait = len(values) - 1 + (0 if gaps is None else int(gaps.choice([0, 0, 1, 4])))
                    for _ in range(wait):
                        await tick()
            for _ in range(dut.latency + 1):
                await tick()
            ctx.set(source.p.as_value(), 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()

    expected = [
        result for layer, groups, _ in layers for result in golden(config, layer, table, groups)
    ]
    assert left == [(when, *result) for when, result in zip(due, expected, strict=True)]


def random_table(random, config):
    # What a program's biases can be, but for what is missing from the sums.
    bound = 3 << 30
    return [
        (int(random.integers(-(1 << 15), 1 << 15)), int(random.integers(-bound, bound)))
        for _ in range(config.table_entries)
    ]


def random_groups(random, bounds, width, *, positions, groups):
    """Groups of `width` channels but the last, which may have fewer."""
    low, high = bounds
    widths = [width] * (groups - 1) + [int(random.integers(1, width + 1))]
    return [random.integers(low, high + 1, (positions, w)) for w in widths]


def test_init():
    config = EngineConfig()
    assert OutputUnit(config).latency == 14
    assert OutputUnit(config, pipelined=True).latency == 16
    assert OutputUnit(EngineConfig(compact=True)).latency == 6
    assert Placement(EngineConfig(activation_words=16, result_words=1024)).bits == 10


def test_wrong_init():
    for core in (OutputUnit, Placement, Serialiser, CompactSerialiser, TableCursor):
        with pytest.raises(TypeError) as error:
            core(3)
        assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not 3"
    with pytest.raises(TypeError) as error:
        OutputUnit(EngineConfig(), pipelined=1)
    assert str(error.value) == "OutputUnit pipelined must be a bool, not 1"


@pytest.mark.parametrize(
    ("pipelined", "compact"), [(True, False), (False, False), (False, True), (True, True)]
)
@pytest.mark.parametrize(
    ("rows", "lanes", "bits"),
    [(4, 4, 20), (1, 1, 12), (3, 2, 15), (3, 32, 24), (5, 4, 16), (16, 1, 32), (11, 8, 32)],
)
def test_equals_golden(rows, lanes, bits, pipelined, compact):
    config = EngineConfig(
        rows=rows, lanes=lanes, accumulator_bits=bits, activation_words=256, table_entries=32,
        result_words=32, compact=compact,
    )
    random = np.random.default_rng(100 * rows + lanes)
    layers = []
    for index in range(8):
        source = "pool" if index % 3 == 2 else "mac"
        width = config.group_size(Operation.CONVOLVE if source == "mac" else Operation.MAX_POOL)
        high = int(random.integers(0, 256))
        layer = {
            **LAYER,
            "shift": int(random.integers(32)),
            "clamp_low": int(random.integers(-256, high + 1)),
            "clamp_high": high,
            "logits": index % 2,
            "output_base": int(random.integers(1 << 20)),
            "output_step": int(random.integers(1 << 20)),
            "table_base": int(random.integers(40)),
            "table_step": int(index != 4),
        }
        maxima = source == "pool" and not compact
        groups = random_groups(
            random, (0, 255) if maxima else signed_range(bits), width,
            positions=int(random.integers(1, 4)), groups=int(random.integers(1, 4)),
        )
        layers.append((layer, groups, source))
    check(config, random_table(random, config), layers, gaps=random, pipelined=pipelined)


@pytest.mark.parametrize(("rows", "lanes"), [(1, 1), (3, 4), (2, 32)])
def test_back_to_back_positions_and_groups(rows, lanes):
    config = EngineConfig(rows=rows, lanes=lanes, accumulator_bits=20)
    random = np.random.default_rng(5)
    groups = [random.integers(-1000, 1000, (4, rows)) for _ in range(5)]
    layer = {**LAYER, "output_step": 7, "output_base": 3, "shift": 4}
    check(config, random_table(random, config), [(layer, groups, "mac")])


def test_a_clamped_value_of_one_channel_a_position():
    config = EngineConfig(rows=4, lanes=4)
    random = np.random.default_rng(6)
    groups = [random.integers(-1000, 1000, (6, 1))]
    layer = {**LAYER, "output_step": 1, "shift": 20}
    check(config, random_table(random, config), [(layer, groups, "mac")])
