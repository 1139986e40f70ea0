"""Builds the program that simulates a board behind a pseudo-terminal."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tombola.spec.errors import ToolError
from tombola.spec.paths import cache_dir
from tombola.spec.programs import Tool
from tombola_sim import cxx, verilator

SOURCES = Path(__file__).with_name("board")
MODELS = Path(__file__).with_name("cells")
WRAPPER, PREFIX, PROGRAM = "virtual_board", "Vtop", "virtual_board"
DESCRIPTION, VERILOG, CELLS = "virtual.json", "top.v", "vendor_cells.v"
"""Files of the folder that describes a board."""

FLAGS = (
    "--cc",
    "--no-timing",
    "-O3",
    "--x-assign", "fast",
    "--x-initial", "fast",
    "--threads", "1",
    # Our models of a cell go before the vendor's, which have delays that mean nothing here.
    "-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MODDUP", "-Wno-SPECIFYIGN", "-Wno-TIMESCALEMOD",
    "--make", "json",
)  # fmt: skip

# What runs in each clock is as large as a processor's caches: the shortest code is the fastest, by
# a third against -O1 with 128 MACs.
OPTIMISATION = "-Os"

Progress = Callable[[str], None]


def command(folder: Path, *, progress: Progress = lambda stage: None) -> list[str]:
    """The program that serves a board, with its arguments; built if it is not in the cache.

    It prints the path of a pseudo-terminal, then the path of a file of 64-bit numbers, which it
    keeps up to date: the engine's clock in Hz, clocks a bit of the line, clocks since power-up,
    those of them that were simulated, and lamps that are lit, the first in bit 0.

    Parameters
    ----------
    folder : Path
        With a board's Verilog, cells and description.
    progress : callable
        Told the name of each stage as it begins.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or a cell has no model.
    """
    board = json.loads((folder / DESCRIPTION).read_text())
    program = _program(folder, board, progress)
    arguments = (board["clock_hz"], board["divisor"], board["settle_clocks"])
    return [str(program), *map(str, arguments)]


def wrapper(board: dict[str, Any]) -> str:
    """Verilog around a board's top: its pins under the names that the program knows."""
    pins, lamps = board["pins"], board["pins"]["lamps"]
    wires = [f"wire lamp{index};" for index in range(len(lamps))]
    ports = [f".{pins['clock']}(clock_pad)", f".{pins['rx']}(rx_pad)", f".{pins['tx']}(tx)"]
    ports += [f".{lamp['pin']}(lamp{index})" for index, lamp in enumerate(lamps)]
    lit = [
        f"assign lamps[{index}] = {'~' * lamp['active_low']}lamp{index};"
        for index, lamp in enumerate(lamps)
    ]
    return "\n".join([
        f"module {WRAPPER}(",
        "    input clock, rx, output tx, busy,",
        f"    output [{max(1, len(lamps)) - 1}:0] lamps",
        ");",
        # Ports of some tops are inout, which inputs cannot be.
        "    wire clock_pad, rx_pad;",
        "    assign clock_pad = clock, rx_pad = rx;",
        *(f"    {line}" for line in wires),
        f"    {board['top']} board({', '.join(ports)});",
        f"    assign busy = board.{board['busy']};",
        *(f"    {line}" for line in lit),
        "endmodule",
        "",
    ])


def _program(folder: Path, board: dict[str, Any], progress: Progress) -> Path:
    tool, compiler = verilator.find_verilator(), cxx.find()
    if shutil.which("perl") is None:  # the command `verilator` is a Perl script
        raise ToolError(f"perl is missing; {verilator.COMPILERS['perl']}")
    models = MODELS / f"{board['family']}.v"
    _check_cells(board, models, folder / CELLS)
    inputs = [folder / DESCRIPTION, folder / VERILOG, folder / CELLS, models]
    root = cache_dir() / "virtual-boards"
    key = _key(tool, compiler, [wrapper(board), *(path.read_text() for path in inputs)])
    program = root / key / PROGRAM
    if program.exists():
        return program
    root.mkdir(parents=True, exist_ok=True)
    log = root / f"{key}.log"
    log.unlink(missing_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=root))
    try:
        (work / "wrapper.v").write_text(wrapper(board))
        progress("Verilator")
        sources = [work / "wrapper.v", folder / VERILOG, models, "-v", folder / CELLS]
        _verilate(tool, [str(source) for source in sources], work, log)
        progress("C++ compiler")
        cxx.compile_model(
            work / f"{PREFIX}.json",
            work / PROGRAM,
            compiler=compiler,
            main=SOURCES / "main.cpp",
            link=(),
            runtime_cache=cache_dir() / "verilator-runtime",
            log=log,
            optimisation=OPTIMISATION,
        )
        program.parent.mkdir(exist_ok=True)
        (work / PROGRAM).replace(program)
    finally:
        shutil.rmtree(work)
    log.unlink()
    return program


def _check_cells(board: dict[str, Any], *files: Path) -> None:
    """Refuses a cell whose model is missing or an empty box, which would be silently dead."""
    text = "\n".join(file.read_text() for file in files)
    for cell in board["cells"]:
        if not re.search(rf"^(?!.*blackbox.*\n).*\nmodule +\\?{re.escape(cell)}\b", text, re.M):
            raise ToolError(f"{board['board']} uses {cell}, of which there is no simulation model")


def _key(tool: Tool, compiler: cxx.Compiler, texts: list[str]) -> str:
    ours = [path.read_text() for path in sorted(SOURCES.iterdir())]
    ingredients = [
        [tool.version, tool.source], compiler.command, compiler.version, FLAGS, OPTIMISATION,
        texts, ours,
    ]
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:24]


def _verilate(tool: Tool, sources: list[str], work: Path, log: Path) -> None:
    answer = subprocess.run(
        [*tool.argv, *FLAGS, "--Mdir", str(work), "--prefix", PREFIX, "--top-module", WRAPPER,
         *sources],
        cwd=work,
        env={**os.environ, **verilator.environment(tool)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    log.write_bytes(answer.stdout)
    if answer.returncode:
        raise ToolError(f"Verilator does not accept the Verilog; its log is {log}")
