"""The driver on a board in Python: what it loads, infers and counts."""

import numpy as np
import pytest
from support.fake_board import Faults
from support.fake_device import CONFIG, make_board, open_device, small_network
from support.tickets import TicketBuilder

from tombola.spec import reference
from tombola.spec.errors import ConfigError, DeviceError, FitError
from tombola.spec.link import Command
from tombola.spec.registers import VERSION, Window


def test_info_is_what_the_registers_say(device):
    assert device.info.config == CONFIG
    assert device.info.version == VERSION
    assert device.info.board == "fake"
    assert device.info.address == "/dev/ttyUSB1"


def test_infers_what_the_reference_does(device, network, ticket):
    images = network.images(7)
    program = device.load(ticket)
    results = device.infer(images)
    expected = reference.logits(ticket, images)
    np.testing.assert_array_equal(results.logits, expected)
    np.testing.assert_array_equal(results.classes, expected.argmax(axis=1))
    np.testing.assert_array_equal(results.latency_cycles, program.cycles)
    assert device.counters == {
        "cycles": program.cycles, "busy_cycles": program.cycles // 2,
        "weight_stalls": 3, "output_stalls": 4,
    }  # fmt: skip


def test_no_images_give_no_results(device, network, ticket):
    device.load(ticket)
    results = device.infer(network.images(3)[:0])
    assert results.logits.shape == (0, 5)
    assert results.classes.shape == results.latency_cycles.shape == (0,)


def test_tickets_follow_each_other_without_a_new_bitstream(network, ticket):
    other = small_network(2, channels=9).build()
    device = open_device(make_board(ticket, other))
    images = network.images(2)
    for each in (ticket, other, ticket):
        device.load(each)
        assert device.program.ticket is each
        np.testing.assert_array_equal(device.infer(images).logits, reference.logits(each, images))


def test_logits_of_several_positions_and_many_frames():
    network = TicketBuilder((2, 6, 6), seed=3).conv(7, (3, 3), in_channels=2, logits=True)
    ticket = network.build()
    device = open_device(make_board(ticket))
    device.load(ticket)
    images = network.images(3)
    results = device.infer(images)
    assert results.logits.shape == (3, 7 * 16)
    np.testing.assert_array_equal(results.logits, reference.logits(ticket, images))


def test_progress_is_told(device, network, ticket):
    told = []
    program = device.load(ticket, progress=lambda *now: told.append(now))
    total = sum(words.size for _, words in program.writes)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    told.clear()
    device.infer(network.images(3), progress=lambda *now: told.append(now))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_ticket_that_does_not_fit_is_refused_before_anything_is_sent(
    board, device, network, ticket
):
    device.load(ticket)
    large = TicketBuilder((2, 6, 6)).conv(40, (3, 3), in_channels=2, logits=True).build()
    sent = device.statistics.bytes_sent
    with pytest.raises(FitError):
        device.load(large)
    assert device.statistics.bytes_sent == sent
    # What was loaded still runs.
    images = network.images(1)
    np.testing.assert_array_equal(device.infer(images).logits, reference.logits(ticket, images))


def test_damaged_ticket_memory_is_found_and_mended(board, device, network, ticket):
    engine, write = board.engine, board.engine.write
    damaged = []

    def forgetful(address, word):
        if address == Window.TICKET.base + 5 and len(damaged) < 2:
            damaged.append(word)
            word ^= 1
        write(address, word)

    board.link._write = forgetful
    device.load(ticket)
    assert len(damaged) == 2
    assert engine.memories[Window.TICKET][5] == device.program.ticket_image[5]


def test_images_that_do_not_fit_the_ticket(device, ticket):
    device.load(ticket)
    with pytest.raises(ConfigError, match="^images must be uint8 with 2x6x6 values each, not "):
        device.infer(np.zeros((1, 5), np.uint8))


def test_a_device_closes_its_port(board):
    with open_device(board) as device:
        assert device.info.config == CONFIG
    assert board.closed


def test_the_next_image_is_sent_while_answers_come(board, device, network, ticket):
    device.load(ticket)
    device.infer(network.images(1))
    statistics = device.statistics
    bytes_before, began = statistics.bytes_sent, board.now
    count = 50
    device.infer(network.images(count))
    per_image = (statistics.bytes_sent - bytes_before) / count
    seconds = (board.now - began) / count
    # One way of the line and the run; answers cost a turn of the line, 36 bytes, and no more.
    allowed = (per_image + 60) * 10 / board.baud + device.program.cycles / 24e6
    assert statistics.resent == 0 and statistics.refused == 0
    assert seconds < allowed


def test_runs_are_never_doubled(network, ticket):
    board = make_board(ticket, faults=Faults(seed=3, flip=3e-4))
    device = open_device(board)
    device.load(ticket)
    runs = board.engine.runs
    device.infer(network.images(200))
    assert device.statistics.resent > 20
    assert board.engine.runs == runs + 200


def test_reset_ends_a_run_and_keeps_the_ticket(board, device, network, ticket):
    device.load(ticket)
    board.engine.endless = True
    board.engine.write(9, 1)
    assert board.engine.busy
    board.engine.endless = False
    device.reset()
    assert not board.engine.busy
    images = network.images(2)
    np.testing.assert_array_equal(device.infer(images).logits, reference.logits(ticket, images))


def test_an_interrupted_call_leaves_no_trace(board, device, network, ticket):
    device.load(ticket)
    images = network.images(4)

    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.infer(images, progress=interrupt)
    np.testing.assert_array_equal(device.infer(images).logits, reference.logits(ticket, images))
    assert [frame.command for frame in board.executed].count(Command.RESET) == 2


def test_without_a_ticket(device, network):
    with pytest.raises(DeviceError) as caught:
        device.infer(network.images(1))
    assert str(caught.value) == "no ticket is loaded; call load(ticket) before infer(images)"
