"""Every board there is, simulated, with a ticket on it."""

import numpy as np
import pytest
from support.fake_device import small_network

from tombola import device
from tombola.spec import reference
from tombola.spec.identity import config_of, identity_words
from tombola_boards.registry import BOARDS


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_board_runs_a_ticket(name):
    network, board = small_network(), BOARDS[name]
    ticket, images = network.build(), network.images(2)
    # At its own rate the line may take most of the clocks; the rates are tested elsewhere.
    quickest = board.clock_hz // 8
    with device.connect(f"virtual:{name}", baud=quickest) as virtual:
        assert virtual.info.config == config_of(identity_words(board.config))
        virtual.load(ticket)
        np.testing.assert_array_equal(
            virtual.infer(images).logits, reference.logits(ticket, images)
        )
        assert virtual._transport.time.lamps & 1, "the first lamp says that the board is ready"
