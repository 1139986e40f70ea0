"""The driver leaves hardly anything of what line or engine allows."""

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


def test_the_line_binds(throughput):
    network = by_line()
    found = throughput.measure("icebreaker", network.build(), network.images(30))
    assert found["exact"]
    assert found["binds"] == "link"
    assert 0.9 <= found["ratio"] <= 1.0


@pytest.mark.slow
def test_the_engine_binds(throughput):
    network, baud = by_engine(), 3_000_000
    found = throughput.measure("icebreaker", network.build(), network.images(20), baud=baud)
    assert found["exact"]
    assert found["binds"] == "engine"
    # Between two runs go the answer to WAIT, the question for the logits, the logits and the start
    # of the next one, 112 bytes; and a busy host takes its time to answer.
    pause = 1 / found["inferences_per_second"] - 1 / found["engine_allows"]
    assert 112 < pause * baud / 10 < 400
