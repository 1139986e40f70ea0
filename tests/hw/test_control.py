"""Sequencer, registers and host access: the engine's control without its data path."""

from dataclasses import replace

import pytest
from support.benches import simulate

from tombola.spec import descriptor
from tombola.spec.engine import EngineConfig
from tombola.spec.identity import fingerprint
from tombola.spec.registers import ADDRESS, IDENTITY, REGISTERS, START, STOP, ErrorCode, Window
from tombola_hw.host_access import HostAccess
from tombola_hw.layer_registers import ELSEWHERE, halves, kept_bits
from tombola_hw.register_file import COUNTERS, RegisterFile, stored_words
from tombola_hw.sequencer import Sequencer
from tombola_hw.stores import ActivationStore, HostWords

CONFIG = EngineConfig(rows=4, lanes=8, ticket_words=128)


def field_values(salt: int, config: EngineConfig) -> dict[str, int]:
    """A value for every field that uses the top and bottom of the bits an engine keeps.

    Fields of which it keeps nothing are those of a sound program.
    """
    values = {}
    for index, field in enumerate(config.descriptor.fields):
        bits = kept_bits(field, config) or 1
        low = -(1 << (bits - 1)) if field.signed else 0
        values[field.name] = low + (0x5A5A5A5B * (index + 1 + salt)) % (1 << bits)
    sound = {"operation": 1 + salt % 3, "last": salt == 2, "engine": fingerprint(config)}
    return values | sound | {"seed_low": 3 + salt, "seed_high": 0x89ABCDEF + salt}


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, count_bits=9, layer_rams=7)])
def test_sequencer_takes_layers_in_turn(config):
    layers = [field_values(salt, config) for salt in range(3)]
    words = [0] * descriptor.FIRST
    words += [word for each in layers for word in config.descriptor.pack(each)]
    unit = Sequencer(config)
    seen, seeds = [], []

    async def memory(ctx):
        while True:
            address = ctx.get(unit.read_address)
            await ctx.tick()
            ctx.set(unit.read_data, words[address] if address < len(words) else 0)

    async def bench(ctx):
        ctx.set(unit.run, 1)
        await ctx.tick()
        ctx.set(unit.run, 0)
        for layer in range(3):
            while not ctx.get(unit.start):
                assert ctx.get(unit.busy)
                seed = unit.seed
                _, _, writes, *half = await ctx.tick().sample(seed.write, seed.half, seed.word)
                if writes:
                    seeds.append(tuple(half))
            seen.append({name: ctx.get(unit.layer[name]) for name in config.descriptor.places})
            await ctx.tick().repeat(3)
            ctx.set(unit.layer_done, 1)
            assert ctx.get(unit.finished) == (layer == 2)
            await ctx.tick()
            ctx.set(unit.layer_done, 0)
        assert not ctx.get(unit.busy)

    simulate(unit, bench, memory)
    elsewhere = dict.fromkeys(ELSEWHERE, 0)
    assert seen == [layer | elsewhere for layer in layers]
    assert seeds == [
        half for layer in layers for half in ((0, layer["seed_low"]), (1, layer["seed_high"]))
    ]


def test_halves_with_most_bits_come_first():
    full = {(0, 0), (0, 1), (20, 0), (23, 0), (23, 1), (24, 0), (24, 1)}
    assert set(halves(replace(CONFIG, count_bits=9))[:7]) == full


ENGINE = fingerprint(CONFIG)


@pytest.mark.parametrize(
    "operation, engine, ends",
    [
        (0, 0, "unknown"),
        (0, ENGINE, "unknown"),
        (4, ENGINE, "unknown"),
        (1, fingerprint(replace(CONFIG, lanes=4)), "foreign"),
        *((3, ENGINE ^ 1 << bit, "foreign") for bit in range(16)),
        (1, ENGINE, "start"),
    ],
)
def test_sequencer_refuses_what_is_no_layer_of_its_engine(operation, engine, ends):
    layer = dict.fromkeys(CONFIG.descriptor.places, 0) | {"operation": operation, "engine": engine}
    words = [0] * descriptor.FIRST + CONFIG.descriptor.pack(layer)
    unit = Sequencer(CONFIG)

    async def bench(ctx):
        ctx.set(unit.run, 1)
        await ctx.tick()
        ctx.set(unit.run, 0)
        seen = []
        for _ in range(CONFIG.descriptor.words + 4):
            ends_so = ("unknown", "foreign", "start")
            seen += [name for name in ends_so if ctx.get(getattr(unit, name))]
            address = ctx.get(unit.read_address)
            await ctx.tick()
            ctx.set(unit.read_data, words[address] if address < len(words) else 0)
        assert seen == [ends]
        assert ctx.get(unit.busy) == (ends == "start")

    simulate(unit, bench)


async def access(ctx, unit, address, data=None, *, compact=False):
    """One access of the register file; the value read."""
    ctx.set(unit.address, address)
    ctx.set(unit.write if data is not None else unit.read, 1)
    ctx.set(unit.write_data, data or 0)
    await ctx.tick()
    ctx.set(unit.write, 0)
    ctx.set(unit.read, 0)
    if not compact:
        await ctx.tick()
    return ctx.get(unit.live_data)


def test_writable_registers_are_kept():
    unit = RegisterFile(CONFIG)

    async def bench(ctx):
        for register in REGISTERS:
            ctx.set(unit.address, register.address)
            ctx.set(unit.write_data, 0x1234567)
            ctx.set(unit.write, 1)
            assert ctx.get(unit.keep) == (register.access == "rw")
            ctx.set(unit.busy, 1)
            assert not ctx.get(unit.keep)
            ctx.set(unit.busy, 0)
            ctx.set(unit.write, 0)
        assert await access(ctx, unit, ADDRESS["mark"]) == 0  # it is for the memory to answer
        assert ctx.get(unit.error) == ErrorCode.NONE

    simulate(unit, bench)


def test_words_of_the_host():
    unit = HostWords(CONFIG)

    async def bench(ctx):
        async def read(window, address):
            ctx.set(unit.window, window)
            ctx.set(unit.host_address, address)
            await ctx.tick()
            return ctx.get(unit.host_read_data)

        ctx.set(unit.keep, 1)
        ctx.set(unit.host_address, ADDRESS["mark"])
        ctx.set(unit.host_data, 0x89ABCDEF)
        await ctx.tick()
        ctx.set(unit.busy, 1)
        ctx.set(unit.results.valid, 1)
        ctx.set(unit.results.payload, {"value": -3, "address": 63, "logits": 1})
        await ctx.tick()
        ctx.set(unit.results.payload, {"value": 7, "address": 63, "logits": 0})
        await ctx.tick()
        assert await read(Window.RESULTS, 63) == (1 << 32) - 3
        words = [await read(Window.REGISTERS, at) for at in range(len(REGISTERS))]
        expected = stored_words(CONFIG)
        expected[ADDRESS["mark"]] = 0x89ABCDEF
        assert words == expected
        assert (words[0], words[2], words[6]) == (IDENTITY, 4 | 8 << 16, 128)
        for window in (Window.TICKET, Window.TABLE, Window.ACTIVATIONS):
            assert await read(window, 2) == await read(window, 63) == 0

    simulate(unit, bench)


@pytest.mark.parametrize("lanes", [2, 4, 32])
@pytest.mark.parametrize("compact", [False, True])
def test_activations_of_the_host(lanes, compact):
    unit = ActivationStore(replace(CONFIG, lanes=lanes, compact=compact))
    words = [(0x01030507 * (at + 1)) % (1 << 8 * min(4, lanes)) for at in range(20)]

    async def bench(ctx):
        async def read(window, address):
            ctx.set(unit.window, window)
            ctx.set(unit.host_address, address)
            await ctx.tick().repeat(1 if compact else 2)
            return ctx.get(unit.host_read_data)

        ctx.set(unit.host_write, 1)
        for address, word in enumerate(words):
            ctx.set(unit.host_address, address)
            ctx.set(unit.host_data, word)
            await ctx.tick()
        ctx.set(unit.host_write, 0)
        assert [await read(Window.ACTIVATIONS, at) for at in range(len(words))] == words
        assert await read(Window.TICKET, 3) == await read(Window.RESULTS, 3) == 0

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

        assert await code_after(ADDRESS["identity"], 1) == ErrorCode.ADDRESS
        assert await code_after(ADDRESS["control"]) == ErrorCode.ADDRESS
        assert await code_after(len(REGISTERS), 1) == ErrorCode.ADDRESS
        ctx.set(unit.busy, 1)
        assert await code_after(ADDRESS["mark"], 1) == ErrorCode.BUSY
        ctx.set(unit.busy, 0)
        for cause, code in (("unknown", ErrorCode.OPERATION), ("foreign", ErrorCode.FOREIGN)):
            ctx.set(getattr(unit, cause), 1)
            await ctx.tick()
            ctx.set(getattr(unit, cause), 0)
            assert ctx.get(unit.done)
            assert await code_after(ADDRESS["mark"], 1) == code

    simulate(unit, bench)


def test_no_run_starts_before_an_error_is_cleared():
    unit = RegisterFile(CONFIG)

    async def bench(ctx):
        async def starts(command):
            ctx.set(unit.address, ADDRESS["control"])
            ctx.set(unit.write_data, command)
            ctx.set(unit.write, 1)
            run = ctx.get(unit.run)
            await ctx.tick()
            ctx.set(unit.write, 0)
            return run

        assert await starts(START)
        await access(ctx, unit, ADDRESS["identity"], 1)
        assert not await starts(START)
        assert ctx.get(unit.error) == ErrorCode.ADDRESS
        assert not await starts(STOP)
        assert await starts(START)

    simulate(unit, bench)


@pytest.mark.parametrize("compact", [False, True])
def test_counters_count_and_restart_with_a_run(compact):
    unit = RegisterFile(replace(CONFIG, compact=compact))

    async def bench(ctx):
        ctx.set(unit.counting, 0b0101)
        await ctx.tick().repeat(9)
        ctx.set(unit.counting, 0)
        reads = [access(ctx, unit, ADDRESS[name], compact=compact) for name in COUNTERS]
        counts = [await read for read in reads]
        assert counts == [9, 0, 0 if compact else 9, 0]
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
        (Window.REGISTERS, 32, True, "astray"),
        (Window.REGISTERS, 32, False, "astray"),
        (Window.RESULTS, 0, True, "astray"),
        (Window.RESULTS, 64, False, "astray"),
    ],
)
@pytest.mark.parametrize("compact", [False, True])
def test_host_access_strobes(compact, window, word, write, strobe):
    check_strobe(replace(CONFIG, compact=compact), window, word, write, strobe)


def test_host_writes_a_word_a_clock():
    unit = HostAccess(CONFIG)
    written = []

    async def bench(ctx):
        ctx.set(unit.requests.payload.write, 1)
        ctx.set(unit.requests.valid, 1)
        for word in range(5):
            ctx.set(unit.requests.payload.address, Window.TICKET.base + word)
            ctx.set(unit.requests.payload.data, 7 * word)
            assert ctx.get(unit.requests.ready)
            await ctx.tick()
            assert ctx.get(unit.ticket_write)
            written.append((ctx.get(unit.address), ctx.get(unit.write_data)))

    simulate(unit, bench)
    assert written == [(word, 7 * word) for word in range(5)]


@pytest.mark.parametrize(
    ("window", "word", "strobe"),
    [
        (Window.TICKET, 191, "ticket_write"),
        (Window.TICKET, 192, "astray"),
        (Window.TICKET, 255, "astray"),
        (Window.TICKET, 256, "astray"),
        (Window.ACTIVATIONS, 47, "activation_write"),
        (Window.ACTIVATIONS, 48, "astray"),
    ],
)
def test_host_access_ends_where_a_memory_of_any_depth_does(window, word, strobe):
    config = EngineConfig(rows=2, lanes=2, ticket_words=192, activation_words=48)
    check_strobe(config, window, word, True, strobe)


def check_strobe(config, window, word, write, strobe):
    unit = HostAccess(config)
    strobes = ("ticket_write", "table_write", "activation_write", "register_write",
               "register_read", "astray")

    async def bench(ctx):
        ctx.set(unit.requests.payload.address, window.base + word)
        ctx.set(unit.requests.payload.write, write)
        ctx.set(unit.requests.valid, 1)
        await until_the_access(ctx, config)
        high = [name for name in strobes if ctx.get(getattr(unit, name))]
        assert high == [strobe]
        ctx.set(unit.busy, 1)
        if window is not Window.REGISTERS:
            assert ctx.get(unit.refused)
            assert not any(ctx.get(getattr(unit, name)) for name in strobes)

    simulate(unit, bench)


async def until_the_access(ctx, config):
    """From a clock with a request to that in which it strobes."""
    if not config.compact:
        await ctx.tick()


def test_host_reads_answer_once_each_and_wait_for_the_taker():
    unit = HostAccess(CONFIG)
    answers = []

    async def bench(ctx):
        ctx.set(unit.ticket_data, 0xCAFE)
        windows = (Window.TICKET, Window.ACTIVATIONS, Window.RESULTS, Window.TABLE)
        for base in (window.base for window in windows):
            ctx.set(unit.activation_data, 0xBEEF if base == Window.ACTIVATIONS.base else 0)
            ctx.set(unit.stored_data, 0xF00D if base == Window.RESULTS.base else 0)
            ctx.set(unit.requests.payload.address, base)
            ctx.set(unit.requests.valid, 1)
            await ctx.tick()
            ctx.set(unit.requests.valid, 0)
            await ctx.tick().repeat(5)
            assert ctx.get(unit.responses.valid) and not ctx.get(unit.requests.ready)
            answers.append(ctx.get(unit.responses.payload))
            ctx.set(unit.responses.ready, 1)
            await ctx.tick()
            ctx.set(unit.responses.ready, 0)
            assert not ctx.get(unit.responses.valid)

    simulate(unit, bench)
    assert answers == [0xCAFE, 0xBEEF, 0xF00D, 0]


@pytest.mark.parametrize("compact, period", [(True, 3), (False, 5)])
def test_host_reads_take_the_data_of_the_clock_after_the_access(compact, period):
    unit = HostAccess(replace(CONFIG, compact=compact))
    asked, answers = [], []

    async def bench(ctx):
        ctx.set(unit.requests.payload.address, Window.TICKET.base)
        ctx.set(unit.requests.valid, 1)
        ctx.set(unit.responses.ready, 1)
        for clock in range(5 * period):
            # What a memory shows may change with every clock.
            ctx.set(unit.ticket_data, clock)
            if ctx.get(unit.requests.ready):
                asked.append(clock)
            if ctx.get(unit.responses.valid):
                answers.append(ctx.get(unit.responses.payload))
            await ctx.tick()

    simulate(unit, bench)
    assert asked == list(range(0, 5 * period, period))
    data = 1 if compact else 2
    assert answers == [clock + data for clock in asked][: len(answers)]
    assert len(answers) >= 4


@pytest.mark.parametrize("component", [Sequencer, RegisterFile, HostAccess])
def test_wrong_config(component):
    with pytest.raises(TypeError, match=rf"^{component.__name__} config must be an EngineConfig"):
        component("4x8")
