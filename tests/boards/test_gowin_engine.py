"""The netlist that is placed on a Gowin board, simulated cell by cell, runs a ticket exactly."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.fake_device import small_network
from support.netlist import BLOCK_RAM

from tombola import device
from tombola.spec import reference
from tombola_boards.build import prepare
from tombola_boards.cell_models import cell_models
from tombola_boards.flow import NETLIST
from tombola_boards.registry import board_named
from tombola_boards.tools import find_tool
from tombola_boards.top import serial_engine
from tombola_boards.virtual import CELLS, DESCRIPTION, VERILOG, describe
from tombola_sim import virtual

TO_VERILOG = f"read_json {NETLIST}\nselect top\nwrite_verilog -noattr -selected {VERILOG}\n"
_CELL = re.compile(r"^  (\w+) (?:#\(|\\?\S+ +\()", re.MULTILINE)


def write_netlist(folder: Path, name: str, geometry: str) -> None:
    """A folder as a virtual board has it, with the cells of the netlist in place of the RTL."""
    board, yosys = board_named(name), find_tool("yosys")
    flow = prepare(board, serial_engine(board, board.config_for(geometry)))
    for file, text in {**flow.files, "verilog.ys": TO_VERILOG}.items():
        (folder / file).write_text(text)
    subprocess.run([*yosys.argv, *flow.synthesis.arguments], cwd=folder, check=True)
    netlist = folder / NETLIST
    netlist.write_text(flow.rewrite(netlist.read_text()))
    subprocess.run([*yosys.argv, "-q", "verilog.ys"], cwd=folder, check=True)
    description = describe(board, flow.files["top.il"])
    cells = set(_CELL.findall((folder / VERILOG).read_text())) - {"assign", "wire", "module"}
    assert {"LUT4", "ALU", "SDPX9B"} <= cells
    # A lamp that is lit by 0 tells of a run; the signal behind it has no name of its own any more.
    (lamp,) = (lamp for lamp in description["pins"]["lamps"] if lamp["state"] == "busy")
    description |= {"cells": sorted(cells), "busy": f"{lamp['pin']} == 0"}
    (folder / DESCRIPTION).write_text(json.dumps(description))
    (folder / CELLS).write_text(cell_models(board.family, yosys) + BLOCK_RAM.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tang-nano-9k", "tang-nano-20k"])
def test_a_ticket_runs_exactly_on_the_netlist(name, tmp_path, monkeypatch):
    write_netlist(tmp_path, name, "2x4")
    program = virtual.command(tmp_path)
    monkeypatch.setattr(device.virtual, "command", lambda name, baud: program)
    network = small_network()
    ticket, images = network.build(), network.images(5)
    with device.connect(f"virtual:{name}") as board:
        board.load(ticket)
        results = board.infer(images)
    np.testing.assert_array_equal(results.logits, reference.logits(ticket, images))
