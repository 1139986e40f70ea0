"""A component as gates, the vendor's cells among them, evaluated for many inputs at once."""

import json
import subprocess
from pathlib import Path

import numpy as np
from amaranth.back import rtlil

from tombola_boards.board import Family
from tombola_boards.cell_models import cell_models
from tombola_boards.tools import find_tool

SCRIPT = """\
read_verilog -overwrite -defer vendor.v
read_rtlil top.il
hierarchy -top top
proc
flatten
opt -full
techmap
dfflegalize -cell $_DFF_P_ 0
aigmap
opt_clean
write_json gates.json
"""


class Gates:
    """Runs a component with one clock as many times at once as its inputs have rows.

    Parameters
    ----------
    folder : Path
        For what is made.
    component : Component
    ports : sequence of Signal
    family : Family
        Whose cells it has.
    runs : int
    """

    def __init__(self, folder: Path, component, *, ports, family: Family, runs: int):
        (folder / "top.il").write_text(rtlil.convert(component, name="top", ports=ports))
        (folder / "vendor.v").write_text(cell_models(family, find_tool("yosys")))
        (folder / "gates.ys").write_text(SCRIPT)
        subprocess.run([*find_tool("yosys").argv, "-q", "gates.ys"], cwd=folder, check=True)
        module = json.loads((folder / "gates.json").read_text())["modules"]["top"]
        self._ports = {name: port["bits"] for name, port in module["ports"].items()}
        cells = [
            (cell["type"], _bits(cell))
            for cell in module["cells"].values()
            if cell["type"] != "$scopeinfo"
        ]
        self._registers = [pins for kind, pins in cells if kind == "$_DFF_P_"]
        driven = {pins["Y"]: (kind, pins) for kind, pins in cells if kind in ("$_AND_", "$_NOT_")}
        assert len(driven) + len(self._registers) == len(cells)
        self._gates = _in_order(driven)
        zeros, ones = np.zeros(runs, bool), np.ones(runs, bool)
        self._values = {"0": zeros, "1": ones, "x": zeros}
        self._values |= {pins["Q"]: zeros for pins in self._registers}

    def clock(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """All ports in this clock, bool (runs, width) each, given the inputs in the same form."""
        values = self._values
        for name, bits in inputs.items():
            for bit, column in zip(self._ports[name], bits.T, strict=True):
                values[bit] = column
        for kind, pins in self._gates:
            values[pins["Y"]] = (
                values[pins["A"]] & values[pins["B"]] if kind == "$_AND_" else ~values[pins["A"]]
            )
        shown = {
            name: np.stack([values[bit] for bit in bits], axis=1)
            for name, bits in self._ports.items()
            if all(bit in values for bit in bits)
        }
        values |= {pins["Q"]: after for pins, after in
                   [(pins, values[pins["D"]]) for pins in self._registers]}
        return shown


def _bits(cell):
    return {pin: bits[0] for pin, bits in cell["connections"].items()}


def _in_order(driven):
    """Gates, each behind those that drive it."""
    done, order = set(), []
    for last in driven:
        stack = [last]
        while stack:
            bit = stack[-1]
            waits = [
                pin for pin in (driven[bit][1].get("A"), driven[bit][1].get("B"))
                if pin in driven and pin not in done
            ]
            if waits and bit not in done:
                stack += waits
                continue
            stack.pop()
            if bit not in done:
                done.add(bit)
                order.append(driven[bit])
    return order
