"""The driver on a board in Python, and a small network for it."""

from support.fake_board import FakeBoard, Faults
from support.fake_engine import FakeEngine
from support.tickets import TicketBuilder
from tombola.device.device import Device
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Ticket, Window

CONFIG = EngineConfig(
    rows=4, lanes=4, construction=4, weight_lines=64, activation_words=1024, ticket_words=256,
    table_entries=32, result_words=128,
)  # fmt: skip


def small_network(seed: int = 1, *, channels: int = 5) -> TicketBuilder:
    """Two convolutions with a pooling between them, over 2x6x6."""
    return (
        TicketBuilder((2, 6, 6), seed=seed)
        .conv(6, (3, 3), freeze=(60, 60), in_channels=2)
        .max_pool((2, 2), Window(stride=(2, 2)))
        .conv(channels, (2, 2), in_channels=6, logits=True)
    )


def make_board(*tickets: Ticket, faults: Faults | None = None) -> FakeBoard:
    """A board whose engine knows these tickets."""
    return FakeBoard(FakeEngine(CONFIG, list(tickets)), faults=faults)


def open_device(board: FakeBoard) -> Device:
    """The driver on a board, in the board's time."""
    return Device(board, board="fake")
