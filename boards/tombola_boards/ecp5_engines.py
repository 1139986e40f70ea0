"""The engines of the sizes of ECP5, which boards share: what fits, and meets 80 MHz."""

from tombola.spec.engine import EngineConfig

CLOCK_HZ = 80_000_000

# 56 block RAMs of 18 kbit. The 12F is the same die.
ENGINE_25F = EngineConfig(
    rows=8,
    lanes=16,
    construction=16,
    accumulator_bits=24,
    weight_lines=512,
    activation_words=2048,
    ticket_words=8192,
    table_entries=512,
    result_words=64,
)

# 108 block RAMs.
ENGINE_45F = EngineConfig(
    rows=16,
    lanes=16,
    construction=16,
    accumulator_bits=24,
    weight_lines=512,
    activation_words=4096,
    ticket_words=16384,
    table_entries=1024,
    result_words=64,
)

# 208 block RAMs.
ENGINE_85F = EngineConfig(
    rows=16,
    lanes=32,
    construction=16,
    accumulator_bits=24,
    weight_lines=512,
    activation_words=4096,
    ticket_words=32768,
    table_entries=1024,
    result_words=64,
)
