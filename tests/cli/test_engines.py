"""Engines that were planned, by the verbs that take them from a file."""

import json

import pytest

from tombola.cli import bitstream
from tombola.cli.engines import read_engine
from tombola.cli.main import main
from tombola.compiler import compile_ticket
from tombola.spec import ticket_file
from tombola.spec.engine import EngineConfig
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample
from tombola_boards import build
from tombola_boards.build import Built
from tombola_boards.build_cache import RESULT


@pytest.fixture(scope="module")
def ticket(tmp_path_factory):
    path = tmp_path_factory.mktemp("tickets") / "my.ticket"
    ticket_file.save(sample("digits-cnn", recipe=Recipe(frozen=0.7)), path)
    return path


@pytest.fixture
def plan(ticket, tmp_path, capsys):
    """A file with what the planner printed."""
    assert main(["plan", str(ticket), "--board", "ulx3s-25f", "--geometry", "4x8", "--json"]) == 0
    path = tmp_path / "plan.json"
    path.write_text(capsys.readouterr().out)
    return path


@pytest.fixture
def built(monkeypatch):
    """In place of synthesis a list of what was to be built."""
    calls = []

    def build_board(board, *, config, power_up, **_):
        calls.append((board.name, config, power_up))
        cells = {"lut4": 1, "ff": 1, "block_ram": 1, "dsp": 0, "spram": 0}
        document = {
            "board": board.name, "geometry": config.geometry, "macs": config.macs,
            "config": config.to_json(), **cells, "capacity": cells, "fmax_mhz": 90.0,
            "clock_mhz": 80.0, "seconds": {}, "bitstream": "a.bit",
        }  # fmt: skip
        return Built(document=document, files={"a.bit": b"1"})

    monkeypatch.setattr(build, "find_tools", lambda board: {})
    monkeypatch.setattr(bitstream, "build_board", build_board)
    return calls


def test_what_a_plan_prints_is_built(plan, ticket, built, tmp_path, capsys):
    config = EngineConfig(**json.loads(plan.read_text())["config"])
    assert config.geometry == "4x8"
    options = ["--engine", str(plan), "--ticket", str(ticket), "--out", str(tmp_path / "out")]
    assert main(["build", "--board", "ulx3s-25f", *options]) == 0
    loaded = ticket_file.load(ticket)
    assert built == [("ulx3s-25f", config, compile_ticket(loaded, config).power_up)]
    # And what was built is an engine to name in its turn.
    assert read_engine(tmp_path / "out" / RESULT) == config


def test_planned_and_built_in_one_go(plan, ticket, built, tmp_path, capsys):
    config = EngineConfig(**json.loads(plan.read_text())["config"])
    options = ["--plan", str(ticket), "--geometry", "4x8", "--out", str(tmp_path), "--json"]
    assert main(["build", "--board", "ulx3s-25f", *options]) == 0
    said = capsys.readouterr()
    assert built == [("ulx3s-25f", config, None)]
    assert json.loads(said.out)["config"] == config.to_json()
    assert "ulx3s-25f: planned 4x8, " in said.err


def test_an_engine_is_built_for_the_clock_that_it_was_planned_for(
    ticket, built, tmp_path, monkeypatch, capsys
):
    wanted = ["--board", "ulx3s-25f", "--geometry", "4x8", "--clock", "50"]
    assert main(["plan", str(ticket), *wanted, "--json"]) == 0
    path = tmp_path / "plan.json"
    path.write_text(capsys.readouterr().out)
    document = json.loads(path.read_text())
    assert document["fps"] == pytest.approx(50e6 / document["cycles"])
    boards, build_board = [], bitstream.build_board
    monkeypatch.setattr(
        bitstream, "build_board",
        lambda board, **options: boards.append(board) or build_board(board, **options),
    )  # fmt: skip
    out = ["--out", str(tmp_path / "out")]
    assert main(["build", "--board", "ulx3s-25f", "--engine", str(path), *out]) == 0
    assert main(["build", "--plan", str(ticket), *wanted, *out]) == 0
    assert main(["build", "--board", "ulx3s-25f", "--clock", "60", *out]) == 0
    assert [board.clock_hz for board in boards] == [50_000_000, 50_000_000, 60_000_000]
    assert [board.divisor for board in boards] == [50, 50, 60]
    assert boards[0].make_platform is not boards[2].make_platform


def test_a_ticket_that_does_not_fit_is_not_built(built, tmp_path, capsys):
    path = tmp_path / "large.ticket"
    ticket_file.save(sample("fmnist-mlp"), path)
    options = ["--plan", str(path), "--out", str(tmp_path / "out")]
    assert main(["build", "--board", "tang-nano-9k", *options]) == 2
    assert "tombola: error: ticket memory must have " in capsys.readouterr().err
    assert built == [] and not (tmp_path / "out").exists()


def test_the_verilog_of_a_plan(plan, tmp_path, capsys):
    out = tmp_path / "rtl"
    assert main(["rtl", "--engine", str(plan), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["geometry"] == "4x8"
    assert read_engine(out / "design.json") == read_engine(plan)


def test_a_plan_is_simulated(plan, ticket, monkeypatch, capsys):
    arguments = ["--engine", str(plan), "--dataset", "random", "--samples", "1", "--json"]
    assert main(["sim", str(ticket), *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["geometry"], document["mismatches"]) == ("4x8", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be JSON, as tombola plan --json prints it: "),
        ("[]", "must hold the config of an engine, as tombola plan --json prints it"),
        ('{"fits": false}', "must hold the config of an engine, as tombola plan --json prints it"),
        ('{"config": {"rows": 0}}', "describes no engine: rows must be between 1 and 256, not 0"),
        ('{"config": {"rows": "8"}}', "describes no engine: rows must be an int, not '8'"),
        ('{"config": {"cows": 8}}', "describes no engine: "),
        ('{"board": "icebreaker", "config": {}}', "engine must be one for ulx3s-25f, not for"),
        ('{"clock_mhz": "80", "config": {}}', "clock_mhz must be a number, not '80'"),
    ],
)
def test_files_that_describe_no_engine(content, message, built, tmp_path, capsys):
    path = tmp_path / "plan.json"
    path.write_text(content)
    options = ["--engine", str(path), "--out", str(tmp_path / "out")]
    assert main(["build", "--board", "ulx3s-25f", *options]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("tombola: error: ")
    assert error.count("\n") == 1
    assert built == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("build --board ulx3s-25f --engine a --geometry 8x8 --out o", "--plan and --clock"),
        ("build --board ulx3s-25f --engine a --plan b --out o", "--geometry, --plan and --clock"),
        ("build --board ulx3s-25f --engine a --clock 60 --out o", "--plan and --clock"),
        ("build --board all --engine a --out o", "name it in place of all"),
        ("build --board all --clock 60 --out o", "name it in place of all"),
        ("build --board ulx3s-25f --clock 0 --out o", "clock must be above 0 MHz, not 0"),
        ("build --board icebreaker --clock 20 --out o", "icebreaker must be 24 MHz, not 20 MHz"),
        ("build --board ulx3s-25f --clock 0.3 --out o", "baud must divide the clock of 300000 Hz"),
        ("rtl --engine a --geometry 8x8 --out o", "--geometry and --ticket"),
        ("rtl --engine a --ticket b --out o", "--geometry and --ticket"),
        ("sim a.ticket --engine a --rtl b", "--geometry and --rtl"),
        ("build --board ulx3s-25f --engine missing --out o", "cannot read missing: No such file"),
    ],
)
def test_an_engine_is_named_once(arguments, message, built, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
