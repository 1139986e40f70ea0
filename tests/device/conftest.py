"""A small network, a board that runs it, and the driver on that board."""

import pytest
from support.fake_device import make_board, open_device, small_network


@pytest.fixture
def network():
    return small_network()


@pytest.fixture
def ticket(network):
    return network.build()


@pytest.fixture
def board(ticket):
    return make_board(ticket)


@pytest.fixture
def device(board):
    return open_device(board)
