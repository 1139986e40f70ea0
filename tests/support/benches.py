"""Driving Amaranth components in the simulator."""

import random
from collections.abc import Callable, Coroutine
from typing import Any

from amaranth.sim import Simulator

PERIOD = 1e-6


Bench = Callable[[Any], Coroutine]


def simulate(component: Any, bench: Bench, *background: Bench) -> None:
    """Runs `bench(ctx)` on a component clocked by its only domain, beside endless benches."""
    simulator = Simulator(component)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(bench)
    for endless in background:
        simulator.add_testbench(endless, background=True)
    simulator.run()


async def load_seed(ctx: Any, dut: Any, seed: int) -> None:
    """Writes both halves of a seed to a component with a `seed` of `start_state.seed_layout`."""
    for half in range(2):
        word = seed >> (32 * half) & 0xFFFFFFFF
        ctx.set(dut.seed, {"write": 1, "half": half, "word": word})
        await ctx.tick()
    ctx.set(dut.seed.write, 0)


def coin(seed: int, probability: float) -> Callable[[], bool]:
    """A reproducible coin for random stalls."""
    source = random.Random(seed)
    return lambda: source.random() < probability
