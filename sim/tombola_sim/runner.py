"""Starts one simulator process on a list of scripts and reads what each of them brings."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
import find_libpython
import numpy as np

from tombola.spec.errors import ToolError
from tombola.spec.paths import cache_dir
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
    processor_seconds : float
        That the process was at work, its start included.
    """

    runs: list[Run]
    clocks: int
    seconds: float
    processor_seconds: float


def run(
    simulator: Simulator,
    scripts: Sequence[Script],
    *,
    waves: Path | None = None,
    arrived: Callable[[int, Run], None] = lambda script, run: None,
    stop: threading.Event | None = None,
) -> Session:
    """Runs scripts in a fresh simulator, which resets the engine first.

    Parameters
    ----------
    waves : Path, optional
        Waveform to write; the simulator must have been built for its format.
    arrived : callable, optional
        Called with the index and the run of each script, soon after it is done.
    stop : Event, optional
        Once it is set, the simulator is ended; the session holds the runs that are done.

    Raises
    ------
    ToolError
        If the simulator itself fails; the line names its log.
    """
    root = cache_dir() / "simulations"
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root))
    stop = stop or threading.Event()
    try:
        with _started(simulator, scripts, folder, waves) as process:
            session = _watch(process, folder, arrived, stop)
    except BaseException:
        shutil.rmtree(folder)
        raise
    complete = len(session.runs) == len(scripts)
    ended = bool(session.runs) and session.runs[-1].outcome is not Outcome.COMPLETE
    if not (complete or ended or stop.is_set()):
        raise ToolError(f"the simulator ended early; its log is {folder / LOG_FILE}")
    shutil.rmtree(folder)
    return session


@contextmanager
def _started(
    simulator: Simulator, scripts: Sequence[Script], folder: Path, waves: Path | None
) -> Iterator[subprocess.Popen[bytes]]:
    """The simulator at work in a folder, ended with the block."""
    steps = [script.steps() for script in scripts]
    ends = np.cumsum([part.size for part in steps])
    np.savez(folder / bench.SCRIPTS_FILE, steps=np.concatenate(steps), ends=ends)
    for name in (bench.RUNS_FILE, bench.ANSWERS_FILE):
        (folder / name).touch()
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
            start_new_session=True,  # an interrupt is for us, who end it in order
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


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
    process: subprocess.Popen[bytes],
    folder: Path,
    arrived: Callable[[int, Run], None],
    stop: threading.Event,
) -> Session:
    runs: list[Run] = []
    clocks, seconds, processor_seconds, line, ends = 0, 0.0, 0.0, "", False
    with (folder / bench.RUNS_FILE).open() as log, (folder / bench.ANSWERS_FILE).open("rb") as file:
        while not ends:
            ends = process.poll() is not None or stop.wait(POLL_SECONDS)
            *lines, line = (line + log.read()).split("\n")
            for record in map(json.loads, lines):
                words = np.frombuffer(file.read(4 * record["words"]), "<u4")
                runs.append(Run(outcome=Outcome(record["outcome"]), words=words))
                clocks, seconds = record["clocks"], record["seconds"]
                processor_seconds = record["processor_seconds"]
                arrived(len(runs) - 1, runs[-1])
    return Session(
        runs=runs, clocks=clocks, seconds=seconds, processor_seconds=processor_seconds
    )
