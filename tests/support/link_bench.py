"""A `HostLink` in Amaranth's simulator, between a serial line and a memory behind the host bus."""

import gc
import random

from amaranth.sim import Simulator

from support.link_model import LinkModel
from tombola.spec.link import Command, Frame, frame_bytes, parse
from tombola_hw.link import HostLink

DIVISOR = 8
TIMEOUT = 800
SILENCE = 4 * TIMEOUT
"""Clocks without a sign of an answer after which there is none."""
CONTROL = 9


class Bench:
    """Sends requests with random stalls on the bus, and compares every answer with the model's."""

    def __init__(self, *, seed: int, stalls: bool = True):
        self.random = random.Random(seed)
        self.stalls = stalls
        self.link = HostLink(divisor=DIVISOR, timeout=TIMEOUT)
        self.memory: dict[int, int] = {}
        self.accesses: list[tuple[str, int]] = []
        self.received = bytearray()
        self.sequence = seed % 256
        self.model_memory: dict[int, int] = {}
        self.model = LinkModel(
            read=lambda address: self.model_memory.get(address, 0),
            write=self.model_memory.__setitem__,
        )

    def preset(self, words: dict[int, int]):
        """Memory content that no request wrote."""
        self.memory.update(words)
        self.model_memory.update(words)

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

    async def answer(self, ctx) -> bytes | None:
        """The next frame from the link as it is on the wire, or None if nothing comes."""
        for _ in range(SILENCE):
            if self.received:
                break
            await ctx.tick()
        else:
            return None
        while len(self.received) < 4 or len(self.received) < frame_bytes(bytes(self.received)):
            await ctx.tick()
        size = frame_bytes(bytes(self.received))
        content, self.received = bytes(self.received[:size]), self.received[size:]
        return content

    def next(self, command: int, *words: int) -> Frame:
        """A request with the next sequence number."""
        self.sequence = (self.sequence + 1) % 256
        return Frame(sequence=self.sequence, command=command, words=words)

    async def check(self, ctx, frame: Frame) -> Frame:
        """The answer to a request that was sent is the model's."""
        expected = self.model.answer(frame)
        content = await self.answer(ctx)
        assert content is not None, f"no answer to {frame}"
        assert parse(content, unsent=expected.words) == expected
        assert content == expected.to_bytes()
        return expected

    async def ask(self, ctx, frame: Frame) -> Frame:
        """Sends a request; the answer is the model's."""
        await self.send(ctx, frame.to_bytes())
        expected = await self.check(ctx, frame)
        assert self.memory == self.model_memory
        return expected

    async def reset(self, ctx):
        """The request without which the link takes no other."""
        await self.ask(ctx, self.next(Command.RESET, CONTROL, 6))
        self.accesses.clear()

    async def check_alive(self, ctx):
        """A RESET and the sound requests after it are answered."""
        await self.reset(ctx)
        value = self.random.getrandbits(32)
        await self.ask(ctx, self.next(Command.WRITE, 0x400123, value))
        answer = await self.ask(ctx, self.next(Command.READ, 0x400123, 1))
        assert answer.words == (value,)

    def run(self, scenario, *, reset: bool = True):
        async def whole(ctx):
            if reset:
                await self.reset(ctx)
            await scenario(ctx)

        simulator = Simulator(self.link)
        simulator.add_clock(1e-6)
        simulator.add_testbench(whole)
        simulator.add_testbench(self.bus, background=True)
        simulator.add_testbench(self.listener, background=True)
        simulator.run()
        # Closes the waiting testbenches here: amid a compilation Python 3.11 would trip over it.
        del simulator
        gc.collect()
