"""Carry chains of ECP5 netlists without the cells that nextpnr would add at their ends."""

import json
from collections.abc import Iterator
from typing import Any

Cells = dict[str, dict[str, Any]]


def open_carries(netlist: str, *, top: str) -> str:
    """Disconnects the carry into a chain that makes its own, and the unused one out of it.

    nextpnr gives a carry that is connected two cells on its way from other logic, also where Yosys
    connected it to 0, and two on its way to other logic, also where there is none: 4 of the 24
    cells of two lanes. A chain whose first cell gives a carry of 0 in any case, and whose sum
    nobody reads, needs neither. Other chains stay as they are.

    Parameters
    ----------
    netlist : str
        Yosys's JSON.
    top : str
        The module that has all cells.
    """
    document = json.loads(netlist)
    cells: Cells = document["modules"][top]["cells"]
    read = {
        bit
        for cell in cells.values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "input"
        for bit in bits
    }
    by_carry = {
        cell["connections"]["CIN"][0]: cell
        for cell in cells.values()
        if cell["type"] == "CCU2C"
    }
    begins = [cell for cell in cells.values() if _makes_zero(cell, read)]
    if not begins:
        return netlist
    for cell in begins:
        cell["connections"]["CIN"] = ["x"]
        for link in _chain(cell, by_carry):
            end = link["connections"]
        if end["COUT"][0] not in read:
            end["COUT"] = ["x"]
    return json.dumps(document)


def _makes_zero(cell: dict[str, Any], read: set[Any]) -> bool:
    """Whether the carry out of the first half is 0 and its sum is not used."""
    if cell["type"] != "CCU2C" or cell["connections"]["CIN"] != ["0"]:
        return False
    parameters = cell["parameters"]
    gives_zero = int(parameters["INIT0"], 2) == 0 and parameters["INJECT1_0"] == "NO"
    return gives_zero and not read & set(cell["connections"].get("S0", ()))


def _chain(cell: dict[str, Any], by_carry: Cells) -> Iterator[dict[str, Any]]:
    while cell:
        yield cell
        cell = by_carry.get(cell["connections"]["COUT"][0])
