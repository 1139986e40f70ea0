"""Every way a board can fail, with the whole message that tells what to check."""

import pytest
from support.fake_board import Faults
from support.fake_device import make_board, open_device

from tombola.spec import reference
from tombola.spec.errors import DeviceError
from tombola.spec.registers import ADDRESS, VERSION, ErrorCode, Window


def message(call, *arguments) -> str:
    """What a call says as it fails."""
    with pytest.raises(DeviceError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text and not text.endswith(".")
    return text


NO_ANSWER = (
    "no answer from /dev/ttyUSB1 at 1000000 baud; check the board's power and cable, that its "
    "bitstream is loaded and that this is its port"
)
NO_ENGINE = (
    "what /dev/ttyUSB1 says is no answer of an engine; check that the board runs a bitstream of "
    "tombola and speaks 1000000 baud"
)
REFUSES = (
    "the board at /dev/ttyUSB1 refuses a request; it was reset since it was connected, or its "
    "bitstream is older than this driver: connect again, or build and program it again"
)
SILENT = (
    "/dev/ttyUSB1 has not answered for 6 s; check the cable and the board's power, then connect "
    "again"
)
GONE = "/dev/ttyUSB1 is gone; check the cable and the board's power, then connect again"


def test_no_answer(board):
    board.dead = True
    assert message(open_device, board) == NO_ANSWER
    assert board.now < 5


class Chatter:
    """In place of a board's executor: says the same to every request."""

    def __init__(self, board, said: bytes):
        self._board, self._said = board, said
        board._execute = self

    def __call__(self, frame):
        self._board._free = self._board.to_host.send(self._board.now, self._said)


@pytest.mark.parametrize("said", [b"\x00", b"login: ", bytes(range(256)), b"\x54" * 50])
def test_garbage(board, said):
    Chatter(board, said)
    assert message(open_device, board) == NO_ENGINE


def test_an_echo_is_no_board(board):
    board._execute = lambda frame: board.to_host.send(board.now, frame.to_bytes())
    assert message(open_device, board) == NO_ENGINE


def test_answers_with_a_wrong_crc(board):
    send = board.to_host.send
    board.to_host.send = lambda now, content: send(now, content[:-1] + b"\0")
    assert message(open_device, board) == (
        "the board at /dev/ttyUSB1 writes other words than it was sent; check its power supply, "
        "and that its bitstream met the clock when it was built"
    )


def test_an_old_bitstream_refuses_reset(board):
    answer = board.link.answer

    def refuse(frame):
        board.link.last = None
        return answer(frame.__class__(sequence=frame.sequence, command=0x70))

    board.link.answer = refuse
    assert message(open_device, board) == REFUSES


def test_wrong_identity(board):
    board.engine.set(identity=0x12345678)
    assert message(open_device, board) == (
        "the board at /dev/ttyUSB1 says it is 0x12345678, not 0x544f4d42; program it with a "
        "bitstream of tombola"
    )


@pytest.mark.parametrize("version, older", [(VERSION - 1, "bitstream"), (VERSION + 1, "driver")])
def test_another_version(board, version, older):
    board.engine.set(version=version)
    assert message(open_device, board) == (
        f"the bitstream at /dev/ttyUSB1 has version {version} of the registers and this driver "
        f"version {VERSION}; renew the {older}"
    )


def test_registers_that_describe_no_engine(board):
    board.engine.set(geometry=4 | 5 << 16)
    assert message(open_device, board) == (
        "the registers at /dev/ttyUSB1 describe no engine: lanes must be a power of two up to 32, "
        "not 5; program the board again"
    )


@pytest.mark.parametrize("code, name, hint", [
    (ErrorCode.BUSY, "busy", "it was spoken to while it ran; is another program using this board?"),
    (ErrorCode.OPERATION, "operation",
     "its ticket memory holds no sound program; load the ticket again"),
    (ErrorCode.ADDRESS, "address", "it was asked for an address that it has not; connect again"),
    (ErrorCode.FOREIGN, "foreign",
     "its ticket was compiled for another engine; load the ticket again"),
])  # fmt: skip
def test_error_codes(board, device, network, ticket, code, name, hint):
    device.load(ticket)
    board.engine._start = lambda: board.engine._fail(code)
    assert message(device.infer, network.images(2)) == (
        f"the engine at /dev/ttyUSB1 reports error {int(code)} ({name}): {hint}"
    )


def test_an_error_code_of_the_future(board, device, network, ticket):
    device.load(ticket)
    board.engine._start = lambda: board.engine._fail(77)
    assert message(device.infer, network.images(1)) == (
        "the engine at /dev/ttyUSB1 reports error 77, which this driver does not know; renew the "
        "driver"
    )


def test_an_error_is_cleared_by_the_next_call(board, device, network, ticket):
    device.load(ticket)
    images = network.images(1)
    board.engine.memories[Window.TICKET][3] ^= 1
    message(device.infer, images)
    assert board.engine.error == ErrorCode.OPERATION
    device.load(ticket)
    assert (device.infer(images).logits == reference.logits(ticket, images)).all()


def test_memory_that_does_not_keep_what_is_written(board, device, ticket):
    write = board.engine.write
    board.link._write = lambda address, word: write(
        address, word ^ 1 if address == Window.TICKET.base + 70 else word
    )
    assert message(device.load, ticket) == (
        "the board's ticket memory does not keep words 63 to 97; check its power supply, and that "
        "its bitstream met the clock when it was built"
    )
    assert device.program is None


def test_an_engine_that_never_ends(board, device, network, ticket):
    device.load(ticket)
    board.engine.endless = True
    images = network.images(1)
    assert message(device.infer, images) == (
        "the engine at /dev/ttyUSB1 did not end its run within 6 s and was stopped; load the "
        "ticket again"
    )
    assert not board.engine.busy
    board.engine.endless = False
    assert (device.infer(images).logits == reference.logits(ticket, images)).all()


def test_a_run_that_did_not_happen(board, device, network, ticket):
    device.load(ticket)
    board.engine._start = lambda: None
    assert message(device.infer, network.images(1)) == (
        "the engine at /dev/ttyUSB1 has not run; it was reset meanwhile: load the ticket again"
    )


def test_another_program_was_loaded_meanwhile(board, device, network, ticket):
    device.load(ticket)
    start = board.engine._start

    def other():
        start()
        board.engine.set(mark=99)

    board.engine._start = other
    assert message(device.infer, network.images(1)) == (
        "the engine at /dev/ttyUSB1 runs another program than was loaded; is another program using "
        "this board? Load the ticket again"
    )


def test_class_and_logits_that_contradict_each_other(board, device, network, ticket):
    device.load(ticket)
    start = board.engine._start

    def lie():
        start()
        board.engine.set(winner=(board.engine.read(ADDRESS["winner"]) + 1) % 5)

    board.engine._start = lie
    assert message(device.infer, network.images(1)) == (
        "class and logits from /dev/ttyUSB1 contradict each other; load the ticket again"
    )


def test_a_board_that_lost_its_power_for_a_moment(board, device, network, ticket):
    device.load(ticket)
    board.link.last = None
    assert message(device.infer, network.images(1)) == REFUSES


@pytest.mark.parametrize("what", ["load", "infer"])
def test_a_board_that_falls_silent(board, device, network, ticket, what):
    device.load(ticket)
    board.dead = True
    call = device.load if what == "load" else device.infer
    began = board.now
    said = message(call, ticket if what == "load" else network.images(3))
    assert said == (SILENT if what == "load" else NO_ANSWER)
    assert board.now - began < 20
    board.dead = False
    device.load(ticket)
    images = network.images(2)
    assert (device.infer(images).logits == reference.logits(ticket, images)).all()


def test_a_silent_board_behind_a_run(board, device, network, ticket):
    device.load(ticket)
    execute = board._execute

    def die(frame):
        execute(frame)
        board.dead = board.engine.runs > 0

    board._execute = die
    assert message(device.infer, network.images(1)) == NO_ANSWER


def test_a_port_that_vanishes(board, device, network, ticket):
    device.load(ticket)
    execute = board._execute

    def vanish(frame):
        execute(frame)
        board.gone = DeviceError(GONE)

    board._execute = vanish
    assert message(device.infer, network.images(1)) == GONE
    assert message(device.load, ticket) == GONE


def test_noise_without_end_ends_in_an_error(board, device, network, ticket):
    device.load(ticket)
    board.to_board.faults = Faults(drop=1.0)
    noise = bytes(range(255, -1, -1))
    write = board.write

    def noisy(content):
        write(content)
        board.to_host.send(board.now, noise)

    board.write = noisy
    assert message(device.infer, network.images(1)) == NO_ENGINE
    assert message(device.load, ticket) == NO_ENGINE


def test_a_stall_of_two_seconds_is_survived(network, ticket):
    board = make_board(ticket, faults=Faults(seed=3, stall=1e-4))
    device = open_device(board)
    device.load(ticket)
    images = network.images(100)
    assert (device.infer(images).logits == reference.logits(ticket, images)).all()
    assert board.to_board.faults.happened > 1
