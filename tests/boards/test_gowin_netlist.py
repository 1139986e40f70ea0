"""Gowin netlists are made of what nextpnr's timing model knows, and would be misjudged otherwise.

The first of each pair of figures is a fault of nextpnr 0.11: where it is gone, `gowin_netlist` can
do less.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.sdf import untimed

from tombola_boards import gowin_netlist
from tombola_boards.board import Family
from tombola_boards.build import prepare
from tombola_boards.flow import NETLIST, PLACEMENT_LOG, REPORT
from tombola_boards.registry import BOARDS
from tombola_boards.report import Report, parse_report
from tombola_boards.tools import find_tool
from tombola_boards.top import serial_engine

PINS = 'IO_LOC "clk" 52;\nIO_LOC "rx" 18;\nIO_LOC "tx" 17;\n'
SHIFT = "reg [59:0] s; always @(posedge clk) s <= {s[58:0], rx};"

CHAIN = f"""
module top(input clk, input rx, output tx);
    {SHIFT}
    wire [12:0] w;
    assign w[0] = s[0];
    genvar i;
    generate for (i = 0; i < 12; i = i + 1)
        (* keep *) LUT2 #(.INIT(4'h6)) table_(.F(w[i + 1]), .I0(w[i]), .I1(s[i + 1]));
    endgenerate
    reg o; always @(posedge clk) o <= w[12];
    assign tx = o;
endmodule
"""

REGISTERS = f"""
module top(input clk, input rx, output tx);
    {SHIFT}
    assign tx = s[59];
endmodule
"""


def memories(width: int, read: str) -> str:
    """Some memories of 18 kbit, of which `read` is a read."""
    depth = 18432 // width
    return f"""
module top(input clk, input rx, output tx);
    {SHIFT}
    wire [2:0] x;
    genvar i;
    generate for (i = 0; i < 3; i = i + 1) begin: part
        reg [{width - 1}:0] m [0:{depth - 1}];
        reg [{width - 1}:0] r, d;
        reg [9:0] a, b;
        reg w;
        always @(posedge clk) begin
            d <= s[i +: {width}];
            a <= s[2 * i +: 10];
            b <= s[3 * i +: 10];
            w <= s[4 * i];
            if (w) m[a] <= d;
            {read}
        end
        assign x[i] = ^r;
    end endgenerate
    reg o; always @(posedge clk) o <= ^x;
    assign tx = o;
endmodule
"""


ONE_ADDRESS, TWO_ADDRESSES = memories(36, "else r <= m[a];"), memories(18, "r <= m[b];")


@dataclass(frozen=True)
class Placed:
    """What nextpnr said of a design; `report` is None if it found no path at all."""

    cells: set[str]
    report: Report | None
    untimed: set[str]


def place(folder: Path, verilog: str, *, ours: bool) -> Placed:
    """Synthesises as Yosys would or as we do, and places on a GW1NR-9."""
    folder.mkdir()
    (folder / "top.v").write_text(verilog)
    (folder / "top.cst").write_text(PINS)
    (folder / gowin_netlist.MEMORY_FILE).write_text(gowin_netlist.BLOCK_RAM)
    (folder / gowin_netlist.LUT_FILE).write_text(gowin_netlist.LUTS)
    commands = gowin_netlist.synthesis("gw1n", "top") if ours else "synth_gowin -top top"
    script = f"read_verilog top.v\n{commands}\nwrite_json {NETLIST}\n"
    (folder / "top.ys").write_text(script)
    _run(folder, "yosys", "-q", "top.ys")
    path = folder / NETLIST
    if ours:
        path.write_text(gowin_netlist.pair_registers(path.read_text(), top="top"))
    _run(
        folder, "nextpnr-himbaechel", "--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C",
        "--vopt", "cst=top.cst", "--json", NETLIST, "--report", REPORT, "--sdf", "top.sdf",
        "--quiet", "--log", PLACEMENT_LOG, "--freq", "27", "--timing-allow-fail",
    )  # fmt: skip
    text = (folder / REPORT).read_text()
    found = json.loads(text)["fmax"]
    log = (folder / PLACEMENT_LOG).read_text()
    cells = json.loads(path.read_text())["modules"]["top"]["cells"].values()
    return Placed(
        cells={cell["type"] for cell in cells},
        report=parse_report(text, family=Family.GOWIN, log=log) if found else None,
        untimed=untimed((folder / "top.sdf").read_text()),
    )


def _run(folder: Path, tool: str, *arguments: str) -> None:
    command = [*find_tool(tool).argv, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def both(tmp_path):
    def run(verilog: str) -> tuple[Placed, Placed]:
        return (
            place(tmp_path / "theirs", verilog, ours=False),
            place(tmp_path / "ours", verilog, ours=True),
        )

    return run


def test_small_tables_count(both):
    """Twelve tables in a row are 12 ns at least, not nothing."""
    theirs, ours = both(CHAIN)
    assert "LUT2.F" in theirs.untimed and theirs.report is None
    assert not ours.untimed and 40 < ours.report.fmax_mhz < 80


def test_a_register_behind_a_register_counts(both):
    theirs, ours = both(REGISTERS)
    assert "LUT4.I3" in theirs.untimed and theirs.report is None
    assert not ours.untimed and ours.report.fmax_mhz > 100


def test_the_second_port_of_a_memory_counts(both):
    theirs, ours = both(TWO_ADDRESSES)
    assert "DPX9B" in theirs.cells and "DP.ADB4" in theirs.untimed
    assert "SDPX9B" in ours.cells and not ours.untimed
    assert ours.report.short_paths == 0


def test_a_memory_of_one_address_holds(both):
    theirs, ours = both(ONE_ADDRESS)
    assert "SPX9" in theirs.cells and theirs.report.short_paths > 0
    assert "SDPX9B" in ours.cells and ours.report.short_paths == 0


def _cell(kind, **pins):
    return {"type": kind, "connections": {pin: [bit] for pin, bit in pins.items()}}


def test_registers_are_paired():
    cells = {
        "table": _cell("LUT4", I0=2, F=3),
        "first": _cell("DFFE", D=3, Q=4, CE=9),
        "second": _cell("DFFE", D=3, Q=5, CE=10),
        "after": _cell("DFF", D=4, Q=6),
        "low": _cell("GND", G=7),
        "constant": _cell("DFFR", D=7, Q=8),
        "tied": _cell("DFFR", D="1", Q=11),
    }
    nets = {str(bit): {"bits": [bit]} for bit in range(2, 12)}
    netlist = json.dumps({"modules": {"top": {"cells": cells, "netnames": nets}}})
    paired = json.loads(gowin_netlist.pair_registers(netlist, top="top"))["modules"]["top"]
    found = paired["cells"]
    connected = {name: cell["connections"] for name, cell in found.items()}
    sources = {name: pins["D"][0] for name, pins in connected.items() if "D" in pins}
    # The table is the first register's; the second and the one behind it get their own.
    assert sources == {"first": 3, "second": 12, "after": 13, "constant": 7, "tied": "1"}
    for name, source, bit in (("second", 3, 12), ("after", 4, 13)):
        assert found[f"{name}_before"]["connections"] == {"I0": [source], "F": [bit]}
        assert paired["netnames"][f"{name}_before_F"]["bits"] == [bit]
    # The value at I0 is the one of each input combination's lowest bit.
    init = int(gowin_netlist.BUFFER["parameters"]["INIT"], 2)
    assert [init >> place & 1 for place in range(16)] == [0, 1] * 8


@pytest.mark.parametrize("inputs, init", [(1, 0b01), (2, 0b0110), (3, 0b11101000)])
def test_small_tables_do_not_look_at_open_inputs(inputs, init):
    """Of the repeated table, whatever the inputs beyond are."""
    repeated = f"{{{16 >> inputs}{{INIT}}}}"
    assert f"module LUT{inputs}(" in gowin_netlist.LUTS and repeated in gowin_netlist.LUTS
    table = sum(init << place for place in range(0, 16, 1 << inputs))
    for value in range(16):
        assert table >> value & 1 == init >> value % (1 << inputs) & 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, board in sorted(BOARDS.items()) if board.family is Family.GOWIN]
)
def test_every_path_of_an_engine_is_timed(name, tmp_path):
    board = BOARDS[name]
    flow = prepare(board, serial_engine(board))
    for file, text in flow.files.items():
        (tmp_path / file).write_text(text)
    _run(tmp_path, flow.synthesis.tool, *flow.synthesis.arguments)
    path = tmp_path / NETLIST
    path.write_text(flow.rewrite(path.read_text()))
    step = flow.place_route_with(1)
    _run(tmp_path, step.tool, *step.arguments, "--sdf", "top.sdf")
    assert untimed((tmp_path / "top.sdf").read_text()) == set()
