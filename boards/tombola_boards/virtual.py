"""A board for simulation: its top as Verilog, its pins by name, the vendor's cells."""

import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tombola.spec.errors import ToolError
from tombola.spec.paths import cache_dir, write_atomically
from tombola_boards.board import Board
from tombola_boards.build import prepare
from tombola_boards.cell_models import cell_models
from tombola_boards.flow import NAME
from tombola_boards.flow_run import Progress, first_error
from tombola_boards.tools import find_tool
from tombola_boards.top import LINK_TIMEOUT_SECONDS, serial_engine

DESCRIPTION, VERILOG, CELLS = "virtual.json", f"{NAME}.v", "vendor_cells.v"

# Yosys' Verilog has memories and registers as they are; nothing is optimised, nothing mapped.
SCRIPT = f"""\
read_rtlil {NAME}.il
proc -nomux -norom
memory_collect
write_verilog -norename -noattr {VERILOG}
"""

SETTLE_SECONDS = 2 * LINK_TIMEOUT_SECONDS
"""After this time without a byte and without a run nothing in a board changes any more."""

_PORT = re.compile(r"^ *wire .*\b(?:input|output|inout) \d+ +\\(\S+)$", re.MULTILINE)
_MODULE = re.compile(r"^module \\(\S+)$", re.MULTILINE)
_CELL = re.compile(r"^ *cell \\(\S+) ", re.MULTILINE)


def write_virtual(board: Board, *, progress: Progress = lambda stage: None) -> Path:
    """The folder with all that simulates a board, written once for each content.

    It holds the netlist that synthesis of the board's bitstream reads, as Verilog.

    Parameters
    ----------
    board : Board
    progress : callable
        Told the name of each stage as it begins.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    yosys = find_tool("yosys")
    progress("elaboration")
    netlist = prepare(board, serial_engine(board)).files[f"{NAME}.il"]
    texts = {
        DESCRIPTION: f"{json.dumps(describe(board, netlist), indent=2)}\n",
        CELLS: cell_models(board.family, yosys),
    }
    ingredients = [netlist, SCRIPT, texts, yosys.source, yosys.version_text]
    key = hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:24]
    folder = cache_dir() / "virtual-boards" / key
    if not (folder / DESCRIPTION).is_file():
        progress("Verilog")
        texts[VERILOG] = _verilog(board, netlist, yosys.argv)
        # The description last: a folder without one was interrupted.
        for name in (VERILOG, CELLS, DESCRIPTION):
            write_atomically(folder / name, texts[name].encode())
    return folder


def describe(board: Board, netlist: str) -> dict[str, Any]:
    """What a simulator must know of a board besides its Verilog, for JSON.

    Parameters
    ----------
    board : Board
    netlist : str
        RTLIL of its top.

    Returns
    -------
    dict
        `pins` are ports of the top: clock, rx, tx and lamps, which are lit by 0 if `active_low`;
        `busy` is the path of the signal that is high during a run, `settle_clocks` are those of
        `SETTLE_SECONDS`, and `cells` are the vendor's that the netlist uses.
    """
    platform = board.make_platform()
    pins = {
        "clock": f"{platform.default_clk}_0__io",
        "rx": "uart_0__rx__io",
        "tx": "uart_0__tx__io",
        "lamps": [
            {
                "state": state,
                "pin": f"{resource}_{number}__io",
                "active_low": bool(platform.lookup(resource, number).ios[0].invert),
            }
            for state, (resource, number) in board.leds.items()
        ],
    }
    _check_ports(netlist, pins)
    return {
        "board": board.name,
        "family": board.family.value,
        "top": NAME,
        "pins": pins,
        "busy": "core.busy",
        "input_hz": int(platform.default_clk_frequency),
        "clock_hz": board.clock_hz,
        "baud": board.baud,
        "divisor": board.divisor,
        "settle_clocks": round(SETTLE_SECONDS * board.clock_hz),
        "cells": sorted(set(_CELL.findall(netlist)) - set(_MODULE.findall(netlist))),
    }


def _check_ports(netlist: str, pins: dict[str, Any]) -> None:
    top = netlist[netlist.index(f"\nmodule \\{NAME}\n") :]
    ports = set(_PORT.findall(top[: top.index("\nend\n")]))
    named = {pins["clock"], pins["rx"], pins["tx"], *(lamp["pin"] for lamp in pins["lamps"])}
    if ports != named:
        raise AssertionError(f"the top has pins that simulation does not know: {ports ^ named}")


def _verilog(board: Board, netlist: str, yosys: tuple[str, ...]) -> str:
    with tempfile.TemporaryDirectory(prefix="tombola-virtual-") as name:
        folder = Path(name)
        (folder / f"{NAME}.il").write_text(netlist)
        (folder / f"{NAME}.ys").write_text(SCRIPT)
        done = subprocess.run(
            [*yosys, "-q", f"{NAME}.ys"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            why = first_error(done.stdout.decode(errors="replace"))
            raise ToolError(f"{board.name}: yosys failed: {why}")
        return (folder / VERILOG).read_text()
