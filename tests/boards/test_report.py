import json

import pytest

from tombola.spec.errors import ToolError
from tombola_boards.board import Family
from tombola_boards.report import (
    Report,
    count_flip_flops,
    count_short_paths,
    overfull,
    parse_report,
)

CLOCK = "$glbnet$cd_sync.loop.clock"


def _step(delay, start, end):
    return {"delay": delay, "from": {"cell": start}, "to": {"cell": end}, "type": "logic"}


def _report(cells, achieved=(84.236,), paths=()):
    return json.dumps({
        "utilization": {
            cell: {"used": used, "available": available}
            for cell, (used, available) in cells.items()
        },
        "fmax": {f"{CLOCK}{n}": {"achieved": mhz} for n, mhz in enumerate(achieved)},
        "critical_paths": list(paths),
    })


ICE40 = {
    "ICESTORM_LC": (4100, 5280),
    "ICESTORM_RAM": (29, 30),
    "ICESTORM_DSP": (2, 8),
    "ICESTORM_SPRAM": (4, 4),
    "SB_IO": (5, 39),
}
ECP5 = {
    "TRELLIS_COMB": (8731, 24288),
    "TRELLIS_FF": (5779, 24288),
    "DP16KD": (44, 56),
    "MULT18X18D": (2, 28),
}
GOWIN = {
    "LUT4": (5565, 8640),
    "ALU": (1718, 6480),
    "DFF": (2277, 6480),
    "BSRAM": (26, 26),
    "MULT18X18": (0, 20),
    "MULT9X9": (0, 40),
}

# What nextpnr 0.11 writes with --timing-allow-fail; without, the lines begin with ERROR.
HOLD_LOG = """\
Info: Max frequency for clock 'clk_IBUF_I_O': 88.59 MHz (PASS at 36.00 MHz)
Info: Routing complete.
Info: 36 Hold/min time violations (showing 10 worst paths):

Warning: Hold/min time violation for clock 'posedge clk_IBUF_I_O':
Info:       type curr  total name
Info:   clk-to-q  0.33  0.33 Source b[0].a_DFF_Q_7.Q
Info:    routing  0.41  0.75 Net s[4] (7,26) -> (7,27)
Info:                          Sink b[0].m.0.0.ADB8
Info:       hold -0.16  0.59 Source b[0].m.0.0.ADB8
Info: 0.17 ns logic, 0.41 ns routing

Warning: Hold/min time violation for path 'posedge a' -> 'posedge b':
Info: Max frequency for clock 'clk_IBUF_I_O': 246.37 MHz (PASS at 36.00 MHz)
"""


def test_ice40():
    report = parse_report(_report(ICE40), family=Family.ICE40, flip_flops=3000)
    assert report == Report(
        used={"lut4": 4100, "ff": 3000, "block_ram": 29, "dsp": 2, "spram": 4},
        capacity={"lut4": 5280, "ff": 5280, "block_ram": 30, "dsp": 8, "spram": 4},
        fmax_mhz=84.24,
        slowest_path="",
    )


def test_ecp5_counts_flip_flops_itself():
    report = parse_report(_report(ECP5), family=Family.ECP5, flip_flops=1)
    assert report.used == {"lut4": 8731, "ff": 5779, "block_ram": 44, "dsp": 2, "spram": 0}
    assert report.capacity == {
        "lut4": 24288, "ff": 24288, "block_ram": 56, "dsp": 28, "spram": 0
    }


def test_gowin():
    report = parse_report(_report(GOWIN), family=Family.GOWIN)
    assert report.used == {"lut4": 7283, "ff": 2277, "block_ram": 26, "dsp": 0, "spram": 0}
    assert report.capacity == {
        "lut4": 8640, "ff": 6480, "block_ram": 26, "dsp": 20, "spram": 0
    }


@pytest.mark.parametrize("log, paths", [
    ("", 0),
    ("Info: Max frequency for clock 'c': 36.10 MHz (PASS at 36.00 MHz)\n", 0),
    (HOLD_LOG, 36),
    ("ERROR: Hold/min time violation for clock 'posedge c':\n", 1),
    ("Info: 1 Hold/min time violation (showing 1 worst path):\n", 1),
])
def test_hold_times_are_read_from_the_messages(log, paths):
    assert count_short_paths(log) == paths


@pytest.mark.parametrize("family, cells", [
    (Family.ICE40, ICE40), (Family.ECP5, ECP5), (Family.GOWIN, GOWIN),
])
def test_a_design_with_short_paths_runs_at_no_clock(family, cells):
    text = _report(cells, achieved=(246.37,))
    assert parse_report(text, family=family).meets(36.0)
    assert not parse_report(text, family=family).meets(246.5)
    report = parse_report(text, family=family, log=HOLD_LOG)
    assert report.short_paths == 36
    assert not report.meets(36.0)


def test_the_slowest_clock_counts():
    text = _report(ICE40, achieved=(84.2, 61.0))
    assert parse_report(text, family=Family.ICE40).fmax_mhz == 61.0


def test_slowest_path_stays_within_a_clock():
    paths = [
        {"from": "<async>", "to": CLOCK, "path": [_step(99, "pin", "r")]},
        {"from": CLOCK, "to": CLOCK, "path": [_step(1, "a", "b"), _step(2.25, "b", "c")]},
        {"from": CLOCK, "to": CLOCK, "path": [_step(3, "d", "e")]},
    ]
    report = parse_report(_report(ICE40, paths=paths), family=Family.ICE40)
    assert report.slowest_path == "a to c, 3.2 ns"


def test_a_part_without_multipliers_and_large_ram():
    cells = {cell: ICE40[cell] for cell in ("ICESTORM_LC", "ICESTORM_RAM")}
    report = parse_report(_report(cells), family=Family.ICE40)
    assert report.capacity["dsp"] == report.capacity["spram"] == report.used["dsp"] == 0
    assert report.used["lut4"] == ICE40["ICESTORM_LC"][0]
    del cells["ICESTORM_RAM"]
    with pytest.raises(ToolError, match="unreadable: KeyError.'ICESTORM_RAM'"):
        parse_report(_report(cells), family=Family.ICE40)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"utilization": {}, "fmax": {}}'])
def test_unreadable_report(text):
    with pytest.raises(ToolError, match="^report of nextpnr is unreadable: "):
        parse_report(text, family=Family.ECP5)


def test_report_without_a_clock():
    with pytest.raises(ToolError, match="^report of nextpnr holds no clock$"):
        parse_report(_report(ECP5, achieved=()), family=Family.ECP5)


def test_overfull_names_what_is_too_much():
    log = (
        "Info: Device utilisation:\n"
        "Info: \t         ICESTORM_LC:    6185/   5280   117%\n"
        "Info: \t        ICESTORM_RAM:      30/     30   100%\n"
        "Info: \t        ICESTORM_DSP:       9/      8   112%\n"
    )
    assert overfull(log, family=Family.ICE40) == [
        "lut4 at most 5280, not 6185", "dsp at most 8, not 9"
    ]
    assert overfull("", family=Family.ICE40) == []


def test_flip_flops_of_a_netlist():
    cells = {"a": {"type": "SB_DFFESR"}, "b": {"type": "SB_LUT4"}, "c": {"type": "SB_DFF"}}
    assert count_flip_flops(json.dumps({"modules": {"top": {"cells": cells}}})) == 2
