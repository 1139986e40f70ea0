"""Builds the bitstream of a board: Amaranth, synthesis, place and route, packing."""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from amaranth.lib import wiring

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, ToolError
from tombola.spec.power_up import PowerUp
from tombola.spec.programs import Tool
from tombola_boards import build_cache
from tombola_boards.board import Board
from tombola_boards.flow import (
    NAME,
    NETLIST,
    PLACEMENT_LOG,
    REPORT,
    SYNTHESIS_LOG,
    TOOLS,
    Flow,
    Step,
    make_flow,
)
from tombola_boards.report import Report, count_flip_flops, overfull, parse_report
from tombola_boards.tools import find_tool
from tombola_boards.top import BoardTop, serial_engine

DEFAULT_SEEDS = 4
Progress = Callable[[str], None]


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
        A ticket that the board is to have without a host.
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
    progress("elaboration")
    began = time.monotonic()
    flow = prepare(board, serial_engine(board, config, power_up=power_up))
    seconds = {"elaboration": time.monotonic() - began}

    key = build_cache.cache_key(flow, tools, seeds=seeds)
    if use_cache and (files := build_cache.load(key)) is not None:
        return Built(document=json.loads(files[build_cache.RESULT]), files=files)
    with tempfile.TemporaryDirectory(prefix="tombola-build-") as folder:
        run = _Run(board, flow, tools, Path(folder), seconds, progress)
        report, seed = run.place_until_met(seeds)
        files = run.pack()
    bitstream = f"{board.name}{Path(flow.bitstream).suffix}"
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
        "bitstream": bitstream,
        "bitstream_sha256": hashlib.sha256(files[flow.bitstream]).hexdigest(),
        "tools": {name: tool.version_text for name, tool in tools.items()},
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }
    files[bitstream] = files.pop(flow.bitstream)
    files[build_cache.RESULT] = f"{json.dumps(document, indent=2)}\n".encode()
    build_cache.store(key, files)
    return Built(document=document, files=files)


class _Run:
    """One build in a folder of its own."""

    def __init__(self, board, flow: Flow, tools, folder: Path, seconds, progress: Progress):
        self._board, self._flow, self._tools = board, flow, tools
        self._folder, self._seconds, self._progress = folder, seconds, progress
        for name, text in flow.files.items():
            (folder / name).write_text(text)

    def place_until_met(self, seeds: int) -> tuple[Report, int]:
        """Synthesises, then places with one seed after the other until the clock is met."""
        self._step(self._flow.synthesis)
        netlist = self._folder / NETLIST
        netlist.write_text(self._flow.rewrite(netlist.read_text()))
        flip_flops = count_flip_flops(netlist.read_text())
        best = None
        for seed in range(1, seeds + 1):
            self._step(self._flow.place_route_with(seed), f"place_route, seed {seed}")
            report = parse_report(
                (self._folder / REPORT).read_text(),
                family=self._board.family,
                flip_flops=flip_flops,
                log=(self._folder / PLACEMENT_LOG).read_text(),
            )
            if report.meets(self._board.clock_mhz):
                return report, seed
            if best is None or (best.short_paths, -best.fmax_mhz) > (
                report.short_paths, -report.fmax_mhz
            ):
                best = report
        raise ToolError(clock_message(self._board, best, seeds))

    def pack(self) -> dict[str, bytes]:
        """Makes the bitstream; everything worth keeping, by name."""
        self._step(self._flow.pack)
        kept = (self._flow.bitstream, REPORT, SYNTHESIS_LOG, PLACEMENT_LOG)
        return {name: (self._folder / name).read_bytes() for name in kept}

    def _step(self, step: Step, title: str = "") -> None:
        self._progress(title or step.name)
        began = time.monotonic()
        done = subprocess.run(
            [*self._tools[step.tool].argv, *step.arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self._seconds[step.name] = self._seconds.get(step.name, 0) + time.monotonic() - began
        if done.returncode != 0:
            self._explain(step, done.stdout.decode(errors="replace"))

    def _explain(self, step: Step, messages: str) -> NoReturn:
        name, log = self._board.name, self._folder / PLACEMENT_LOG
        too_much = log.is_file() and overfull(log.read_text(), family=self._board.family)
        if too_much:
            raise ToolError(
                f"{name}: the engine must fit: {', '.join(too_much)}; choose a smaller --geometry"
            )
        raise ToolError(f"{name}: {step.tool} failed: {first_error(messages)}")


def first_error(messages: str) -> str:
    """The line of a program's messages that says why it failed."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines[-1:] or ["no message"])[0]


def clock_message(board: Board, report: Report, seeds: int) -> str:
    """What to say when no placement runs at the clock."""
    tried = "1 placement" if seeds == 1 else f"{seeds} placements"
    if report.short_paths:
        return (
            f"{board.name}: paths that end before their hold time must be 0, not "
            f"{report.short_paths} (best of {tried}); try --seeds {2 * seeds} or another --geometry"
        )
    path = f"; slowest path: {report.slowest_path}" if report.slowest_path else ""
    return (
        f"{board.name}: clock must be at most {report.fmax_mhz:g} MHz for this engine, not "
        f"{board.clock_mhz:g} MHz (best of {tried}{path}); try --seeds {2 * seeds} or a smaller "
        f"--geometry"
    )
