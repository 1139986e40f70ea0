"""Builds the simulator of one engine with Verilator, cached by a hash of all it is made of."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cocotb
import cocotb_tools.config

from tombola.spec.errors import ToolError
from tombola.spec.paths import cache_dir
from tombola.spec.programs import Tool
from tombola_sim import cxx, verilator
from tombola_sim.rtl import RtlDirectory

HARNESS = "tombola_harness"
HARNESS_FILE = Path(__file__).with_name("harness.sv")
PREFIX = "Vtop"  # cocotb's main includes a header of this name
PROGRAM = "simulator"
WAVE_FORMATS = (".fst", ".vcd")
WAVE_LIBRARIES = {".fst": ("-lz", "-llz4")}
WAVE_HEADERS = {".fst": ("zlib.h", "lz4.h")}

FLAGS = (
    "--cc",
    "--vpi",      # only the harness's mailbox is public: --public-flat-rw would stop optimisation
    "--timing",   # a clock in Verilog reaches 2.6 M clocks a second, one driven by cocotb 1.5 M
    "-O3",
    "--x-assign", "fast",
    "--x-initial", "fast",
    "--threads", "1",
    "-Wno-fatal", "-Wno-lint", "-Wno-style",
    "--make", "json",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """A built simulator.

    Attributes
    ----------
    executable : Path
    cached : bool
        Whether it was there before.
    """

    executable: Path
    cached: bool


def build(rtl: RtlDirectory, *, wave_format: str | None = None) -> Simulator:
    """The simulator of one engine, from the cache where it is there.

    Parameters
    ----------
    wave_format : str, optional
        ``.fst`` or ``.vcd``: a simulator that can write waveforms, and is slower for it.

    Raises
    ------
    ToolError
        If a tool is missing or fails; the line names the log.
    """
    if wave_format is not None and wave_format not in WAVE_FORMATS:
        raise ToolError(f"waves must be a .fst or .vcd file, not {wave_format or 'without suffix'}")
    tool, compiler = _tools()
    if not cxx.has_headers(compiler, WAVE_HEADERS.get(wave_format or "", ())):
        raise ToolError(
            "waves in .fst need the headers of zlib and lz4, such as apt-get install zlib1g-dev "
            "liblz4-dev; a .vcd file needs neither"
        )
    flags = [*FLAGS, *([f"--trace-{wave_format[1:]}"] if wave_format else [])]
    sources = [HARNESS_FILE, *rtl.sources]
    root = cache_dir() / "simulators"
    folder = root / _key(tool, compiler, flags, sources)
    program = folder / PROGRAM
    if program.exists():
        return Simulator(executable=program, cached=True)
    root.mkdir(parents=True, exist_ok=True)
    log = root / f"{folder.name}.log"
    log.unlink(missing_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=root))
    try:
        _verilate(tool, flags, sources, work, log)
        cocotb_libraries = cocotb_tools.config.libs_dir
        libraries = [
            f"-L{cocotb_libraries}", f"-Wl,-rpath,{cocotb_libraries}", "-lcocotbvpi_verilator"
        ]
        cxx.compile_model(
            work / f"{PREFIX}.json",
            work / PROGRAM,
            compiler=compiler,
            main=cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp",
            link=[*libraries, *WAVE_LIBRARIES.get(wave_format or "", ())],
            runtime_cache=cache_dir() / "verilator-runtime",
            log=log,
        )
        folder.mkdir(exist_ok=True)
        (work / PROGRAM).replace(program)
    finally:
        shutil.rmtree(work)
    log.unlink()
    return Simulator(executable=program, cached=False)


def _tools() -> tuple[Tool, cxx.Compiler]:
    tool = verilator.find_verilator()
    if shutil.which("perl") is None:  # the command `verilator` is a Perl script
        raise ToolError(f"perl is missing; {verilator.COMPILERS['perl']}")
    return tool, cxx.find()


def _key(tool: Tool, compiler: cxx.Compiler, flags: list[str], sources: list[Path]) -> str:
    ingredients = [
        [tool.version, tool.source],
        compiler.command,
        compiler.version,
        cxx.MODEL_OPTIMISATION,
        cocotb.__version__,
        str(cocotb_tools.config.libs_dir),
        flags,
        [[source.name, hashlib.sha256(source.read_bytes()).hexdigest()] for source in sources],
    ]
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:24]


def _verilate(tool: Tool, flags: list[str], sources: list[Path], work: Path, log: Path) -> None:
    command = [
        *tool.argv,
        *flags,
        "--Mdir", str(work),
        "--prefix", PREFIX,
        "--top-module", HARNESS,
        *(str(source.absolute()) for source in sources),
    ]  # fmt: skip
    answer = subprocess.run(
        command,
        cwd=work,
        env={**os.environ, **verilator.environment(tool)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    log.write_bytes(answer.stdout)
    if answer.returncode:
        raise ToolError(f"Verilator does not accept the Verilog; its log is {log}")
