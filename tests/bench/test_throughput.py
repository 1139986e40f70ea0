"""The driver leaves hardly anything of what line or engine allow."""

import importlib.util
from pathlib import Path

import pytest
from support.tickets import TicketBuilder

from tombola.spec.ticket import Window

SCRIPT = Path(__file__).parents[2] / "bench" / "throughput.py"
SAME = Window(padding=(1, 1, 1, 1))


@pytest.fixture(scope="module")
def throughput():
    spec = importlib.util.spec_from_file_location("throughput", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_line() -> TicketBuilder:
    """As many pixels as a handwritten digit, and little to compute."""
    return (
        TicketBuilder((1, 8, 8))
        .conv(16, (3, 3), window=SAME, in_channels=1)
        .conv(10, (8, 8), freeze=(90, 90), in_channels=16, logits=True)
    )


def by_engine() -> TicketBuilder:
    """As many bytes, and much to compute."""
    network = TicketBuilder((4, 8, 8))
    for channels in (4, 64, 64):
        network.conv(64, (3, 3), window=SAME, freeze=(100, 130), in_channels=channels)
    network.max_pool((8, 8), Window(stride=(8, 8)))
    return network.conv(10, (1, 1), in_channels=64, logits=True)


@pytest.mark.parametrize("binds, network, baud, count", [
    ("link", by_line, 1_000_000, 30),
    pytest.param("engine", by_engine, 3_000_000, 20, marks=pytest.mark.slow),
])  # fmt: skip
def test_within_a_tenth_of_what_binds(throughput, binds, network, baud, count):
    builder = network()
    images = builder.images(count)
    found = throughput.measure("icebreaker", builder.build(), images, baud=baud)
    assert found["exact"]
    assert found["binds"] == binds
    assert 0.9 <= found["ratio"] <= 1.0
