"""`tombola sim` and `tombola rtl` as a user calls them."""

import json

import numpy as np
import pytest
from support.tickets import TicketBuilder
from support.toy_engine import write_engine

from tombola.cli.main import main
from tombola.data.catalog import SOURCES
from tombola.spec import ticket_file
from tombola.spec.ticket import Window


def digits_ticket(path, provenance=("dataset", "digits")):
    builder = TicketBuilder((1, 8, 8), seed=5)
    builder.conv(4, window=Window(padding=(1, 1, 1, 1)), freeze=(60, 60), in_channels=1)
    builder.conv(10, (8, 8), freeze=(100, 60), in_channels=4, logits=True)
    ticket = builder.build()
    if provenance:
        ticket.provenance.update([provenance])
    ticket_file.save(ticket, path)
    return str(path)


@pytest.fixture
def ticket(tmp_path):
    return digits_ticket(tmp_path / "my.ticket")


def test_exact(ticket, tmp_path, capsys):
    dump = tmp_path / "run.npz"
    arguments = [ticket, "--samples", "3", "--geometry", "2x2", "--dump", str(dump), "--json"]
    assert main(["sim", *arguments]) == 0
    out, _ = capsys.readouterr()
    document = json.loads(out)
    assert document["samples"] == 3
    assert document["values_compared"] == 30
    assert document["mismatches"] == 0
    assert document["macs_per_inference"] == 64 * 36 + 2560
    assert 0 < document["mac_utilisation"] <= 1
    assert document["cycles_per_inference"] > document["macs_per_inference"] / 4
    assert document["simulated_cycles_per_second"] > 0
    with np.load(dump) as file:
        assert file["images"].shape == (3, 1, 8, 8)
        assert file["logits"].shape == (3, 10)


def test_mismatch_is_status_1(ticket, tmp_path, capsys):
    folder = write_engine(tmp_path / "toy")
    assert main(["sim", ticket, "--samples", "2", "--rtl", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "mismatches" in out
    assert "mismatch: image 0, layer 0, channel " in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--samples", "0"], "samples must be between 1 and 360, not 0"),
        (["--dump", "x.txt"], "dump must be a .npz file, not x.txt"),
        (["--jobs", "0"], "jobs must be at least 1, not 0"),
        (["--jobs", "2", "--waves"], "waves are of one simulation, so they want 1 job, not 2"),
        (["--resume", "x.txt"], "resume must be a .npz file, not x.txt"),
        (["--resume", "x.npz", "--waves"],
         "waves are of a whole simulation, so they want none to resume"),
        (["--waves", "x"], "waves must be a .fst or .vcd file, not x"),
        (["--geometry", "x"], "geometry must be ROWSxLANES or ROWSxLANESxPIXELS such as 8x8, "
                              "not x"),
        (["--rtl", "none"], "cannot read none/design.json: No such file or directory; write the "
                            "folder with tombola rtl --out none"),
        (["--dataset", "flowers"],
         f"data set must be one of {', '.join(each.name for each in SOURCES)}, not 'flowers'"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_line(ticket, capsys, arguments, message):
    assert main(["sim", ticket, *arguments]) == 2
    assert capsys.readouterr().err == f"tombola: error: {message}\n"


def test_geometry_against_rtl(ticket, tmp_path, capsys):
    folder = write_engine(tmp_path / "toy")
    assert main(["sim", ticket, "--rtl", str(folder), "--geometry", "8x8"]) == 2
    message = f"tombola: error: {folder} holds a 4x4 engine, not 8x8\n"
    assert capsys.readouterr().err == message


def test_ticket_without_data_set(tmp_path, capsys):
    assert main(["sim", digits_ticket(tmp_path / "my.ticket", provenance=None)]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: the ticket names no data set; say which with --dataset, random for random "
        "images\n"
    )


def test_random_images_need_no_data_set(tmp_path, capsys):
    path = digits_ticket(tmp_path / "my.ticket", provenance=None)
    options = ["--dataset", "random", "--samples", "2", "--geometry", "2x2"]
    assert main(["sim", path, *options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["dataset"], document["accuracy"]) == ("random bytes", None)
    assert (document["samples"], document["mismatches"]) == (2, 0)


def test_images_of_another_shape(tmp_path, capsys):
    path = tmp_path / "my.ticket"
    builder = TicketBuilder((1, 4, 4)).conv(10, (4, 4), in_channels=1, logits=True)
    ticket_file.save(builder.build(), path)
    assert main(["sim", str(path), "--dataset", "digits"]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: images must be 1x4x4 for this ticket, not 1x8x8 as those of digits\n"
    )


def test_rtl(tmp_path, capsys):
    out = tmp_path / "rtl"
    assert main(["rtl", "--geometry", "2x2", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["geometry"] == "2x2" and document["macs"] == 4
    assert {port["name"] for port in document["ports"]} >= {"clk", "rst", "requests__valid"}
    for file in document["files"]:
        assert (tmp_path / file).is_file()


def test_rtl_for_a_ticket(ticket, tmp_path, capsys):
    out = tmp_path / "rtl"
    assert main(["rtl", "--ticket", ticket, "--geometry", "2x2", "--out", str(out)]) == 0
    assert "requests__payload" in capsys.readouterr().out


def test_rtl_into_a_file(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["rtl", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == (
        f"tombola: error: cannot write {tmp_path / 'file'}: File exists\n"
    )
