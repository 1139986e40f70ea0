"""A host on the bus of a simulated engine, and a small network for it."""

import numpy as np

from support.tickets import TicketBuilder
from tombola.spec.engine import EngineConfig
from tombola.spec.registers import ADDRESS, START
from tombola.spec.ticket import Window

CONFIG = EngineConfig(rows=4, lanes=4, construction=4, weight_lines=64, ticket_words=256)

SETTLE = 2
"""Clocks from a write to its effect."""


def small_network() -> TicketBuilder:
    """Two convolutions, a pooling between them."""
    return (
        TicketBuilder((3, 6, 6), seed=4)
        .conv(6, (3, 3), freeze=(60, 60), in_channels=3)
        .max_pool((2, 2), Window(stride=(2, 2)))
        .conv(5, (2, 2), in_channels=6, logits=True)
    )


class EngineHost:
    """Reads and writes words of an engine, and runs it."""

    def __init__(self, ctx, engine):
        self.ctx, self.engine = ctx, engine

    async def write(self, address, *words):
        ctx, request = self.ctx, self.engine.requests
        for offset, word in enumerate(words):
            ctx.set(
                request.payload, {"address": address + offset, "data": int(word), "write": 1}
            )
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
        ctx.set(request.valid, 0)

    async def write_all(self, writes):
        """Writes each (address, words)."""
        for address, words in writes:
            await self.write(address, *words)

    async def read(self, address, count):
        ctx, request, response = self.ctx, self.engine.requests, self.engine.responses
        ctx.set(response.ready, 1)
        words = []
        for offset in range(count):
            ctx.set(request.payload, {"address": address + offset, "write": 0})
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
            word, = await ctx.tick().sample(response.payload).until(response.valid)
            words.append(word)
        return np.array(words, dtype=np.uint32)

    async def run(self, limit):
        """Clocks of a run; None if it takes more than `limit`."""
        await self.write(ADDRESS["control"], START)
        await self.ctx.tick().repeat(SETTLE)
        for clock in range(limit):
            if not self.ctx.get(self.engine.busy):
                return clock
            await self.ctx.tick()
        return None
