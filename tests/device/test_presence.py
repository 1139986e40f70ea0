"""What a board has already is not written again, and what it has only in part always is."""

from dataclasses import replace

import numpy as np
import pytest
from support.fake_device import CONFIG, make_board, open_device, small_network

from tombola.compiler import compile_ticket
from tombola.spec import descriptor, reference
from tombola.spec.errors import DeviceError
from tombola.spec.link import Command
from tombola.spec.registers import ADDRESS, Window


@pytest.fixture
def program(ticket):
    return compile_ticket(ticket, CONFIG)


def written(board) -> int:
    """Words that went to the memories of a ticket."""
    tables = (Window.TICKET, Window.TABLE)
    writes = [frame.words for frame in board.executed if frame.command == Command.WRITE]
    return sum(len(words) - 1 for words in writes if words[0] >> 20 in tables)


def loads(board, ticket, **options) -> int:
    """Words that a new driver on this board writes to load a ticket; then it infers."""
    before = written(board)
    board.link.last = None
    device = open_device(board)
    device.load(ticket, **options)
    network = small_network()
    images = network.images(3)
    np.testing.assert_array_equal(device.infer(images).logits, reference.logits(ticket, images))
    return written(board) - before


def whole(program) -> int:
    """Words of a load: the digest is cleared as well."""
    return sum(words.size for _, words in program.writes) + program.digest.size


def test_a_new_driver_finds_the_ticket_of_the_last_one(board, ticket, program):
    assert loads(board, ticket) == whole(program)
    sent, began = len(board.executed), board.now
    assert loads(board, ticket) == 0
    assert len(board.executed) - sent < 40 and board.now - began < 0.05
    assert loads(board, ticket, force=True) == whole(program)


def test_finding_takes_milliseconds(board, device, ticket, program):
    began = board.now
    device.load(ticket)
    loading, began = board.now - began, board.now
    told = []
    device.load(ticket, progress=lambda *now: told.append(now))
    assert board.now - began < min(2e-3, loading / 3)
    assert told == []


def boot(board, program):
    """Power comes, and the bitstream brings a ticket."""
    board.engine.power_up()
    for address, words in program.writes:
        board.engine.memories[Window(address >> 20)][address & 0xFFFFF :][: words.size] = words


def test_a_board_booted_from_flash_is_used_without_loading(board, ticket, program):
    boot(board, program)
    assert loads(board, ticket) == 0


def test_after_a_power_cycle_a_ticket_is_loaded_again(board, ticket, program):
    other = small_network(2).build()
    board = make_board(ticket, other)
    assert loads(board, ticket) == whole(program)
    board.engine.power_up()
    assert loads(board, ticket) == whole(program)
    # The bitstream may bring another ticket than the one that was loaded.
    boot(board, compile_ticket(other, CONFIG))
    assert loads(board, ticket) == whole(program)
    boot(board, compile_ticket(other, CONFIG))
    assert loads(board, other) == 0


def shares_the_ticket_memory(ticket):
    """A ticket that differs in one bias: in its table alone."""
    table = ticket.requantisations[0]
    changed = replace(table, bias=table.bias + np.eye(1, table.bias.size, dtype=np.int32)[0])
    return replace(ticket, requantisations=(changed, *ticket.requantisations[1:]))


def test_a_ticket_with_another_table_is_another_ticket(ticket, program):
    other = shares_the_ticket_memory(ticket)
    first, second = program.ticket_image, compile_ticket(other, CONFIG).ticket_image
    different = np.flatnonzero(first != second)
    assert different.size and different.max() < descriptor.FIRST
    board = make_board(ticket, other)
    assert loads(board, ticket) == loads(board, other) == loads(board, ticket) == whole(program)


class Unplugged(Exception):
    """The host goes away."""


def interrupted(board, ticket, words: int) -> None:
    """A load that ends after so many words have reached the memories of a ticket."""
    device, write, left = open_device(board), board.engine.write, words

    def unplug(address, word):
        nonlocal left
        if Window.TICKET.base <= address < Window.ACTIVATIONS.base:
            left -= 1
            if left < 0:
                raise Unplugged
        write(address, word)

    board.link._write = unplug
    with pytest.raises(Unplugged):
        device.load(ticket, force=True)
    board.link._write = write
    board.to_board.arrivals.clear()
    board.to_host.arrivals.clear()


def test_a_load_that_ends_anywhere_is_none(ticket, program):
    other = shares_the_ticket_memory(ticket)
    end = whole(program)
    for words in (*range(6), *range(6, end - 4, 17), *range(end - 4, end)):
        for held in (ticket, other):
            board = make_board(ticket, other)
            loads(board, held)
            interrupted(board, ticket, words)
            # Only a load that wrote nothing leaves what was there.
            kept = held is ticket and words == 0
            assert loads(board, ticket) == (0 if kept else whole(program)), words


def test_memory_that_lost_a_bit_is_written_again(board, ticket, program):
    loads(board, ticket)
    board.engine.memories[Window.TICKET][program.ticket_image.size // 2] ^= 1 << 7
    assert loads(board, ticket) == whole(program)


def test_a_load_that_the_engine_objects_to_is_none(board, device, ticket, program):
    write = board.engine.write
    board.link._write = lambda address, word: (
        board.engine.write(CONFIG.ticket_words | Window.TICKET.base, word)
        if address == Window.TABLE.base
        else write(address, word)
    )
    with pytest.raises(DeviceError) as caught:
        device.load(ticket)
    assert str(caught.value) == (
        "the engine at /dev/ttyUSB1 reports error 3 (address): it was asked for an address that it "
        "has not; connect again"
    )
    assert device.program is None
    board.link._write = write
    assert loads(board, ticket) == whole(program)


def test_runs_are_marked_with_the_ticket_at_work(board, device, ticket, program):
    boot(board, program)
    assert board.engine.read(ADDRESS["mark"]) == 0
    device.load(ticket)
    assert board.engine.read(ADDRESS["mark"]) == int(program.digest[0])
