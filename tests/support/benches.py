"""Driving Amaranth components in the simulator."""

import random
from collections.abc import Callable, Coroutine
from typing import Any

from amaranth.sim import Simulator

PERIOD = 1e-6


def simulate(component: Any, bench: Callable[[Any], Coroutine]) -> None:
    """Runs `bench(ctx)` on a component clocked by its only domain."""
    simulator = Simulator(component)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(bench)
    simulator.run()


def coin(seed: int, probability: float) -> Callable[[], bool]:
    """A reproducible coin for random stalls."""
    source = random.Random(seed)
    return lambda: source.random() < probability
