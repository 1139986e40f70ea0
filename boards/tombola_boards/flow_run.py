"""Runs the programs of a flow in a folder of its own, and says what went wrong with one."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from tombola.spec.errors import ToolError
from tombola.spec.programs import Tool
from tombola_boards import contents
from tombola_boards.board import Board
from tombola_boards.flow import NETLIST, PLACEMENT_LOG, REPORT, Flow, Step
from tombola_boards.report import Report, count_flip_flops, overfull, parse_report

Progress = Callable[[str], None]
"""Told the name of each stage as it begins."""
UNROUTABLE = "ERROR: Routing design failed"
"""What nextpnr says when a placement leaves no way for a wire; another one may."""


class FlowRun:
    """One build.

    Parameters
    ----------
    board : Board
    flow : Flow
    tools : dict of str to Tool
    folder : Path
        Empty; for the files of all programs.
    progress : callable

    Attributes
    ----------
    seconds : dict of str to float
        That each stage took.
    """

    def __init__(
        self,
        board: Board,
        flow: Flow,
        tools: Mapping[str, Tool],
        folder: Path,
        progress: Progress,
    ):
        self.seconds: dict[str, float] = {}
        self._board, self._flow, self._tools = board, flow, tools
        self._folder, self._progress = folder, progress
        self._flip_flops = 0
        for name, text in flow.files.items():
            (folder / name).write_text(text)

    def synthesise(self) -> None:
        """Makes the netlist."""
        self._step(self._flow.synthesis)
        netlist = self._folder / NETLIST
        design = self._flow.rewrite(netlist.read_text())
        if self._flow.contents is not None:
            design = contents.fill(design, (self._folder / self._flow.contents).read_text())
        netlist.write_text(design)
        self._flip_flops = count_flip_flops(design)

    def place(self, seed: int) -> Report:
        """Places and routes the netlist, whether that meets the clock or not."""
        self._step(self._flow.place_route_with(seed), f"place_route, seed {seed}")
        return parse_report(
            (self._folder / REPORT).read_text(),
            family=self._board.family,
            flip_flops=self._flip_flops,
            log=(self._folder / PLACEMENT_LOG).read_text(),
        )

    def place_until_met(self, seeds: int) -> tuple[Report, int]:
        """Synthesises, then places with one seed after the other until the clock is met."""
        self.synthesise()
        best = None
        for seed in range(1, seeds + 1):
            try:
                report = self.place(seed)
            except _UnroutableError:
                continue
            if report.meets(self._board.clock_mhz):
                return report, seed
            if best is None or (best.short_paths, -best.fmax_mhz) > (
                report.short_paths, -report.fmax_mhz
            ):
                best = report
        if best is None:
            raise ToolError(
                f"{self._board.name}: nextpnr must find a route for each wire, and did not in "
                f"{_tried(seeds)}; try --seeds {2 * seeds} or a smaller --geometry"
            )
        raise ToolError(clock_message(self._board, best, seeds))

    def pack(self) -> bytes:
        """Makes the bitstream of the placed design in the folder."""
        self._step(self._flow.pack)
        return (self._folder / self._flow.bitstream).read_bytes()

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
        self.seconds[step.name] = self.seconds.get(step.name, 0) + time.monotonic() - began
        if done.returncode != 0:
            self._explain(step, done.stdout.decode(errors="replace"))

    def _explain(self, step: Step, messages: str) -> NoReturn:
        name, log = self._board.name, self._folder / PLACEMENT_LOG
        too_much = log.is_file() and overfull(log.read_text(), family=self._board.family)
        if too_much:
            raise ToolError(
                f"{name}: the engine must fit: {', '.join(too_much)}; choose a smaller --geometry"
            )
        error = _UnroutableError if UNROUTABLE in messages else ToolError
        raise error(f"{name}: {step.tool} failed: {first_error(messages)}")


class _UnroutableError(ToolError):
    """A placement that nextpnr finds no route for."""


def first_error(messages: str) -> str:
    """The line of a program's messages that says why it failed."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines[-1:] or ["no message"])[0]


def clock_message(board: Board, report: Report, seeds: int) -> str:
    """What to say when no placement runs at the clock."""
    tried = _tried(seeds)
    if report.short_paths:
        return (
            f"{board.name}: paths that end before their hold time must be 0, not "
            f"{report.short_paths} (best of {tried}); try --seeds {2 * seeds} or another --geometry"
        )
    path = f"; slowest path: {report.slowest_path}" if report.slowest_path else ""
    lower = ", a lower --clock" if hasattr(board.make_platform, "at_clock") else ""
    return (
        f"{board.name}: clock must be at most {report.fmax_mhz:g} MHz for this engine, not "
        f"{board.clock_mhz:g} MHz (best of {tried}{path}); try --seeds {2 * seeds}{lower} or a "
        f"smaller --geometry"
    )


def _tried(seeds: int) -> str:
    return "1 placement" if seeds == 1 else f"{seeds} placements"
