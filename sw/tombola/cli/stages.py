"""Verbs run one after the other and side by side, each a program of its own, shown as they go."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tombola.spec.errors import ToolError

MISMATCH = 1  # exit status of a proof that failed, with its document on stdout all the same


@dataclass
class Stage:
    """One command of the demo and what became of it.

    Attributes
    ----------
    name : str
    arguments : list of str
        As a user would type them after ``tombola``.
    seconds : float or None
        Wall-clock time, once it is done.
    needs : Stage or None
        Of another chain; what it writes is read here.
    document : dict
        What the command's ``--json`` said.
    failure : str or None
        In one line, once it has failed.
    ended : threading.Event
        It is done, has failed, or will not begin.
    """

    name: str
    arguments: list[str]
    needs: "Stage | None" = None
    started: float | None = None
    seconds: float | None = None
    document: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, logs: Path) -> None:
        """Runs the command in a program of its own, its messages going to ``logs/NAME.log``."""
        self.started = time.monotonic()
        log = logs / f"{self.name}.log"
        command = [sys.executable, "-m", "tombola.cli.main", *self.arguments, "--json"]
        with log.open("w") as messages:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=messages, check=False)
        self.seconds = time.monotonic() - self.started
        if done.returncode == 0 or (done.returncode == MISMATCH and done.stdout):
            self.document = json.loads(done.stdout)
        else:
            lines = log.read_text().strip().splitlines() or ["no message"]
            self.failure = f"{self.name} failed: {lines[-1].removeprefix('tombola: error: ')}"

    def may_begin(self) -> bool:
        """Waits for what it needs; whether that is done."""
        if self.needs is None:
            return True
        self.needs.ended.wait()
        return self.needs.seconds is not None and self.needs.failure is None

    @property
    def state(self) -> str:
        """For the progress table."""
        if self.failure:
            return "failed"
        if self.seconds is not None:
            return "done"
        return "waiting" if self.started is None else "running"


def run_chains(chains: list[list[Stage]], logs: Path) -> None:
    """Runs the chains side by side, each stage after the one before; raises for a failed stage."""

    def run_chain(stages: list[Stage]) -> None:
        try:
            for stage in stages:
                if not stage.may_begin():
                    return
                stage.run(logs)
                stage.ended.set()
                if stage.failure:
                    return
        finally:
            for stage in stages:
                stage.ended.set()

    threads = [threading.Thread(target=run_chain, args=(chain,)) for chain in chains]
    for thread in threads:
        thread.start()
    stages = [stage for chain in chains for stage in chain]
    _show(threads, stages)
    for stage in stages:
        if stage.failure:
            raise ToolError(f"{stage.failure} (all messages: {logs / stage.name}.log)")


def _show(threads: list[threading.Thread], stages: list[Stage]) -> None:
    """Keeps a table of the stages on stderr until all threads are done."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def table() -> Table:
        shown = Table("stage", "state", "seconds", "command", box=None)
        for stage in stages:
            seconds = stage.seconds
            if seconds is None and stage.started is not None:
                seconds = time.monotonic() - stage.started
            shown.add_row(
                stage.name,
                stage.state,
                "" if seconds is None else f"{seconds:.0f}",
                f"tombola {' '.join(stage.arguments)}",
            )
        return shown

    console = Console(stderr=True)
    if not console.is_terminal:
        for thread in threads:
            thread.join()
        console.print(table())
        return
    with Live(table(), console=console, refresh_per_second=2) as live:
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.3)
            live.update(table())
