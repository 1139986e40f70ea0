"""Where trials run: side by side on this machine, or on a Ray cluster."""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tombola.spec.errors import ToolError
from tombola.sweep import trial
from tombola.sweep.grid import Trial

ANSWER_SECONDS = 10
Finished = tuple[Trial, dict[str, Any]]
Runner = Callable[[Sequence[Trial], Path], Iterator[Finished]]
"""Runs trials in folders below a folder; yields each with its result as it finishes."""


def local(processes: int) -> Runner:
    """So many searches at once, each a process of its own."""

    def run(trials: Sequence[Trial], out: Path) -> Iterator[Finished]:
        # Each thread only waits for its process.
        pool = ThreadPoolExecutor(max_workers=processes)
        try:
            jobs = {pool.submit(trial.run, out / x.name, x.arguments): x for x in trials}
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(cancel_futures=True)

    return run


def cluster(address: str | None, *, cores: int) -> Runner:
    """As many searches at once as a Ray cluster has room for.

    The folder must be on a file system that all nodes share, and `tombola` installed on each.

    Parameters
    ----------
    address : str or None
        Of the cluster's head; None starts a cluster of this machine alone.
    cores : int
        That each search takes.

    Raises
    ------
    ToolError
        If Ray is not installed, the cluster does not answer, or no node has so many cores.
    """
    try:
        import ray
    except ImportError:
        raise ToolError(
            "a cluster needs Ray, which is not installed; run pip install 'tombola[cluster]'"
        ) from None

    def run(trials: Sequence[Trial], out: Path) -> Iterator[Finished]:
        _check_answers(address)
        try:
            ray.init(address=address, log_to_driver=False, include_dashboard=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ToolError(f"no Ray cluster answers at {address}: {reason}") from None
        try:
            check_cores(ray.nodes(), cores)
            remote = ray.remote(num_cpus=cores)(trial.run)
            jobs = {remote.remote((out / x.name).absolute(), x.arguments): x for x in trials}
            left = list(jobs)
            while left:
                (done,), left = ray.wait(left)
                try:
                    result = ray.get(done)
                except ray.exceptions.RayError as error:  # a node went away with its trial
                    result = {"error": str(error).splitlines()[0]}
                yield jobs[done], result
        finally:
            ray.shutdown()

    return run


def check_cores(nodes: Sequence[Mapping[str, Any]], cores: int) -> None:
    """Refuses what no node has; Ray itself would wait until a larger one comes.

    Parameters
    ----------
    nodes : sequence of dict
        As ``ray.nodes()`` describes them.
    cores : int
        That each search takes.

    Raises
    ------
    ToolError
        With the most there are.
    """
    most = max((node["Resources"].get("CPU", 0) for node in nodes if node["Alive"]), default=0)
    if cores > most:
        raise ToolError(
            f"no node of the cluster has {cores} cores, the largest has {most:g}; lower --cores"
        )


def _check_answers(address: str | None) -> None:
    """Ray itself tries for minutes before it says that nobody is there."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ToolError(f"no Ray cluster answers at {address}: {error}") from None
