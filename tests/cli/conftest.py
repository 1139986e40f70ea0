"""A digits ticket, and in place of a real board: the driver on one in Python, tools that only say.
"""

import pytest
from support.fake_device import make_board, open_device
from support.fake_programmer import FakeProgrammer
from support.small_board import SMALL
from support.tickets import TicketBuilder

from tombola.cli import bitstream, connecting
from tombola.spec import ticket_file
from tombola.spec.ticket import Window
from tombola_boards import build, registry
from tombola_boards.build import Built


def digits_ticket(shape=(1, 8, 8), **provenance):
    """A small network over digits, never searched."""
    builder = TicketBuilder(shape, seed=5)
    builder.conv(4, window=Window(padding=(1, 1, 1, 1)), freeze=(60, 60), in_channels=shape[0])
    builder.conv(10, shape[1:], freeze=(100, 100), in_channels=4, logits=True)
    ticket = builder.build()
    ticket.provenance.update(provenance)
    return ticket


@pytest.fixture
def digits():
    """The ticket and, as `path`, its file."""
    return digits_ticket(dataset="digits")


@pytest.fixture
def ticket_path(digits, tmp_path):
    path = tmp_path / "my.ticket"
    ticket_file.save(digits, path)
    return path


@pytest.fixture
def board(digits):
    return make_board(digits)


@pytest.fixture
def opened(monkeypatch, board):
    """The board is at every address; records addresses and baud rates, and an engine if any."""
    calls = []

    def connect(address, *, baud=None, engine=None):
        calls.append((address, baud) if engine is None else (address, engine))
        board.name = address
        return open_device(board)

    monkeypatch.setattr(connecting, "open_device", connect)
    return calls


@pytest.fixture
def programmer(tmp_path, monkeypatch):
    """In place of openFPGALoader; records its calls."""
    (tmp_path / "bin").mkdir()
    fake = FakeProgrammer(tmp_path / "bin", monkeypatch)
    fake.install("openFPGALoader")
    return fake


@pytest.fixture
def built(monkeypatch):
    """A board named small, and in place of synthesis a list of what was built."""
    monkeypatch.setitem(registry.BOARDS, "small", SMALL)
    monkeypatch.setattr(build, "find_tools", lambda board: {})
    calls = []

    def build_board(board, *, config, **options):
        calls.append((board.name, config, options))
        document = {"bitstream": "small.bit", "bitstream_sha256": "f" * 64}
        return Built(document=document, files={"small.bit": b"\x05"})

    monkeypatch.setattr(bitstream, "build_board", build_board)
    return calls
