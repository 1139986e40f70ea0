"""Builds the bitstream of a board: Amaranth, synthesis, place and route, packing."""

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola.spec.power_up import PowerUp
from tombola.spec.programs import Tool
from tombola_boards import build_cache, contents
from tombola_boards.board import Board
from tombola_boards.flow import (
    NAME,
    PLACEMENT_LOG,
    REPORT,
    SYNTHESIS_LOG,
    TOOLS,
    Flow,
    make_flow,
)
from tombola_boards.flow_run import FlowRun, Progress
from tombola_boards.tools import find_tool
from tombola_boards.top import BoardTop, serial_engine

DEFAULT_SEEDS = 4

@dataclass(frozen=True, kw_only=True)
class Built:
    """A finished build.

    Attributes
    ----------
    document : dict
        Content of ``build.json``; `bitstream` is a file name.
    files : dict of str to bytes
        What belongs into the output folder.
    """

    document: dict[str, Any]
    files: Mapping[str, bytes]


def find_tools(board: Board) -> dict[str, Tool]:
    """The programs a board needs, by name.

    Raises
    ------
    ToolError
        If one is missing or too old.
    """
    return {name: find_tool(name) for name in TOOLS[board.family]}


def prepare(board: Board, core: wiring.Component) -> Flow:
    """A core on the pins of a board as the input files and programs of its build."""
    platform = board.make_platform()
    # Source attributes would hold the paths of this installation.
    plan = platform.prepare(BoardTop(board, core), NAME, emit_src=False, debug_verilog=False)
    return make_flow(board, platform, plan)


def build_board(
    board: Board,
    *,
    config: EngineConfig | None = None,
    power_up: PowerUp | None = None,
    seeds: int = DEFAULT_SEEDS,
    use_cache: bool = True,
    progress: Progress = lambda stage: None,
) -> Built:
    """Builds a board's bitstream; the same parameters and programs give the same bytes.

    Parameters
    ----------
    board : Board
    config : EngineConfig, optional
        In place of the board's own.
    power_up : PowerUp, optional
        A ticket that the board is to have without a host. Where contents can be exchanged, the
        design is placed as it is without one, and for the first ticket only.
    seeds : int
        Placements to try, in a fixed order, until the clock is met.
    use_cache : bool
        Take a finished build of the same content.
    progress : callable
        Told the name of each stage as it begins.

    Raises
    ------
    ToolError
        If a program is missing or fails, the engine does not fit, or the clock is not met.
    """
    if type(seeds) is not int:
        raise TypeError(f"seeds must be an int, not {seeds!r}")
    if seeds < 1:
        raise ConfigError(f"seeds must be at least 1, not {seeds}")
    tools = find_tools(board)
    config = config or board.config
    layout = contents.LAYOUTS.get(board.family) if power_up is not None else None
    progress("elaboration")
    began = time.monotonic()
    flow = prepare(board, serial_engine(board, config, power_up=None if layout else power_up))
    if layout:
        content = contents.placeholder(config)
        other = prepare(board, serial_engine(board, config, power_up=content))
        flow = contents.placed_with(flow, other)
    seconds = {"elaboration": time.monotonic() - began}

    key = build_cache.cache_key(flow, tools, seeds=seeds)
    files = build_cache.load(key) if use_cache else None
    if files is None:
        kept = (REPORT, SYNTHESIS_LOG, PLACEMENT_LOG, *([layout.file] if layout else []))
        files = _place(board, config, flow, tools, seeds, kept, progress, seconds)
        build_cache.store(key, files)
    if layout:
        files = _with_contents(board, config, flow, tools, files, power_up, progress)
    return Built(document=json.loads(files[build_cache.RESULT]), files=files)


def _place(board, config, flow, tools, seeds, kept, progress, seconds) -> dict[str, bytes]:
    """The files of a build from its netlist on: those to be kept, bitstream and result."""
    with tempfile.TemporaryDirectory(prefix="tombola-build-") as name:
        folder = Path(name)
        run = FlowRun(board, flow, tools, folder, progress)
        report, seed = run.place_until_met(seeds)
        bitstream = run.pack()
        files = {name: (folder / name).read_bytes() for name in kept}
    document = {
        "board": board.name,
        "geometry": config.geometry,
        "macs": config.macs,
        "config": config.to_json(),
        **report.used,
        "capacity": report.capacity,
        "fmax_mhz": report.fmax_mhz,
        "clock_mhz": board.clock_mhz,
        "baud": board.baud,
        "seed": seed,
        "bitstream": f"{board.name}{Path(flow.bitstream).suffix}",
        "tools": {name: tool.version_text for name, tool in tools.items()},
    }
    return _result(files, document, bitstream, seconds | run.seconds)


def _with_contents(board, config, flow, tools, files, power_up, progress) -> dict[str, bytes]:
    """The files of a build with a ticket in place of the contents it was placed with."""
    placed = contents.LAYOUTS[board.family].file
    design = contents.exchange(files[placed].decode(), board.family, config, power_up)
    with tempfile.TemporaryDirectory(prefix="tombola-build-") as name:
        run = FlowRun(board, flow, tools, Path(name), progress)
        (Path(name) / placed).write_text(design)
        bitstream = run.pack()
    document = json.loads(files[build_cache.RESULT])
    others = {name: content for name, content in files.items() if name != placed}
    return _result(others, document, bitstream, document["seconds"] | run.seconds)


def _result(files, document, bitstream, seconds) -> dict[str, bytes]:
    document = document | {
        "bitstream_sha256": hashlib.sha256(bitstream).hexdigest(),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }
    result = f"{json.dumps(document, indent=2)}\n".encode()
    return files | {document["bitstream"]: bitstream, build_cache.RESULT: result}
