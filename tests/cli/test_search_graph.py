"""Searching a graph from the command line."""

import json

import pytest

from tombola.cli import main as cli
from tombola.data import find

SEARCH = ["search", "--algorithm", "gnn-multicoat", "--dataset", "cora"]


@pytest.fixture
def cora():
    if find("cora") is None:
        pytest.skip("cora is not on this computer; TOMBOLA_DATA names a folder with cora.npz")


def test_two_epochs_and_a_look_at_the_ticket(cora, tmp_path, capsys):
    options = ["--epochs", "2", "--hidden", "16", "--seed", "7", "--out", str(tmp_path)]
    assert cli.main([*SEARCH, *options, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert "epoch 2/2: loss " in captured.err
    assert found["epoch"] in (1, 2)
    assert found["integer_accuracy"] == found["float_accuracy"]
    assert (found["dataset"], found["samples"], found["hidden"]) == ("cora", 1000, 16)
    assert found["dropped"] == pytest.approx(0.5, abs=1e-4)
    weights = 1433 * 16 + 16 * 16 + 16 * 7
    assert found["weights"] == weights
    assert found["seed_and_mask_bytes"] == -(-(64 + found["mask_bits"]) // 8)
    assert cli.main([*SEARCH, *options, "--resume"]) == 0
    assert "integers" in capsys.readouterr().out
    assert cli.main(["inspect", found["ticket"], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["mask_bits"] == found["mask_bits"]
    assert [layer["op"] for layer in shown["layer_table"]] == ["conv", "aggregate"] * 3
    assert cli.main(["eval", found["ticket"], "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["integer_accuracy"] == found["integer_accuracy"]
    assert measured["samples"] == 1000
    assert cli.main(["eval", found["ticket"], "--samples", "9"]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: --samples is not for graph networks; their nodes are computed together\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prune", "0.3"], "--prune is not for graph networks; leave it out"),
        (["--dataset", "digits"], "digits holds images, not a graph; graphs are cora and citeseer"),
        (["--coats", "0"], "coats must be between 1 and 127, not 0"),
    ],
)
def test_refused(tmp_path, capsys, options, message):
    assert cli.main([*SEARCH, "--out", str(tmp_path), *options]) == 2
    assert capsys.readouterr().err == f"tombola: error: {message}\n"


@pytest.mark.parametrize(
    "options",
    [("--preset", "digits-cnn"), ("--norm", "affine"), ("--coat-sparsities", "0.9")],
)
def test_what_images_have_is_refused(tmp_path, capsys, options):
    assert cli.main([*SEARCH, *options, "--out", str(tmp_path)]) == 2
    said = f"tombola: error: {options[0]} is not for graph networks; leave it out\n"
    assert capsys.readouterr().err == said
