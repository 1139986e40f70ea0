"""Starts one simulator process on a list of scripts and reads back what they brought."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
import find_libpython
import numpy as np

from tombola.spec.errors import ToolError
from tombola_sim import bench
from tombola_sim.build import HARNESS, Simulator
from tombola_sim.script import Outcome, Script

LOG_FILE = "simulation.log"
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one script did.

    Attributes
    ----------
    outcome : Outcome
    words : uint32 array
        What it read.
    """

    outcome: Outcome
    words: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Session:
    """What one simulator process did: a run for each script, up to the first that did not end.

    Attributes
    ----------
    runs : list of Run
    clocks : int
        Simulated, over all scripts.
    seconds : float
        Of simulation alone.
    """

    runs: list[Run]
    clocks: int
    seconds: float


def run(
    simulator: Simulator,
    scripts: Sequence[Script],
    folder: Path,
    *,
    waves: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Session:
    """Runs scripts in a fresh simulator, which resets the engine first.

    Parameters
    ----------
    folder : Path
        Existing and empty; the files that pass between the processes stay in it.
    waves : Path, optional
        Waveform to write; the simulator must have been built for its format.
    progress : callable, optional
        Called with the number of scripts done so far.

    Raises
    ------
    ToolError
        If the simulator itself fails; the line names its log.
    """
    steps = [script.steps() for script in scripts]
    ends = np.cumsum([part.size for part in steps])
    np.savez(folder / bench.SCRIPTS_FILE, steps=np.concatenate(steps), ends=ends)
    command = [str(simulator.executable)]
    if waves is not None:
        command += ["--trace", "--trace-file", str(waves.absolute())]
    with (folder / LOG_FILE).open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _watch(process, folder, progress)
        finally:
            process.kill()
            process.wait()
    return _session(folder)


def _environment() -> dict[str, str]:
    library = find_libpython.find_libpython()
    if library is None:
        raise ToolError(
            "co-simulation needs Python as a shared library; use a Python built with "
            "--enable-shared, such as the system's"
        )
    libraries = str(cocotb_tools.config.libs_dir)
    return {
        **os.environ,
        "PATH": os.pathsep.join([os.environ.get("PATH", ""), libraries]),
        "PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": f"{library};{cocotb_tools.config.pygpi_entry_point()}",
        "COCOTB_TOPLEVEL": HARNESS,
        "COCOTB_TEST_MODULES": bench.__name__,
        "TOPLEVEL_LANG": "verilog",
        # Values reach the Verilog before its next evaluation, so cocotb need not apply them itself.
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        # The bench moves no arrays through Python's threads; more threads only disturb others.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _watch(
    process: subprocess.Popen[bytes], folder: Path, progress: Callable[[int], None] | None
) -> None:
    done = 0
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        count = len(_records(folder))
        if progress is not None and count > done:
            done = count
            progress(done)
    count = len(_records(folder))
    if progress is not None and count > done:
        progress(count)


def _records(folder: Path) -> list[str]:
    try:
        content = (folder / bench.RUNS_FILE).read_text()
    except OSError:
        return []
    return content.splitlines()[: content.count("\n")]


def _session(folder: Path) -> Session:
    records = [json.loads(line) for line in _records(folder)]
    responses = folder / bench.RESPONSES_FILE
    if not records or not responses.is_file():
        raise ToolError(f"the simulator ended early; its log is {folder / LOG_FILE}")
    words = np.load(responses)
    ends = np.cumsum([record["words"] for record in records])
    parts = np.split(words, ends[:-1])
    runs = [
        Run(outcome=Outcome(record["outcome"]), words=part)
        for record, part in zip(records, parts, strict=True)
    ]
    return Session(runs=runs, clocks=records[-1]["clocks"], seconds=records[-1]["seconds"])
