"""`tombola infer` and `tombola deploy` on virtual boards: one in Python, and the simulated one."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from support.fake_device import small_network

from tombola.cli.main import main
from tombola.device import virtual
from tombola.spec import reference, ticket_file
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample

TESTS = Path(__file__).parents[1]


def test_a_board_in_python_behind_a_terminal(monkeypatch, tmp_path, capsys):
    script = TESTS / "support" / "fake_virtual_board.py"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *sys.path]))
    monkeypatch.setattr(virtual, "command", lambda *_: [sys.executable, str(script), "ok"])
    network = small_network()
    ticket, images = network.build(), network.images(4)
    path, arrays = tmp_path / "my.ticket", tmp_path / "images.npz"
    ticket_file.save(ticket, path)
    np.savez(arrays, images=images)
    assert main([
        "infer", "--device", "virtual:icebreaker", "--ticket", str(path), str(arrays), "--json"
    ]) == 0  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    expected = reference.logits(ticket, images)
    assert [each["logits"] for each in said["results"]] == expected.tolist()
    assert said["simulated"] is True and said["board"] == "icebreaker"
    assert said["latency_us"] == pytest.approx(said["latency_cycles"] / 24)
    assert said["inferences_per_second"] > 0 and said["board_inferences_per_second"] > 0


def test_a_virtual_board_that_does_not_start(monkeypatch, ticket_path, capsys):
    arguments = ["--ticket", str(ticket_path), "--dataset", "digits", "--samples", "1"]
    assert main(["infer", "--device", "virtual:de10", *arguments]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "tombola: error: the virtual board de10 did not start: board must be one of "
    )


@pytest.mark.slow  # builds the simulator of the board, unless it is in the cache
def test_the_simulated_icebreaker(ticket_path, capsys):
    arguments = ["--board", "icebreaker", "--virtual", "--samples", "5", "--json"]
    assert main(["deploy", str(ticket_path), *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["samples"], said["mismatches"], said["agreement"]) == (5, 0, 1.0)
    assert said["latency_us"] == pytest.approx(said["latency_cycles"] / 24)
    assert said["geometry"] == "16x4" and said["ticket_written"] is True


@pytest.mark.slow  # builds the simulator of an engine, unless it is in the cache
def test_a_planned_engine_on_a_simulated_board(tmp_path, capsys):
    path, plan = tmp_path / "my.ticket", tmp_path / "plan.json"
    ticket_file.save(sample("digits-cnn", recipe=Recipe(frozen=0.7)), path)
    wanted = ["--board", "ulx3s-25f", "--geometry", "4x8x2", "--json"]
    assert main(["plan", str(path), *wanted]) == 0
    plan.write_text(capsys.readouterr().out)
    config = json.loads(plan.read_text())["config"]
    assert config["unsigned_sums"] is True
    arguments = ["--board", "ulx3s-25f", "--engine", str(plan), "--virtual", "--samples", "2"]
    assert main(["deploy", str(path), *arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["geometry"], said["samples"], said["mismatches"]) == ("4x8x2", 2, 0)
    assert said["ticket_written"] is True
