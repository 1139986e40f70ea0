"""The activation memory, in one bank and in two, against an array of words."""

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola_hw.memory import ActivationMemory, OneBank, TwoBanks
from tombola_hw.memory_half import BlockHalf, SpramHalf

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def check(config, *, clocks=600, seed=0):
    """Random reads and writes; the word that is written, or its bank of two, is not read."""
    dut = ActivationMemory(config)
    random = np.random.default_rng(seed)
    words, half = config.activation_words, config.activation_words // 2
    model = np.zeros((words, config.lanes), np.uint8)

    async def bench(ctx):
        for clock in range(clocks):
            write = int(random.integers(words)) if clock % 8 else words - 1
            read = int(random.integers(words)) if random.random() < 0.7 else write
            valid = int(random.random() < 0.7)
            shared = read == write if config.activation_banks == 1 else not (read ^ write) & half
            if valid and shared:
                read ^= half
            if valid and clock % 5 == 0:
                read = write
            lanes = random.random(config.lanes) < 0.5
            data = random.integers(0, 256, config.lanes)
            ctx.set(dut.read_address, read)
            ctx.set(dut.write.valid, valid)
            apart = valid and read != write
            ctx.set(dut.write.p.apart, apart)
            ctx.set(dut.write.p.address, write if apart else int(random.integers(words)))
            ctx.set(dut.write.p.lanes, sum(int(lane) << i for i, lane in enumerate(lanes)))
            ctx.set(dut.write.p.data, data.tolist())
            await ctx.tick()
            seen = ctx.get(dut.read_data)
            if not valid or read != write:
                assert [seen[i] for i in range(config.lanes)] == model[read].tolist(), clock
            if valid:
                model[write, lanes] = data[lanes]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def spram_config(**changes):
    sizes = {"lanes": 4, "activation_words": 1 << 15, "activation_banks": 2}
    return EngineConfig(**{**sizes, **changes})


def test_init():
    for half in (BlockHalf(depth=16, lanes=4), SpramHalf(depth=16, lanes=4)):
        assert half.port.address.shape().width == 4
        assert half.port.read_data.shape().width == 32


def test_wrong_init():
    for core in (ActivationMemory, OneBank, TwoBanks):
        with pytest.raises(TypeError) as error:
            core({})
        assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not {{}}"
    with pytest.raises(TypeError) as error:
        ActivationMemory(EngineConfig(), spram=1)
    assert str(error.value) == "ActivationMemory spram must be a bool, not 1"
    with pytest.raises(ConfigError) as error:
        ActivationMemory(EngineConfig(), spram=True)
    assert str(error.value) == "ActivationMemory activation_banks must be 2 with spram, not 1"
    with pytest.raises(ConfigError) as error:
        ActivationMemory(spram_config(lanes=8), spram=True)
    assert str(error.value) == "SpramHalf lanes must be 2 or 4, not 8"
    with pytest.raises(ConfigError) as error:
        ActivationMemory(spram_config(activation_words=1 << 16), spram=True)
    assert str(error.value) == "SpramHalf depth must be between 1 and 16384, not 32768"


@pytest.mark.parametrize("banks", [1, 2])
@pytest.mark.parametrize(("lanes", "words"), [(1, 16), (4, 16), (4, 4096), (32, 64)])
def test_equals_golden(lanes, words, banks):
    check(EngineConfig(lanes=lanes, activation_words=words, activation_banks=banks), seed=lanes)


@pytest.mark.parametrize(("lanes", "blocks"), [(2, 2), (4, 4)])
def test_spram_is_made_of_the_parts_own_blocks(lanes, blocks):
    memory = ActivationMemory(spram_config(lanes=lanes), spram=True)
    # The stream is always ready, which is no signal and so no port.
    write = memory.write
    ports = [memory.read_address, memory.read_data.as_value(), write.valid, write.p.as_value()]
    text = rtlil.convert(memory, ports=ports)
    assert text.count("cell \\SB_SPRAM256KA ") == blocks
    assert "cell $mem" not in text
