"""Keeps Gowin netlists to what nextpnr's timing model knows, so that its report is on all paths.

nextpnr 0.11 knows no delay of a LUT1, LUT2 or LUT3, of the second port of a DP block RAM, and of
the LUT it puts before a register that stands alone. Paths end there: it neither reports nor checks
them. For SP block RAM it counts the clock's way four times, so that sound paths seem too short for
their hold time. A netlist of LUT4, ALU, SDP block RAM and registers each behind a LUT4 of its own
has none of these; `tests/boards/test_gowin_timing.py` shows both.
"""

import json
from typing import Any

MEMORY_FILE, LUT_FILE = "block_ram.txt", "luts.v"

BLOCK_RAM = """\
ram block $__GOWIN_SDP_ {
    abits 14;
    widths 1 2 4 9 18 36 per_port;
    cost 128;
    byte 9;
    init no_undef;
    port sr "R" {
        clock posedge;
        clken;
        option "RESET_MODE" "SYNC" {
            rdsrst zero ungated;
        }
        rdinit zero;
    }
    port sw "W" {
        clock posedge;
        clken;
        wrbe_separate;
    }
}
"""
"""For `memory_libmap`: block RAM with one port that reads and one that writes (Gowin UG285)."""

BUFFER = {
    "hide_name": 0,
    "type": "LUT4",
    "parameters": {"INIT": "1010101010101010"},  # the output is I0
    "attributes": {},
    "port_directions": {"F": "output", "I0": "input"},
}


def _as_lut4(inputs: int) -> str:
    names = ", ".join(f"I{n}" for n in range(inputs))
    ports = ", ".join(f".I{n}(I{n})" for n in range(inputs))
    return (
        f"module LUT{inputs}(output F, input {names});\n"
        f"    parameter [{2**inputs - 1}:0] INIT = 0;\n"
        f"    LUT4 #(.INIT({{{16 >> inputs}{{INIT}}}})) _TECHMAP_REPLACE_ (.F(F), {ports});\n"
        f"endmodule\n"
    )


LUTS = "".join(_as_lut4(inputs) for inputs in (1, 2, 3))
"""For `techmap`: smaller tables as LUT4, whatever their open inputs are."""


def synthesis(family: str, top: str) -> str:
    """The Yosys commands from a design to its cells.

    Without wide LUTs, which take a fifth more LUT4 (5,511 against 4,415 for 64 MACs), and without
    multiplier blocks and LUT RAM, whose timing nextpnr does not know either.

    Parameters
    ----------
    family : str
        ``gw1n`` or ``gw2a``.
    top : str
        Name of the top module.
    """
    command = f"synth_gowin -family {family} -nowidelut -nolutram -nodsp -top {top} -run"
    return "\n".join([
        f"{command} begin:map_ram",
        f"memory_libmap -lib {MEMORY_FILE}",
        "techmap -map +/gowin/brams_map.v",
        f"{command} map_ffram:",
        f"techmap -map {LUT_FILE}",
        "clean",
    ])


def pair_registers(netlist: str, *, top: str) -> str:
    """Puts a LUT4 before each register that has none to itself.

    It takes no room: a register is reached through the LUT beside it in any case.

    Parameters
    ----------
    netlist : str
        Yosys's JSON.
    top : str
        Name of the top module.
    """
    design = json.loads(netlist)
    module = design["modules"][top]
    cells, nets = module["cells"], module["netnames"]
    tables = {_output(cell): name for name, cell in cells.items() if cell["type"] == "LUT4"}
    constants = {
        cell["connections"][pin][0]
        for cell in cells.values()
        for pin in ("V", "G")
        if cell["type"] in ("VCC", "GND") and pin in cell["connections"]
    }
    free = 1 + max(bit for net in nets.values() for bit in net["bits"] if isinstance(bit, int))
    added: dict[str, Any] = {}
    for name, cell in cells.items():
        if not cell["type"].startswith("DFF"):
            continue
        source = cell["connections"]["D"][0]
        if source in constants or isinstance(source, str):
            continue
        if tables.pop(source, None) is None:
            bit = free + len(added)
            added[f"{name}_before"] = {**BUFFER, "connections": {"I0": [source], "F": [bit]}}
            cell["connections"]["D"] = [bit]
    for name, cell in added.items():
        # A net must not have a cell's name, or Yosys does not read the netlist again.
        nets[f"{name}_F"] = {"hide_name": 0, "bits": cell["connections"]["F"], "attributes": {}}
    cells.update(added)
    return json.dumps(design)


def _output(lut: dict[str, Any]) -> int:
    return lut["connections"]["F"][0]
