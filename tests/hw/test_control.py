"""Sequencer, registers and host access: the engine's control without its data path."""

import pytest
from support.benches import simulate

from tombola.spec import descriptor
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS, IDENTITY, REGISTERS, ErrorCode, Window
from tombola_hw.host_access import HostAccess
from tombola_hw.register_file import COUNTERS, RegisterFile
from tombola_hw.sequencer import Sequencer

CONFIG = EngineConfig(rows=4, lanes=8, ticket_words=128)


def field_values(salt: int) -> dict[str, int]:
    """A value for every field that uses its top and bottom bits."""
    values = {}
    for index, field in enumerate(descriptor.FIELDS):
        low = -(1 << (field.bits - 1)) if field.signed else 0
        values[field.name] = low + (0x5A5A5A5B * (index + 1 + salt)) % (1 << field.bits)
    return values | {"operation": 1 + salt % 3}


def test_sequencer_takes_layers_in_turn():
    layers = [field_values(salt) for salt in range(3)]
    words = [0] * 5 + [word for layer in layers for word in descriptor.pack(layer)]
    unit = Sequencer(CONFIG)
    seen = []

    async def memory(ctx):
        while True:
            address = ctx.get(unit.read_address)
            await ctx.tick()
            ctx.set(unit.read_data, words[address] if address < len(words) else 0)

    async def bench(ctx):
        ctx.set(unit.program, 5)
        ctx.set(unit.layers, 3)
        ctx.set(unit.run, 1)
        await ctx.tick()
        ctx.set(unit.run, 0)
        for layer in range(3):
            while not ctx.get(unit.start):
                assert ctx.get(unit.busy)
                await ctx.tick()
            seen.append({name: ctx.get(unit.layer[name]) for name in descriptor.PLACES})
            await ctx.tick().repeat(3)
            ctx.set(unit.layer_done, 1)
            assert ctx.get(unit.finished) == (layer == 2)
            await ctx.tick()
            ctx.set(unit.layer_done, 0)
        assert not ctx.get(unit.busy)

    simulate(unit, bench, memory)
    assert seen == layers


def test_sequencer_stops_at_an_unknown_operation():
    unit = Sequencer(CONFIG)

    async def bench(ctx):
        ctx.set(unit.layers, 2)
        ctx.set(unit.run, 1)
        await ctx.tick()
        ctx.set(unit.run, 0)
        for _ in range(descriptor.WORDS + 4):
            if ctx.get(unit.unknown):
                break
            assert not ctx.get(unit.start)
            await ctx.tick()
        assert ctx.get(unit.unknown)
        await ctx.tick()
        assert not ctx.get(unit.busy)

    simulate(unit, bench)


async def access(ctx, unit, address, data=None):
    """One access of the register file; the value read."""
    ctx.set(unit.address, address)
    ctx.set(unit.write if data is not None else unit.read, 1)
    ctx.set(unit.write_data, data or 0)
    await ctx.tick()
    ctx.set(unit.write, 0)
    ctx.set(unit.read, 0)
    return ctx.get(unit.read_data)


def test_registers_read_what_was_written_and_what_the_engine_is():
    unit = RegisterFile(CONFIG)

    async def bench(ctx):
        for register in REGISTERS:
            if register.access == "rw":
                await access(ctx, unit, register.address, 0x1234567 % 128)
        for register in REGISTERS:
            if register.access == "rw":
                assert await access(ctx, unit, register.address) == 0x1234567 % 128, register
        assert await access(ctx, unit, ADDRESS["identity"]) == IDENTITY
        assert await access(ctx, unit, ADDRESS["geometry"]) == 4 | 8 << 16
        assert await access(ctx, unit, ADDRESS["ticket_words"]) == 128
        assert ctx.get(unit.error) == ErrorCode.NONE

    simulate(unit, bench)


def test_error_codes():
    unit = RegisterFile(CONFIG)

    async def bench(ctx):
        async def code_after(address, data=None):
            await access(ctx, unit, address, data)
            code = ctx.get(unit.error)
            await access(ctx, unit, ADDRESS["control"], 2)
            assert ctx.get(unit.error) == ErrorCode.NONE
            return code

        assert await code_after(ADDRESS["control"], 1) == ErrorCode.NO_LAYERS
        assert await code_after(ADDRESS["identity"], 1) == ErrorCode.ADDRESS
        assert await code_after(ADDRESS["control"]) == ErrorCode.ADDRESS
        assert await code_after(0x80, 1) == ErrorCode.ADDRESS
        ctx.set(unit.busy, 1)
        assert await code_after(ADDRESS["layers"], 1) == ErrorCode.BUSY
        ctx.set(unit.busy, 0)
        assert await access(ctx, unit, ADDRESS["layers"]) == 0

    simulate(unit, bench)


def test_counters_count_and_restart_with_a_run():
    unit = RegisterFile(CONFIG)

    async def bench(ctx):
        await access(ctx, unit, ADDRESS["layers"], 1)
        ctx.set(unit.counting, 0b0101)
        await ctx.tick().repeat(9)
        ctx.set(unit.counting, 0)
        counts = [await access(ctx, unit, ADDRESS[name]) for name in COUNTERS]
        assert counts == [9, 0, 9, 0]
        await access(ctx, unit, ADDRESS["control"], 1)
        assert [await access(ctx, unit, ADDRESS[name]) for name in COUNTERS] == [0, 0, 0, 0]

    simulate(unit, bench)


@pytest.mark.parametrize(
    ("window", "word", "write", "strobe"),
    [
        (Window.TICKET, 127, True, "ticket_write"),
        (Window.TABLE, 1023, True, "table_write"),
        (Window.ACTIVATIONS, 5, True, "activation_write"),
        (Window.REGISTERS, 9, True, "register_write"),
        (Window.REGISTERS, 9, False, "register_read"),
        (Window.TICKET, 128, True, "astray"),
        (Window.TABLE, 0, False, "astray"),
        (Window.RESULTS, 0, True, "astray"),
        (Window.RESULTS, 64, False, "astray"),
    ],
)
def test_host_access_strobes(window, word, write, strobe):
    unit = HostAccess(CONFIG)
    strobes = ("ticket_write", "table_write", "activation_write", "register_write",
               "register_read", "astray")

    async def bench(ctx):
        ctx.set(unit.requests.payload.address, window.base + word)
        ctx.set(unit.requests.payload.write, write)
        ctx.set(unit.requests.valid, 1)
        high = [name for name in strobes if ctx.get(getattr(unit, name))]
        assert high == [strobe]
        ctx.set(unit.busy, 1)
        if window is not Window.REGISTERS:
            assert ctx.get(unit.refused)
            assert not any(ctx.get(getattr(unit, name)) for name in strobes)

    simulate(unit, bench)


def test_host_reads_answer_once_each_and_wait_for_the_taker():
    unit = HostAccess(CONFIG)
    answers = []

    async def bench(ctx):
        ctx.set(unit.ticket_data, 0xCAFE)
        ctx.set(unit.result_data, 0xF00D)
        for base in (Window.TICKET.base, Window.RESULTS.base, Window.TABLE.base):
            ctx.set(unit.requests.payload.address, base)
            ctx.set(unit.requests.valid, 1)
            await ctx.tick()
            ctx.set(unit.requests.valid, 0)
            await ctx.tick().repeat(4)
            assert ctx.get(unit.responses.valid) and not ctx.get(unit.requests.ready)
            answers.append(ctx.get(unit.responses.payload))
            ctx.set(unit.responses.ready, 1)
            await ctx.tick()
            ctx.set(unit.responses.ready, 0)
            assert not ctx.get(unit.responses.valid)

    simulate(unit, bench)
    assert answers == [0xCAFE, 0xF00D, 0]


@pytest.mark.parametrize("component", [Sequencer, RegisterFile, HostAccess])
def test_wrong_config(component):
    with pytest.raises(TypeError, match=rf"^{component.__name__} config must be an EngineConfig"):
        component("4x8")
