"""`tombola deploy` as a user calls it: on a board in Python, with programs in place of tools."""

import json
from dataclasses import replace

import pytest
from support.fake_device import CONFIG, open_device
from support.small_board import ADDRESS, SMALL, deploy

from tombola.cli import connecting
from tombola.cli.main import main
from tombola.compiler import compile_ticket
from tombola.device import usb
from tombola.device.usb import Found
from tombola.spec import ticket_file
from tombola.spec.errors import DeviceError
from tombola_boards import registry

from .conftest import digits_ticket


def test_deployed(opened, built, programmer, ticket_path, capsys):
    assert deploy(ticket_path, "--samples", "3", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert "small: press the button" in captured.err
    assert programmer.calls == [["openFPGALoader", "--board", "ulx3s", "05"]]
    assert [(name, config) for name, config, _ in built] == [("small", CONFIG)]
    assert opened == [(ADDRESS, 1_000_000)]
    assert document["programmed"] == "sram" and document["boots_with_ticket"] is False
    assert document["ticket_written"] is True and built[0][2]["power_up"] is None
    assert document["bitstream_sha256"] == "f" * 64
    assert document["source"] == "3 images of the test set of digits"
    assert (document["samples"], document["values_compared"]) == (3, 30)
    assert (document["mismatches"], document["agreement"]) == (0, 1.0)
    assert document["latency_us"] == pytest.approx(document["latency_cycles"] / 80)


def test_the_table_says_so(opened, built, programmer, ticket_path, capsys):
    assert deploy(ticket_path) == 0
    shown = capsys.readouterr().out
    assert "20 of 20, every logit" in shown and "the ticket answers" in shown


def hold(board, ticket):
    """What a bitstream with the ticket in it leaves in the memories."""
    for address, words in compile_ticket(ticket, CONFIG).writes:
        for at, word in enumerate(words.tolist()):
            board.engine.write(address + at, word)


def test_flash(opened, board, built, programmer, digits, ticket_path, capsys):
    hold(board, digits)
    assert deploy(ticket_path, "--flash", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert "the ticket is on the board already" in captured.err
    assert programmer.calls == [["openFPGALoader", "--board", "ulx3s", "--write-flash", "05"]]
    _, _, options = built[0]
    assert options["power_up"] == compile_ticket(digits, CONFIG).power_up
    assert document["programmed"] == "flash" and document["boots_with_ticket"] is True
    assert document["ticket_written"] is False and document["agreement"] == 1
    hold(board, digits)
    assert deploy(ticket_path, "--flash") == 0
    assert "the ticket answers, and the board boots with it" in capsys.readouterr().out


def test_wrong_answers_are_not_deployed(opened, board, built, programmer, ticket_path, capsys):
    infer = board.engine._infer
    board.engine._infer = lambda program: infer(program) + 1
    assert deploy(ticket_path) == 1
    shown = capsys.readouterr().out
    assert "NOT deployed: the board answers wrongly" in shown
    assert "0 of 20, every logit" in shown


def test_random_images_where_there_is_no_data_set(opened, built, programmer, tmp_path, capsys):
    path = tmp_path / "other.ticket"
    for provenance in ({"dataset": "mnist"}, {"dataset": "flowers"}, {}):
        ticket = digits_ticket(**provenance)
        ticket_file.save(ticket, path)
        assert deploy(path, "--data-dir", str(tmp_path), "--json") == 0
        document = json.loads(capsys.readouterr().out)
        assert document["source"] == "20 images of random bytes"
        assert document["accuracy"] is None and document["agreement"] == 1


def test_the_only_board_on_usb(opened, built, programmer, ticket_path, monkeypatch, capsys):
    found = [Found(port="/dev/ttyUSB0", board=None)]
    monkeypatch.setattr(usb, "find_boards", lambda ports: found)
    assert deploy(ticket_path, device=None) == 0
    assert opened == [("auto", 1_000_000)]


def test_a_board_that_comes_back_late(board, built, programmer, ticket_path, monkeypatch, capsys):
    monkeypatch.setattr(connecting, "SETTLE_SECONDS", 1.0)
    attempts = []

    def connect(address, *, baud=None, engine=None):
        attempts.append(address)
        if len(attempts) < 4:
            raise DeviceError("there is no port /dev/null; check the cable; ports there are: none")
        return open_device(board)

    monkeypatch.setattr(connecting, "open_device", connect)
    assert deploy(ticket_path) == 0
    assert len(attempts) == 4


def test_virtual(opened, built, programmer, ticket_path, capsys):
    for arguments in (["--board", "small", "--virtual"], ["--device", "virtual:small"]):
        assert main(["deploy", str(ticket_path), *arguments, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["programmed"] is None and document["simulated"] is True
    assert opened == [("virtual:small", None)] * 2
    assert built == [] and programmer.calls == []


def test_the_engine_of_a_file(
    opened, built, programmer, ticket_path, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"board": "small", "config": CONFIG.to_json()}))
    monkeypatch.setitem(
        registry.BOARDS, "small", replace(SMALL, config=replace(CONFIG, rows=2 * CONFIG.rows))
    )
    assert deploy(ticket_path, "--engine", str(file)) == 0
    assert [(name, config) for name, config, _ in built] == [("small", CONFIG)]
    assert deploy(ticket_path, "--engine", str(file), "--virtual", device=None) == 0
    assert opened[-1] == ("virtual:small", file)
    capsys.readouterr()
    assert deploy(ticket_path, "--engine", str(file), board="icebreaker") == 2
    assert capsys.readouterr().err == (
        f"tombola: error: engine must be one for icebreaker, not for small as {file} says; plan it "
        "again with --board icebreaker\n"
    )
