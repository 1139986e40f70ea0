"""The engine of each size of ECP5, the same on every board that has one."""

from dataclasses import dataclass, replace

from tombola.spec.engine import EngineConfig


@dataclass(frozen=True)
class Ecp5Engine:
    """What fits a part, and a clock that it meets with some margin at speed grade 6."""

    config: EngineConfig
    clock_hz: int


# 56 block RAMs of 18 kbit.
_ENGINE_25F = Ecp5Engine(
    EngineConfig(
        rows=8,
        lanes=16,
        construction=16,
        accumulator_bits=24,
        weight_lines=512,
        activation_words=2048,
        ticket_words=8192,
        table_entries=512,
        result_words=64,
    ),
    80_000_000,
)

# 108 block RAMs.
_ENGINE_45F = Ecp5Engine(
    replace(
        _ENGINE_25F.config,
        rows=16,
        activation_words=4096,
        ticket_words=16384,
        table_entries=1024,
    ),
    80_000_000,
)

# 208 block RAMs. The mask bits' way to the ticket memory's 64 of them is the longest: 70 MHz.
_ENGINE_85F = Ecp5Engine(
    replace(_ENGINE_45F.config, lanes=32, ticket_words=32768), 60_000_000
)

# A 12F is the die of a 25F, and the tools let all of it be used.
ENGINES = {"12F": _ENGINE_25F, "25F": _ENGINE_25F, "45F": _ENGINE_45F, "85F": _ENGINE_85F}
