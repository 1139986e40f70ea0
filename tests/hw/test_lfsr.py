"""The leap-forward register against the linear forms and the words of the contract."""

import numpy as np
import pytest
from support.benches import simulate

from tombola.spec import lfsr
from tombola.spec.errors import ConfigError
from tombola_hw.lfsr import LeapLfsr, sequence_terms

STATE = 0x9E3779B97F4A7C15


def test_init():
    dut = LeapLfsr(24)
    assert dut.count == 24
    assert len(dut.bits) == 24


@pytest.mark.parametrize("count", [0, 257])
def test_wrong_init(count):
    with pytest.raises(ConfigError) as error:
        LeapLfsr(count)
    assert str(error.value) == f"LeapLfsr count must be between 1 and 256, not {count}"
    with pytest.raises(TypeError) as error:
        LeapLfsr("8")
    assert str(error.value) == "LeapLfsr count must be an int, not '8'"


def test_terms_are_the_linear_forms_of_the_sequence():
    length = lfsr.STATE_BITS + 256
    forms = []
    for bit, terms in enumerate(sequence_terms(length)):
        form = 1 << bit if not terms else 0
        for term in terms:
            form ^= forms[term]
        forms.append(form)
    assert forms == lfsr.sequence_rows(length)


def test_no_bit_is_deep():
    depth = []
    for terms in sequence_terms(320):
        depth.append(1 + max(depth[term] for term in terms) if terms else 0)
    assert [bit for bit in range(320) if depth[bit] > 2] == list(range(244, 256))
    assert max(depth) == 3


@pytest.mark.parametrize("count", [1, 8, 32, 64, 100, 256])
def test_load_leap_and_save(count):
    dut = LeapLfsr(count)
    leaps = 5
    words = lfsr.words(np.array([STATE], dtype=np.uint64), -(-(leaps * count + 64) // 32))[0]
    sequence = sum(int(word) << (32 * index) for index, word in enumerate(words))

    async def shift(ctx, word):
        low = ctx.get(dut.low)
        ctx.set(dut.word, word)
        ctx.set(dut.shift, 1)
        await ctx.tick()
        ctx.set(dut.shift, 0)
        return low

    async def bench(ctx):
        await shift(ctx, STATE & 0xFFFFFFFF)
        await shift(ctx, STATE >> 32)
        for leap in range(leaps):
            assert ctx.get(dut.bits) == sequence >> (leap * count) & ((1 << count) - 1)
            await ctx.tick()  # without step it stays
            ctx.set(dut.step, 1)
            await ctx.tick()
            ctx.set(dut.step, 0)
        state = await shift(ctx, 0)
        state |= await shift(ctx, 0) << 32
        assert state == sequence >> (leaps * count) & lfsr.STATE_MASK

    simulate(dut, bench)
