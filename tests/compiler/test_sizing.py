"""Memories that are just large enough for a ticket."""

import pytest
from support.tickets import TicketBuilder, mixed_network

from tombola.compiler.program import compile_ticket
from tombola.compiler.sizing import engine_for
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, FitError
from tombola.spec.ticket import Window


def test_a_small_ticket_gets_the_usual_engine():
    assert engine_for(mixed_network().build(), "8x8") == EngineConfig.for_geometry("8x8")


def test_a_large_ticket_gets_larger_memories():
    ticket = (
        TicketBuilder((3, 30, 30))
        .conv(130, (3, 3), in_channels=3)
        .conv(600, (3, 3), window=Window(stride=(20, 20)), in_channels=130)
        .conv(10, (2, 2), in_channels=600, logits=True)
        .build()
    )
    usual = EngineConfig.for_geometry("2x2")
    config = engine_for(ticket, "2x2")
    assert config.weight_lines == 1024  # 3 x 3 x 65
    assert config.ticket_words > usual.ticket_words
    assert config.table_entries == 1024
    assert config.accumulator_bits == usual.accumulator_bits
    compile_ticket(ticket, config)
    for name in ("ticket_words", "table_entries", "activation_words", "weight_lines"):
        value = getattr(config, name)
        if value > getattr(usual, name):
            with pytest.raises(FitError):
                compile_ticket(ticket, EngineConfig(**{**config.to_json(), name: value // 2}))


def test_wrong_geometry():
    with pytest.raises(ConfigError) as caught:
        engine_for(mixed_network().build(), "8")
    assert str(caught.value) == (
        "geometry must be ROWSxLANES or ROWSxLANESxPIXELS such as 8x8, not 8"
    )
