"""`tombola board` as a user calls it."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tombola import device
from tombola.cli import bitstream
from tombola.cli.main import main
from tombola.device.usb import Found
from tombola.spec.errors import ToolError
from tombola_boards import tools
from tombola_boards.build import Built
from tombola_boards.registry import BOARDS


def test_list(monkeypatch, capsys):
    plugged = [Found(port="/dev/ttyUSB0", board="ulx3s"), Found(port="/dev/ttyUSB9", board=None)]
    monkeypatch.setattr(device, "find_boards", lambda: plugged)
    assert main(["board", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["boards"]] == list(BOARDS)
    assert document["plugged_in"] == [
        {"port": "/dev/ttyUSB0", "board": "ulx3s"}, {"port": "/dev/ttyUSB9", "board": None}
    ]  # fmt: skip
    assert main(["board", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in BOARDS)
    assert "/dev/ttyUSB0: ulx3s" in shown
    assert "/dev/ttyUSB9: a board whose USB strings do not tell which" in shown


def test_list_names_the_programs_that_are_missing(monkeypatch, capsys):
    def find_tool(name):
        if name in ("iceprog", "nextpnr-ecp5"):
            raise ToolError(f"{name} is missing")

    monkeypatch.setattr(tools, "find_tool", find_tool)
    assert main(["board", "list", "--json"]) == 0
    boards = json.loads(capsys.readouterr().out)["boards"]
    missing = {each["name"]: each["missing_tools"] for each in boards}
    assert missing["icebreaker"] == ["iceprog"]
    assert missing["ulx3s-25f"] == ["nextpnr-ecp5"]
    assert missing["tang-nano-9k"] == []


def test_list_without_a_board(monkeypatch, capsys):
    monkeypatch.setattr(device, "find_boards", list)
    assert main(["board", "list"]) == 0
    assert "none that is known by its USB ids" in capsys.readouterr().out


@pytest.mark.parametrize("name", BOARDS)
def test_info(name, capsys):
    board = BOARDS[name]
    assert main(["board", "info", name, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"] == board.config.to_json()
    assert set(document["leds"]) == set(board.leds)
    assert document["program"] and all(
        words.startswith(board.programmer.tool) and words.endswith(" BITSTREAM")
        for words in document["program"].values()
    )
    assert main(["board", "info", name]) == 0
    shown = capsys.readouterr().out
    assert f"{board.clock_mhz:g} MHz" in shown and f"{board.config.ticket_words:,} words" in shown
    assert board.programmer.tool in shown


def test_program_a_file(programmer, tmp_path, capsys):
    file = tmp_path / "top.bit"
    file.write_bytes(b"\x01")
    arguments = ["board", "program", "ulx3s-25f", "--bitstream", str(file)]
    assert main(arguments) == 0
    assert "the ulx3s-25f holds it until power-off" in capsys.readouterr().out
    assert main([*arguments, "--flash", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "board": "ulx3s-25f", "bitstream": str(file), "programmed": "flash"
    }  # fmt: skip
    assert [call[-1] for call in programmer.calls] == ["01", "01"]


def test_program_what_is_built(programmer, monkeypatch, capsys):
    programmer.install("iceprog", says="cdone: high\nBye.\n")

    def build_board(board, *, config, **options):
        assert config == board.config
        return Built(document={"bitstream": "icebreaker.bin"}, files={"icebreaker.bin": b"\x02"})

    monkeypatch.setattr(bitstream, "build_board", build_board)
    assert main(["board", "program", "icebreaker"]) == 0
    assert programmer.calls == [["iceprog", "02"]]
    assert "the icebreaker boots from it" in capsys.readouterr().out


def test_nothing_is_built_without_a_programmer(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bitstream, "build_board", None)
    assert main(["board", "program", "icebreaker"]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: iceprog is missing; run apt-get install fpga-icestorm\n"
    )


@pytest.mark.parametrize("action", ["info", "program"])
def test_an_unknown_board(action, capsys):
    assert main(["board", action, "de10"]) == 2
    assert capsys.readouterr().err == (
        f"tombola: error: board must be one of {', '.join(sorted(BOARDS))}, not de10\n"
    )


def test_a_missing_action(capsys):
    assert main(["board"]) == 2
    assert capsys.readouterr().err == (
        "tombola: error: board wants list, info, program or --virtual NAME; see tombola board "
        "--help\n"
    )


def test_virtual(monkeypatch):
    module = ModuleType("tombola.cli.virtual_board", "In place of the simulation.")
    module.serve = lambda *options: {("icebreaker", None, Path("plan.json")): 7}[options]
    monkeypatch.setitem(sys.modules, "tombola.cli.virtual_board", module)
    assert main(["board", "--virtual", "icebreaker", "--engine", "plan.json"]) == 7
