"""Every way in which `tombola deploy` stops, with the whole message and before what."""

from dataclasses import replace

import pytest
from support.fake_board import FakeBoard
from support.fake_device import CONFIG, open_device
from support.fake_engine import FakeEngine
from support.small_board import ADDRESS, SMALL, deploy

from tombola.cli import bitstream, connecting
from tombola.cli.main import main
from tombola.device import usb
from tombola.device.usb import Found
from tombola.spec import ticket_file
from tombola.spec.errors import DeviceError, ToolError
from tombola_boards import registry
from tombola_boards.board import Programmer
from tombola_boards.registry import BOARDS

from .conftest import digits_ticket


def refused(capsys) -> str:
    """The one line on stderr, after the lines of progress; nothing on stdout."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1].removeprefix("tombola: error: ")


def test_flash_that_brought_no_ticket(opened, board, built, programmer, ticket_path, capsys):
    assert deploy(ticket_path, "--flash") == 2
    assert refused(capsys) == (
        "the small did not start with the ticket that is in its bitstream; take its power away, "
        "give it back and run tombola infer"
    )


def test_no_flash(built, programmer, ticket_path, monkeypatch, capsys):
    board = replace(SMALL, programmer=Programmer(tool="openFPGALoader", sram=()))
    monkeypatch.setitem(registry.BOARDS, "small", board)
    assert deploy(ticket_path, "--flash") == 2
    assert refused(capsys) == "small has no flash that it boots from; leave --flash out"
    assert built == []


def test_a_ticket_that_does_not_fit(built, programmer, tmp_path, capsys):
    path = tmp_path / "large.ticket"
    ticket_file.save(digits_ticket((3, 30, 30)), path)
    assert deploy(path) == 2
    assert refused(capsys) == (
        "activation memory: tensor 1 and those still read need 1800 words of 4 bytes but the "
        "engine has 1024; use an engine with more activation memory"
    )
    assert built == [] and programmer.calls == []


def test_a_missing_programmer_is_told_before_the_build(built, ticket_path, monkeypatch, tmp_path,
                                                       capsys):  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deploy(ticket_path) == 2
    assert refused(capsys) == "openFPGALoader is missing; run apt-get install openfpgaloader"
    assert built == []


def test_no_board_is_told_before_the_build(built, programmer, ticket_path, monkeypatch, capsys):
    monkeypatch.setattr(usb, "find_boards", lambda ports: [])
    assert deploy(ticket_path, device=None) == 2
    assert refused(capsys) == (
        "no board found on USB; plug one in, or name its port as in serial:/dev/ttyUSB1, or start "
        "a simulated one with virtual:icebreaker"
    )
    assert built == []


def test_several_boards(built, programmer, ticket_path, monkeypatch, capsys):
    found = [Found(port="/dev/ttyUSB0", board="ulx3s"), Found(port="/dev/ttyUSB2", board=None)]
    monkeypatch.setattr(usb, "find_boards", lambda ports: found)
    assert deploy(ticket_path, device="auto") == 2
    assert refused(capsys) == (
        "several boards found: /dev/ttyUSB0 (ulx3s), /dev/ttyUSB2 (unknown board); name one, as in "
        "serial:/dev/ttyUSB0"
    )
    assert built == []


def test_another_board_is_plugged_in(built, programmer, ticket_path, monkeypatch, capsys):
    found = [Found(port="/dev/ttyUSB0", board="ulx3s-45f")]
    monkeypatch.setattr(usb, "find_boards", lambda ports: found)
    assert deploy(ticket_path, device=None) == 2
    assert refused(capsys) == (
        "board must be ulx3s-45f, as /dev/ttyUSB0 calls itself, not small; if it is wrong, add "
        "--device serial:/dev/ttyUSB0"
    )
    assert built == []


def test_a_port_that_is_not_there(built, programmer, ticket_path, capsys):
    assert deploy(ticket_path, device="serial:/dev/none") == 2
    assert refused(capsys) == (
        "there is no port /dev/none; plug the board in, or see tombola board list"
    )
    assert built == []


def test_no_permission_to_program(built, programmer, ticket_path, capsys):
    programmer.install("openFPGALoader", says="-4 (usb_open() failed)", status=1)
    assert deploy(ticket_path) == 2
    assert refused(capsys) == (
        "no permission to program the small over USB; install the udev rule of docs/boards.md and "
        "plug the board in again"
    )


def test_a_failed_build_programs_nothing(built, programmer, ticket_path, monkeypatch, capsys):
    def fail(board, **options):
        raise ToolError("small: yosys failed: ERROR: no memory")

    monkeypatch.setattr(bitstream, "build_board", fail)
    assert deploy(ticket_path) == 2
    assert refused(capsys) == "small: yosys failed: ERROR: no memory"
    assert programmer.calls == []


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connecting, "SETTLE_SECONDS", 0.02)


def test_a_board_that_stays_silent(opened, board, built, programmer, ticket_path, impatient,
                                   capsys):  # fmt: skip
    board.dead = True
    assert deploy(ticket_path) == 2
    assert refused(capsys) == (
        f"no answer from {ADDRESS} at 1000000 baud; check the board's power and cable, that its "
        "bitstream is loaded and that this is its port"
    )


@pytest.mark.parametrize("version, older", [(0, "bitstream"), (99, "driver")])
def test_a_bitstream_of_another_version(opened, board, built, programmer, ticket_path, impatient,
                                        capsys, version, older):  # fmt: skip
    ours = board.engine.registers[1]
    board.engine.set(version=version)
    assert deploy(ticket_path) == 2
    assert refused(capsys) == (
        f"the bitstream at {ADDRESS} has version {version} of the registers and this driver "
        f"version {ours}; renew the {older}"
    )


def test_another_board_at_that_port(built, programmer, ticket_path, monkeypatch, capsys):
    other = FakeBoard(FakeEngine(replace(CONFIG, rows=8), []))
    monkeypatch.setattr(connecting, "open_device", lambda address, **options: open_device(other))
    assert deploy(ticket_path) == 2
    assert refused(capsys) == (
        "the engine at /dev/ttyUSB1 is not the one that was programmed: it is 8x4, not 4x4 with "
        "the memories of the small; is another board at that port? Name the right one with "
        "--device"
    )
    assert other.closed


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "deploy needs a board; name one of tombola board list with --board"),
        (["--board", "icebreaker", "--device", "virtual:small"],
         "board must be that of --device virtual:small, not icebreaker"),
        (["--board", "small", "--device", "serial:/dev/x", "--virtual"],
         "a board is virtual or at serial:/dev/x, not both; leave one out"),
        (["--board", "small", "--virtual", "--flash"],
         "a virtual board has no flash; leave --flash out"),
        (["--board", "small", "--device", "usb:1"],
         "device must be serial:PORT, virtual:BOARD or auto, not usb:1"),
        (["--board", "small", "--samples", "0"], "samples must be at least 1, not 0"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_line(built, programmer, ticket_path, capsys, arguments, message):
    assert main(["deploy", str(ticket_path), *arguments]) == 2
    assert refused(capsys) == message
    assert built == []


def test_an_unknown_board(ticket_path, capsys):
    assert deploy(ticket_path, board="de10") == 2
    assert refused(capsys) == f"board must be one of {', '.join(sorted(BOARDS))}, not de10"


def test_no_ticket(built, tmp_path, capsys):
    assert deploy(tmp_path / "none.ticket") == 2
    assert refused(capsys) == (
        f"cannot read ticket {tmp_path}/none.ticket: No such file or directory"
    )


def test_a_board_that_breaks_down_in_the_self_test(opened, built, programmer, ticket_path,
                                                   board, capsys):  # fmt: skip
    execute = board._execute

    def vanish(frame):
        execute(frame)
        if board.engine.runs > 2:
            board.gone = DeviceError("/dev/ttyUSB1 is gone; check the cable")

    board._execute = vanish
    assert deploy(ticket_path, "--json") == 2
    assert refused(capsys) == "/dev/ttyUSB1 is gone; check the cable"
