"""The host link against `tombola.spec.link`: answers, refusals, and damaged input."""

import gc
import random

import pytest
from amaranth.sim import Simulator

from tombola.spec.errors import ConfigError
from tombola.spec.link import ANSWER, MAX_WORDS, Command, Frame, frame_bytes, parse
from tombola_hw.link import HostLink

# A background testbench that waits when the simulation ends is closed with a complaint.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DIVISOR = 6
TIMEOUT = 600
SILENCE = 4 * TIMEOUT
"""Clocks without a sign of an answer after which there is none."""


class Bench:
    """A `HostLink` between a serial line and a memory behind the host bus, with random stalls."""

    def __init__(self, *, seed: int, stalls: bool = True):
        self.random = random.Random(seed)
        self.stalls = stalls
        self.link = HostLink(divisor=DIVISOR, timeout=TIMEOUT)
        self.memory: dict[int, int] = {}
        self.accesses: list[tuple[str, int]] = []
        self.received = bytearray()

    async def stall(self, ctx):
        if self.stalls:
            await ctx.tick().repeat(self.random.choice((1, 1, 2, 7)))

    async def bus(self, ctx):
        link = self.link
        while True:
            ctx.set(link.requests.ready, 1)
            (request,) = await ctx.tick().sample(link.requests.p).until(link.requests.valid)
            ctx.set(link.requests.ready, 0)
            self.accesses.append(("write" if request.write else "read", request.address))
            await self.stall(ctx)
            if request.write:
                self.memory[request.address] = request.data
            else:
                ctx.set(link.responses.payload, self.memory.get(request.address, 0))
                ctx.set(link.responses.valid, 1)
                await ctx.tick().until(link.responses.ready)
                ctx.set(link.responses.valid, 0)

    async def listener(self, ctx):
        while True:
            await ctx.tick().until(~self.link.tx)
            await ctx.tick().repeat(DIVISOR // 2 - 1)
            byte = 0
            for bit in range(8):
                await ctx.tick().repeat(DIVISOR)
                byte |= ctx.get(self.link.tx) << bit
            await ctx.tick().repeat(DIVISOR)
            assert ctx.get(self.link.tx), "no stop bit"
            self.received.append(byte)

    async def send(self, ctx, content: bytes):
        for byte in content:
            for level in (0, *(byte >> bit & 1 for bit in range(8)), 1):
                ctx.set(self.link.rx, level)
                await ctx.tick().repeat(DIVISOR)

    async def answer(self, ctx) -> Frame | None:
        """The next frame from the link, or None if nothing comes."""
        for _ in range(SILENCE):
            if self.received:
                break
            await ctx.tick()
        else:
            return None
        while len(self.received) < 4 or len(self.received) < frame_bytes(bytes(self.received)):
            await ctx.tick()
        size = frame_bytes(bytes(self.received))
        frame, self.received = parse(bytes(self.received[:size])), self.received[size:]
        return frame

    async def ask(self, ctx, frame: Frame) -> Frame | None:
        await self.send(ctx, frame.to_bytes())
        return await self.answer(ctx)

    def run(self, scenario):
        simulator = Simulator(self.link)
        simulator.add_clock(1e-6)
        simulator.add_testbench(scenario)
        simulator.add_testbench(self.bus, background=True)
        simulator.add_testbench(self.listener, background=True)
        simulator.run()
        # Closes the waiting testbenches here: amid a compilation Python 3.11 would trip over it.
        del simulator
        gc.collect()


def write(sequence: int, address: int, *words: int) -> Frame:
    return Frame(sequence=sequence, command=Command.WRITE, words=(address, *words))


def read(sequence: int, address: int, count: int) -> Frame:
    return Frame(sequence=sequence, command=Command.READ, words=(address, count))


async def check_alive(bench, ctx):
    """The next sound command is answered."""
    value = bench.random.getrandbits(32)
    answer = await bench.ask(ctx, write(77, 0x400123, value))
    assert answer == Frame(sequence=77, command=ANSWER | Command.WRITE)
    answer = await bench.ask(ctx, read(78, 0x400123, 1))
    assert answer == Frame(sequence=78, command=ANSWER | Command.READ, words=(value,))


@pytest.mark.parametrize("stalls", [False, True])
@pytest.mark.parametrize("count", [1, 2, 62])
def test_writes_then_reads(count, stalls):
    bench = Bench(seed=count, stalls=stalls)

    async def scenario(ctx):
        words = tuple(bench.random.getrandbits(32) for _ in range(count))
        answer = await bench.ask(ctx, write(1, 0x10FFFF, *words))
        assert answer == Frame(sequence=1, command=ANSWER | Command.WRITE)
        assert bench.memory == {0x10FFFF + offset: word for offset, word in enumerate(words)}
        answer = await bench.ask(ctx, read(255, 0x10FFFF, count))
        assert answer == Frame(sequence=255, command=ANSWER | Command.READ, words=words)

    bench.run(scenario)


def test_reads_as_many_words_as_a_frame_holds():
    bench = Bench(seed=2)
    bench.memory = {address: address * 0x01010101 for address in range(MAX_WORDS)}

    async def scenario(ctx):
        answer = await bench.ask(ctx, read(3, 0, MAX_WORDS))
        assert answer.words == tuple(bench.memory.values())

    bench.run(scenario)


def test_two_requests_may_be_under_way():
    bench = Bench(seed=3)

    async def scenario(ctx):
        await bench.send(ctx, write(1, 5, 6, 7).to_bytes() + read(2, 5, 2).to_bytes())
        assert await bench.answer(ctx) == Frame(sequence=1, command=ANSWER | Command.WRITE)
        answer = await bench.answer(ctx)
        assert answer == Frame(sequence=2, command=ANSWER | Command.READ, words=(6, 7))

    bench.run(scenario)


@pytest.mark.parametrize("command, words", [
    (0, (1, 2)), (3, (1, 2)), (0x7F, ()), (0x81, (1, 2)), (255, (1, 2)),
    (Command.WRITE, ()), (Command.WRITE, (1,)),
    (Command.READ, ()), (Command.READ, (1,)), (Command.READ, (1, 2, 3)),
    (Command.READ, (1, 0)), (Command.READ, (1, 64)), (Command.READ, (1, 1 << 31 | 1)),
])
def test_refuses_without_touching_the_bus(command, words):
    bench = Bench(seed=4)

    async def scenario(ctx):
        answer = await bench.ask(ctx, Frame(sequence=9, command=command, words=words))
        assert answer == Frame(sequence=9, command=Command.NAK)
        assert not bench.accesses
        await check_alive(bench, ctx)

    bench.run(scenario)


@pytest.mark.parametrize("seed", range(4))
def test_says_nothing_to_a_flipped_bit(seed):
    bench = Bench(seed=seed)

    async def scenario(ctx):
        frame = write(9, 0x100000, *(bench.random.getrandbits(32) for _ in range(3)))
        content = bytearray(frame.to_bytes())
        # The count is left alone here: a wrong one makes the frame longer, which is the next test.
        place = bench.random.choice([n for n in range(len(content)) if n != 3])
        content[place] ^= 1 << bench.random.randrange(8)
        await bench.send(ctx, bytes(content))
        assert await bench.answer(ctx) is None
        assert not bench.accesses
        await check_alive(bench, ctx)

    bench.run(scenario)


@pytest.mark.parametrize("count", [0, 3, 6, 63, 64, 255])
def test_recovers_from_a_wrong_count(count):
    bench = Bench(seed=count)

    async def scenario(ctx):
        content = bytearray(write(9, 1, 2, 3, 4).to_bytes())
        content[3] = count
        await bench.send(ctx, bytes(content))
        assert await bench.answer(ctx) is None
        assert not bench.accesses
        await check_alive(bench, ctx)

    bench.run(scenario)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 15])
def test_recovers_from_a_host_that_vanished(length):
    bench = Bench(seed=length)

    async def scenario(ctx):
        await bench.send(ctx, write(9, 1, 2).to_bytes()[:length])
        await ctx.tick().repeat(TIMEOUT + 10 * DIVISOR)
        await check_alive(bench, ctx)

    bench.run(scenario)


def test_garbage_without_a_sync_byte_does_no_harm():
    bench = Bench(seed=5)

    async def scenario(ctx):
        others = [byte for byte in range(256) if byte != 0x54]
        garbage = bytes(bench.random.choice(others) for _ in range(40))
        await bench.send(ctx, garbage)
        await check_alive(bench, ctx)

    bench.run(scenario)


@pytest.mark.parametrize("seed", range(3))
def test_any_garbage_is_forgotten_after_the_timeout(seed):
    bench = Bench(seed=seed)

    async def scenario(ctx):
        garbage = bench.random.randbytes(30) + bytes([0x54]) + bench.random.randbytes(9)
        await bench.send(ctx, garbage)
        await ctx.tick().repeat(TIMEOUT + 10 * DIVISOR)
        assert not bench.accesses
        await check_alive(bench, ctx)

    bench.run(scenario)


def test_a_slow_host_is_waited_for():
    bench = Bench(seed=6)

    async def scenario(ctx):
        for byte in read(1, 2, 1).to_bytes():
            await bench.send(ctx, bytes([byte]))
            await ctx.tick().repeat(TIMEOUT - 12 * DIVISOR)
        assert await bench.answer(ctx) is not None

    bench.run(scenario)


def test_a_break_on_the_line_is_no_byte():
    bench = Bench(seed=7)

    async def scenario(ctx):
        ctx.set(bench.link.rx, 0)
        await ctx.tick().repeat(200 * DIVISOR)
        ctx.set(bench.link.rx, 1)
        await ctx.tick().repeat(20 * DIVISOR)
        await check_alive(bench, ctx)

    bench.run(scenario)


def test_parameters():
    with pytest.raises(TypeError, match=r"^divisor must be an int, not 8\.0$"):
        HostLink(divisor=8.0, timeout=100)
    with pytest.raises(ConfigError, match=r"^divisor must be at least 4 clocks a bit, not 3$"):
        HostLink(divisor=3, timeout=100)
    with pytest.raises(ConfigError, match=r"^timeout must be at least 64 clocks, not 63$"):
        HostLink(divisor=8, timeout=63)
