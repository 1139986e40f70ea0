"""Whole engines in Amaranth's simulator, for each kind of layer, against the numpy reference."""

import pytest
from support.engine_layers import check_layers
from support.tickets import SIGNED, TicketBuilder

from tombola.spec.engine import EngineConfig


def engine(rows: int, lanes: int, **more) -> EngineConfig:
    """A small engine whose weights are built fast."""
    sizes = {"construction": 8, "activation_words": 1024, "table_entries": 64, "weight_lines": 64}
    return EngineConfig(rows=rows, lanes=lanes, **{**sizes, **more})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compact", [False, True], ids=["", "compact"])
def test_a_kernel_over_the_whole_map(channels, compact):
    builder = (
        TicketBuilder((channels, 5, 7), type=SIGNED)
        .conv(6, (5, 7), freeze=(30, 60), in_channels=channels)
        .conv(5, (1, 1), in_channels=6, logits=True)
    )
    check_layers(builder, engine(3, 4, compact=compact), images=2)
    check_layers(builder, engine(4, 16, weight_lines=64, compact=compact), images=2)
