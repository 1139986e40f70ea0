"""The cocotb bench: runs inside the simulator and feeds scripts to the harness, one by one."""

import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import cocotb
import numpy as np
from cocotb.triggers import ValueChange

from tombola_sim import script
from tombola_sim.script import Outcome

SCRIPTS_FILE = "scripts.npz"
"""From the runner: `steps` (all scripts, one after the other) and `ends` (where each ends)."""
RUNS_FILE = "runs.jsonl"
"""To the runner: one line a script, as soon as it is done."""
ANSWERS_FILE = "answers.bin"
"""To the runner: the words read by all scripts, 32 bits each and the lowest byte first, one after
the other; those of a script are there before its line is."""


class Driver:
    """Hands scripts to the harness."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._count = 0

    def start(self, steps: np.ndarray) -> None:
        """Writes the script's file and tells the harness to run it."""
        steps.astype(">u8").tofile(script.FILE)
        self._count += 1
        self._dut.go.value = self._count


class Monitor:
    """Waits for the harness and takes what it read."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut

    async def finish(self) -> tuple[Outcome, np.ndarray]:
        """How the script ended, and the words it read."""
        await ValueChange(self._dut.finished)
        return Outcome(int(self._dut.outcome.value)), np.fromfile(script.RESPONSES_FILE, "<u4")

    @property
    def clocks(self) -> int:
        """Clocks since the simulation began."""
        return int(self._dut.clocks.value)


class Testbench:
    """Runs every script in order and ends at the first that the engine does not complete."""

    def __init__(self, dut: Any, log: TextIO, answers: BinaryIO) -> None:
        self._driver = Driver(dut)
        self._monitor = Monitor(dut)
        self._log = log
        self._answers = answers
        self._runner = os.getppid()

    async def run(self, scripts: list[np.ndarray]) -> None:
        """Writes what each script read and how it ended, as soon as it has."""
        began = time.perf_counter()
        for steps in scripts:
            self._driver.start(steps)
            outcome, words = await self._monitor.finish()
            self._answers.write(words.tobytes())
            self._answers.flush()
            record = {
                "outcome": outcome,
                "words": words.size,
                "clocks": self._monitor.clocks,
                "seconds": time.perf_counter() - began,
                "processor_seconds": time.process_time(),
            }
            self._log.write(json.dumps(record) + "\n")
            self._log.flush()
            # Nobody is left who would read on if the runner was killed.
            if outcome is not Outcome.COMPLETE or os.getppid() != self._runner:
                break


@cocotb.test()
async def run_scripts(dut: Any) -> None:
    """Runs the scripts in the working folder and leaves what they read there."""
    # Faults are the runner's to judge: it sees the outcome, so this test fails only by itself.
    with np.load(SCRIPTS_FILE) as file:
        scripts = np.split(file["steps"], file["ends"][:-1])
    with Path(RUNS_FILE).open("w") as log, Path(ANSWERS_FILE).open("wb") as answers:
        await Testbench(dut, log, answers).run(scripts)
