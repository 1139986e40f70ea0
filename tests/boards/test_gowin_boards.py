"""Pins, loop, programs and memories of the boards with a Gowin part."""

import re

import pytest

from tombola_boards.board import Family
from tombola_boards.build import prepare
from tombola_boards.registry import BOARDS
from tombola_boards.top import serial_engine

MHZ = 1_000_000
NAMES = sorted(name for name, board in BOARDS.items() if board.family is Family.GOWIN)

# From Sipeed's examples for each board.
PINS = {
    "tang-nano-9k": {
        "clk27_0": "52", "rx": "18", "tx": "17", "led_0": "10", "led_1": "11", "led_2": "13",
    },
    "tang-nano-20k": {
        "clk27_0": "4", "rx": "70", "tx": "69", "led_0": "15", "led_1": "16", "led_2": "17",
    },
}
PARTS = {
    "tang-nano-9k": ("GW1NR-LV9QN88PC6/I5", "GW1N-9C", "gw1n"),
    "tang-nano-20k": ("GW2AR-LV18QN88C8/I7", "GW2A-18C", "gw2a"),
}
# MHz of the loop's oscillator: Gowin DS117 for C6/I5, DS226 for C8/I7.
LIMITS = {"tang-nano-9k": (400, 1200), "tang-nano-20k": (500, 1250)}


@pytest.fixture(scope="module", params=NAMES)
def board(request):
    return BOARDS[request.param]


@pytest.fixture(scope="module")
def flow(board):
    return prepare(board, serial_engine(board))


def test_both_are_there():
    assert set(NAMES) == set(PINS)


def test_pins(board, flow):
    found = dict(re.findall(r'IO_LOC "(\w+)__io" (\w+);', flow.files["top.cst"]))
    assert {name.removeprefix("uart_0__"): pin for name, pin in found.items()} == PINS[board.name]
    assert all(f'"{name}__io" IO_TYPE=LVCMOS33;' in flow.files["top.cst"] for name in found)


def test_programs(board, flow):
    part, die, family = PARTS[board.name]
    assert flow.tools == ("yosys", "nextpnr-himbaechel", "gowin_pack")
    script = flow.files["top.ys"].splitlines()
    assert script[0] == "read_rtlil top.il" and script[-1] == "write_json top.json"
    assert sum(f"synth_gowin -family {family} " in line for line in script) == 2
    assert flow.place_route_with(3).arguments == (
        "--device", part, "--vopt", f"family={die}", "--vopt", "cst=top.cst",
        "--write", "top.pnr.json", "--json", "top.json", "--report", "report.json", "--quiet",
        "--log", "place_route.log", "--freq", f"{board.clock_mhz:g}", "--timing-allow-fail",
        "--seed", "3",
    )  # fmt: skip
    assert flow.pack.arguments == ("-d", die, "-o", "top.fs", "top.pnr.json")
    assert flow.bitstream == "top.fs"


def test_loop(board, flow):
    (cell,) = re.findall(r"cell \\rPLL \\pll\n(.*?)\n  end\n", flow.files["top.il"], re.DOTALL)
    found = dict(re.findall(r'parameter (?:signed )?\\(\w+) (.*)$', cell, re.MULTILINE))
    reference, feedback, output = (
        int(found[name]) for name in ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")
    )
    assert found["FCLKIN"] == '"27"'
    assert 27 * MHZ * (feedback + 1) == board.clock_hz * (reference + 1)
    low, high = LIMITS[board.name]
    assert low * MHZ < board.clock_hz * output < high * MHZ
    assert 27 / (reference + 1) >= 3
    for pin in ("RESET", "RESET_P", "CLKFB"):
        assert re.search(rf"connect \\{pin} 1'0", cell)


def test_lamps_are_lit_by_zero(board):
    platform = board.make_platform()
    for resource, number in board.leds.values():
        assert platform.lookup(resource, number).ios[0].invert
