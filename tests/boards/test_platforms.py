"""Pins, clocks and programmers of every board, as its build gets them."""

import functools
import re
import shutil
import subprocess

import pytest

from tombola_boards.board import Family
from tombola_boards.build import prepare
from tombola_boards.registry import BOARDS
from tombola_boards.tools import TOOLS, find_tool
from tombola_boards.top import serial_engine

MHZ = 1_000_000
boards = pytest.mark.parametrize("name", sorted(BOARDS))
LOOPS = {Family.ECP5: "EHXPLLL", Family.ICE40: r"SB_PLL40_\w+"}

# Clock, serial line in and out, lamps, from the vendors' tables and schematics.
PINS = {
    "colorlight-i5": {"clk25_0": "P3", "rx": "H18", "tx": "J17", "led_0": "U16"},
    "colorlight-i9": {"clk25_0": "P3", "rx": "H18", "tx": "J17", "led_0": "L2"},
    "ice40-hx8k": {
        "clk12_0": "J3", "rx": "B10", "tx": "B12", "led_0": "C3", "led_1": "B3", "led_2": "C4",
    },
    "orangecrab": {
        "clk_0": "A9", "rx": "N17", "tx": "M18", "led_r_0": "K4", "led_g_0": "M3", "led_b_0": "J3",
    },
    "ulx3s": {
        "clk25_0": "G2", "rx": "M1", "tx": "L4", "led_0": "B2", "led_1": "C2", "led_2": "C1",
    },
}


@functools.cache
def flow_of(name):
    """The board's own engine, elaborated on its platform: seconds, so once."""
    board = BOARDS[name]
    return prepare(board, serial_engine(board))


def sites(flow):
    """Pins of the ports, from the constraints."""
    text = "\n".join(text for name, text in flow.files.items() if name.endswith(("lpf", "pcf")))
    found = re.findall(r'LOCATE COMP "(\w+)__io" SITE "(\w+)"|set_io (\w+)__io (\w+)', text)
    return {(a or c).removeprefix("uart_0__"): b or d for a, b, c, d in found}


def loop(flow, kind):
    """Settings of the only phase-locked loop."""
    cells = re.findall(rf"cell \\{kind} \\pll\n(.*?)\n  end\n", flow.files["top.il"], re.DOTALL)
    assert len(cells) == 1
    found = dict(re.findall(r"parameter \\(\w+) (?:\d+')?([01]+|\d+)$", cells[0], re.MULTILINE))
    return found, cells[0]


@boards
def test_input_files(name):
    text = "\n".join(flow_of(name).files.values())
    assert "uart_0__rx__io" in text and "src" not in flow_of(name).files["top.il"]
    assert r"COLLISION_X_MASK 1'0" not in text


@pytest.mark.parametrize("name", sorted({b.family: b.name for b in BOARDS.values()}.values()))
def test_the_same_again_is_the_same_text(name):
    # Or no build could be found again.
    board = BOARDS[name]
    small = board.config_for("2x4")
    first, second = (prepare(board, serial_engine(board, small)) for _ in range(2))
    assert first.files == second.files


@pytest.mark.parametrize("name", sorted(name for name in BOARDS if not name.startswith("tang")))
def test_pins(name):
    found = sites(flow_of(name))
    assert len(set(found.values())) == len(found)
    expected = PINS.get(name) or PINS.get(name.partition("-")[0])
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize(
    "name", [name for name, board in sorted(BOARDS.items()) if board.family is Family.ECP5]
)
def test_loop_of_an_ecp5(name):
    board = BOARDS[name]
    settings, text = loop(flow_of(name), LOOPS[Family.ECP5])
    reference = board.make_platform().default_clk_frequency / int(settings["CLKI_DIV"])
    output = reference * int(settings["CLKFB_DIV"])
    # Lattice FPGA-DS-02012, sysCLOCK PLL timing.
    assert reference >= 3.125 * MHZ
    assert output == board.clock_hz
    assert 400 * MHZ <= output * int(settings["CLKOP_DIV"]) <= 800 * MHZ
    # Fed back from its own output, which is the clock of everything.
    assert re.search(r"connect \\CLKFB \\clock", text)
    assert re.search(r"connect \\CLKOP \\clock", text)


@pytest.mark.parametrize(
    "name", [name for name, board in sorted(BOARDS.items()) if board.family is Family.ICE40]
)
def test_loop_of_an_ice40(name):
    board = BOARDS[name]
    settings, text = loop(flow_of(name), LOOPS[Family.ICE40])
    divr, divf, divq = (int(settings[key], 2) for key in ("DIVR", "DIVF", "DIVQ"))
    reference = board.make_platform().default_clk_frequency / (divr + 1)
    oscillator = reference * (divf + 1)
    # Lattice iCE40 family data sheets, sysCLOCK PLL timing.
    assert 10 * MHZ <= reference <= 133 * MHZ
    assert 533 * MHZ <= oscillator <= 1066 * MHZ
    assert oscillator / 2**divq == board.clock_hz
    assert re.search(r"connect \\PLLOUTGLOBAL \\clock", text)


@boards
def test_place_and_route_is_told_the_clock(name):
    arguments = flow_of(name).place_route.arguments
    assert arguments[arguments.index("--freq") + 1] == f"{BOARDS[name].clock_mhz:g}"


@boards
def test_a_person_is_told_how_to_connect_and_program_it(name):
    board = BOARDS[name]
    assert board.programmer.tool in TOOLS
    assert board.programmer.sram is not None or board.programmer.flash is not None
    assert board.cable and board.page.startswith("https://")


@boards
def test_the_programmer_knows_the_board(name):
    programmer = BOARDS[name].programmer
    path = shutil.which(programmer.tool)
    if programmer.tool != "openFPGALoader" or path is None:
        pytest.skip(f"{programmer.tool} lists no boards or is not installed")
    done = subprocess.run([path, "--list-boards"], capture_output=True, text=True, check=True)
    known = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    if name == "tang-nano-20k" and find_tool(programmer.tool).version < (0, 11):
        pytest.skip("openFPGALoader knows it from 0.11 on")
    for arguments in filter(None, (programmer.sram, programmer.flash)):
        assert arguments[arguments.index("--board") + 1] in known
