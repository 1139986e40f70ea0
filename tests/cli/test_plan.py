"""Plans as people and programs read them."""

import json

import pytest

from tombola.cli.main import main
from tombola.spec import ticket_file
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tickets")
    for name, network, frozen in (
        ("small", "digits-cnn", 0.7),
        ("middle", "fmnist-cnn", 0.7),
        ("large", "fmnist-mlp", 0.0),
    ):
        made = sample(network, recipe=Recipe(frozen=frozen))
        ticket_file.save(made, folder / f"{name}.ticket")
    return folder


def plan(tickets, name, board, *options):
    return main(["plan", str(tickets / f"{name}.ticket"), "--board", board, *options])


def test_a_plan_for_programs(tickets, capsys):
    assert plan(tickets, "small", "ulx3s-25f", "--geometry", "8x16", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["board"], document["fits"]) == ("ulx3s-25f", True)
    assert (document["geometry"], document["macs"]) == ("8x16", 128)
    assert document["cycles"] == sum(layer["cycles"] for layer in document["layers"])
    assert document["fps"] == pytest.approx(80e6 / document["cycles"])
    for layer in document["layers"]:
        assert sum(layer["spent"].values()) == layer["cycles"]
        assert layer["spent"][layer["bound"]] == max(layer["spent"].values())
    assert document["bound"] in document["layers"][0]["spent"]
    assert 8000 < document["lut4"] < 12_000
    blocks = sum(memory["block_ram"] for memory in document["memories"])
    assert blocks < document["block_ram"] <= document["capacity"]["block_ram"]
    for memory in document["memories"]:
        assert memory["need_bits"] <= memory["have_bits"]
    assert document["config"]["rows"] == 8


def test_a_plan_for_people(tickets, capsys):
    assert plan(tickets, "middle", "icebreaker") == 0
    text = capsys.readouterr().out
    for word in ("engine", "16x4", "tensor 1", "mask 0", "3 conv", "construction", "large RAM"):
        assert word in text, word


def test_enough_inferences_a_second_on_less(tickets, capsys):
    assert plan(tickets, "small", "ulx3s-25f", "--json") == 0
    fastest = json.loads(capsys.readouterr().out)
    assert plan(tickets, "small", "ulx3s-25f", "--fps", "500", "--json") == 0
    enough = json.loads(capsys.readouterr().out)
    assert 500 <= enough["fps"] < fastest["fps"]
    assert enough["lut4"] < fastest["lut4"]


def test_what_does_not_fit_is_an_error_and_a_document(tickets, capsys):
    assert plan(tickets, "large", "tang-nano-9k", "--json") == 2
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["fits"] is False
    assert document["memory"] == "ticket"
    assert document["need_bits"] > document["have_bits"] > 0
    assert 0 < document["frozen_to_fit"] < 1
    assert said.err == f"tombola: error: {document['reason']}\n"
    assert f"freeze {document['frozen_to_fit']:.4f} of the weights" in document["reason"]


def test_activations_that_do_not_fit(tickets, capsys):
    assert plan(tickets, "middle", "ice40-hx8k", "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["memory"], document["frozen_to_fit"]) == ("activations", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--geometry", "8"], "geometry must be ROWSxLANES or ROWSxLANESxPIXELS such as 8x8"),
        (["--fps", "0"], "fps must be above 0, not 0"),
        (["--fps", "nan"], "fps must be above 0, not nan"),
        (["--geometry", "64x32"], "geometry must leave room: an engine of 64x32 needs some "),
    ],
)
def test_wrong_wishes(tickets, capsys, options, message):
    assert plan(tickets, "small", "ulx3s-25f", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tombola: error: {message}")
    assert error.count("\n") == 1


def test_an_unknown_board(tickets, capsys):
    assert plan(tickets, "small", "ulx3s") == 2
    assert capsys.readouterr().err.startswith("tombola: error: board must be one of colorlight-i5,")
