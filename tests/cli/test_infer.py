"""`tombola infer` as a user calls it, on a board in Python."""

import errno
import json

import numpy as np
import pytest
import serial
from PIL import Image

from tombola import data
from tombola.cli.main import main
from tombola.data.catalog import SOURCES, source_of
from tombola.device import Device, usb
from tombola.device.usb import Found
from tombola.spec import reference, ticket_file
from tombola_boards.registry import BOARDS

from .conftest import digits_ticket


def infer(ticket_path, *arguments, device="serial:/dev/ttyUSB1"):
    return main(["infer", "--device", device, "--ticket", str(ticket_path), *map(str, arguments)])


def document(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_data_set(opened, digits, ticket_path, capsys):
    assert infer(ticket_path, "--samples", "5", "--board", "icebreaker", "--json") == 0
    said = document(capsys)
    content = data.load("digits")
    expected = reference.logits(digits, content.test_images[:5])
    assert [each["logits"] for each in said["results"]] == expected.tolist()
    assert [each["class"] for each in said["results"]] == expected.argmax(axis=1).tolist()
    assert [each["label"] for each in said["results"]] == content.test_labels[:5].tolist()
    assert said["accuracy"] == (expected.argmax(axis=1) == content.test_labels[:5]).mean()
    assert (said["samples"], said["agreement"], said["mismatches"]) == (5, 1.0, 0)
    assert said["latency_cycles"] > 100
    assert said["latency_us"] == pytest.approx(said["latency_cycles"] / 24)
    assert said["engine_inferences_per_second"] == pytest.approx(
        24e6 / said["latency_cycles"], rel=1e-3
    )
    assert said["inferences_per_second"] == pytest.approx(5 / said["seconds"])
    assert said["simulated"] is False and said["ticket_written"] is True
    assert said["counters"]["cycles"] == said["latency_cycles"]
    assert opened == [("serial:/dev/ttyUSB1", 1_000_000)]


def test_speed_in_the_time_of_the_board(opened, board, ticket_path, monkeypatch, capsys):
    times = []
    on_device = Device.infer

    def timed(self, *arguments, **options):
        times.append(board.now)
        results = on_device(self, *arguments, **options)
        times.append(board.now)
        return results

    monkeypatch.setattr(Device, "infer", timed)
    assert infer(ticket_path, "--samples", "5", "--board", "icebreaker", "--json") == 0
    said = document(capsys)
    assert said["board_inferences_per_second"] == pytest.approx(5 / (times[1] - times[0]))
    assert said["board_inferences_per_second"] < said["engine_inferences_per_second"]


def test_an_unknown_board_has_no_microseconds(opened, ticket_path, capsys):
    assert infer(ticket_path, "--samples", "2", "--json") == 0
    said = document(capsys)
    assert said["latency_us"] is None and said["engine_inferences_per_second"] is None
    assert said["latency_us_unknown"] == "the clock is unknown; name the board with --board"
    assert infer(ticket_path, "--samples", "2") == 0
    assert "the clock is unknown; name the board with --board" in capsys.readouterr().out


def test_a_virtual_board_says_whose_speed_it_is(opened, ticket_path, capsys):
    assert infer(ticket_path, "--samples", "2", "--json", device="virtual:ulx3s-25f") == 0
    said = document(capsys)
    assert said["simulated"] is True
    assert infer(ticket_path, "--samples", "2", device="virtual:ulx3s-25f") == 0
    shown = capsys.readouterr().out
    assert "with their transfers, in the board's time" in shown
    assert "in time on the wall" in shown
    assert opened == [("virtual:ulx3s-25f", None)] * 2


def test_image_files_and_arrays(opened, digits, ticket_path, tmp_path, capsys):
    images = data.load("digits").test_images[:4]
    grey, coloured, arrays = (tmp_path / name for name in ("g.png", "c.png", "a.npz"))
    Image.fromarray(images[0, 0]).save(grey)
    Image.fromarray(images[1, 0]).convert("RGB").save(coloured)
    np.savez(arrays, images=images[2:, 0], labels=np.array([7, 1], np.uint8))
    assert infer(ticket_path, grey, coloured, arrays, "--json") == 0
    said = document(capsys)
    expected = reference.logits(digits, images)
    assert [each["logits"] for each in said["results"]] == expected.tolist()
    assert [each["label"] for each in said["results"]] == [None, None, 7, 1]
    assert [each["image"] for each in said["results"]] == [
        str(grey), str(coloured), f"{arrays}:0", f"{arrays}:1"
    ]  # fmt: skip
    assert said["accuracy"] == (expected[2:].argmax(axis=1) == [7, 1]).mean()
    assert said["source"] == "4 images of 3 files"


def test_images_without_a_label_have_no_accuracy(opened, ticket_path, tmp_path, capsys):
    file = tmp_path / "g.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file)
    assert infer(ticket_path, file) == 0
    shown = capsys.readouterr().out
    assert "accuracy" not in shown and "1 of 1, every logit" in shown


def test_the_table_ends_after_some_images(opened, ticket_path, capsys):
    assert infer(ticket_path, "--samples", "23") == 0
    captured = capsys.readouterr()
    assert "and 3 more; --json has all" in captured.out
    assert "23 of 23, every logit" in captured.out
    assert "images inferred: 23 to go" in captured.err


def test_another_logit_is_status_1(opened, board, ticket_path, capsys):
    infer_on_chip = board.engine._infer
    calls = []

    def wrong(program):
        logits = infer_on_chip(program).copy()
        calls.append(logits)
        if len(calls) == 2:
            logits[logits.argmax()] += 1
        return logits

    board.engine._infer = wrong
    assert infer(ticket_path, "--samples", "4", "--json") == 1
    said = document(capsys)
    assert said["agreement"] == 0.75 and said["mismatches"] == 1
    assert [each["agrees"] for each in said["results"]] == [True, False, True, True]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--samples", "0"], "samples must be between 1 and 360, the test images of digits, not 0"),
        (["--dataset", "flowers"],
         f"data set must be one of {', '.join(each.name for each in SOURCES)}, not 'flowers'"),
        (["x.png", "--samples", "3"],
         "images are files or --dataset with --samples, not both; leave one out"),
        (["none.png"], "cannot read none.png: No such file or directory"),
        (["none.npz"], "cannot read none.npz: No such file or directory"),
        (["--board", "x"], f"board must be one of {', '.join(sorted(BOARDS))}, not x"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_line(opened, ticket_path, capsys, arguments, message):
    assert infer(ticket_path, *arguments) == 2
    assert capsys.readouterr().err == f"tombola: error: {message}\n"
    assert not opened


def test_without_a_ticket(capsys):
    assert main(["infer", "--device", "auto", "x.png"]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: infer needs the ticket to know what it should find; add --ticket FILE\n"
    )


def test_missing_data(opened, ticket_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(type(source_of("mnist")), "is_in", lambda self, folder: False)
    assert infer(ticket_path, "--dataset", "mnist") == 2
    assert capsys.readouterr().err == (
        "tombola: error: mnist is missing; run tombola data fetch mnist\n"
    )
    assert not opened


@pytest.mark.parametrize(
    "found, message",
    [
        ([], "no board found on USB; plug one in, or name its port as in serial:/dev/ttyUSB1, or "
             "start a simulated one with virtual:icebreaker"),
        ([Found(port="/dev/ttyUSB1", board="icebreaker"), Found(port="/dev/ttyUSB2", board=None)],
         "several boards found: /dev/ttyUSB1 (icebreaker), /dev/ttyUSB2 (unknown board); name one, "
         "as in serial:/dev/ttyUSB1"),
    ],
)  # fmt: skip
def test_not_one_board(ticket_path, monkeypatch, capsys, found, message):
    monkeypatch.setattr(usb, "find_boards", lambda ports: found)
    assert infer(ticket_path, "--samples", "1", device="auto") == 2
    assert capsys.readouterr().err == f"tombola: error: {message}\n"


def test_no_permission(ticket_path, monkeypatch, capsys):
    def refuse(port, *arguments, **options):
        raise serial.SerialException(errno.EACCES, f"could not open port {port}")

    monkeypatch.setattr(serial, "Serial", refuse)
    assert infer(ticket_path, "--samples", "1") == 2
    assert capsys.readouterr().err == (
        "tombola: error: no permission to open /dev/ttyUSB1; join its group, on most systems with "
        "sudo usermod -aG dialout $USER, and log in again\n"
    )


def test_an_address_that_is_none(ticket_path, capsys):
    assert infer(ticket_path, "--samples", "1", device="/dev/ttyUSB1") == 2
    assert capsys.readouterr().err == (
        "tombola: error: device must be serial:PORT, virtual:BOARD or auto, not /dev/ttyUSB1\n"
    )


def test_a_ticket_that_does_not_fit(opened, tmp_path, capsys):
    path = tmp_path / "large.ticket"
    ticket_file.save(digits_ticket((3, 30, 30)), path)
    file = tmp_path / "a.npz"
    np.savez(file, images=np.zeros((1, 3, 30, 30), np.uint8))
    assert infer(path, file) == 2
    assert capsys.readouterr().err == (
        "tombola: error: activation memory: tensor 1 and those still read need 1800 words of 4 "
        "bytes but the engine has 1024; use an engine with more activation memory\n"
    )
