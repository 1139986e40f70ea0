"""Simulator processes for one program on one engine: shares of the images, and layer by layer."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import numpy as np

from tombola.spec.errors import ToolError
from tombola_sim import runner
from tombola_sim.answers import Answers
from tombola_sim.build import Simulator
from tombola_sim.host import Host, Writes
from tombola_sim.runner import Run, Session
from tombola_sim.script import Outcome, Script


class Sessions:
    """Runs scripts in fresh simulators, each of which loads the ticket first.

    Parameters
    ----------
    simulator : Simulator
    host : Host
    waves : Path, optional
        Waveform that a simulator of images writes.
    """

    def __init__(self, simulator: Simulator, host: Host, waves: Path | None = None) -> None:
        self._simulator = simulator
        self._host = host
        self._waves = waves

    def answer(
        self,
        image_writes: Sequence[Writes],
        answers: Answers,
        *,
        jobs: int,
        progress: Callable[[int], None] = lambda runs: None,
    ) -> None:
        """Brings the answers that are missing, an equal share from each of `jobs` processes.

        If one of them fails, or the user interrupts, the others are ended; `answers` holds what
        came until then.
        """
        missing, stop = answers.missing, threading.Event()
        if not missing.size:
            return

        def simulate(share: np.ndarray) -> Session:
            def arrived(position: int, run: Run) -> None:
                index = int(share[position])
                self._check(run, index)
                answers.add(index, run.words)
                progress(len(answers))

            scripts = [self._host.infer(image_writes[index]) for index in share]
            return self._session(scripts, arrived=arrived, waves=self._waves, stop=stop)

        jobs = min(jobs, missing.size)
        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(simulate, share) for share in np.array_split(missing, jobs)]
            try:
                for future in futures:
                    future.result()
            finally:
                stop.set()
                wait(futures)
                answers.spend([x.result() for x in futures if x.exception() is None])

    def _check(self, run: Run, index: int) -> None:
        if run.outcome is Outcome.RUN_LIMIT:
            raise ToolError(
                f"image {index}: the engine did not finish within {self._host.clock_limit} clocks"
            )
        if run.outcome is not Outcome.COMPLETE:
            raise ToolError(f"image {index}: the engine hangs: its bus does not answer")
        try:
            self._host.answer(run.words)
        except ToolError as error:
            raise ToolError(f"image {index}: {error}") from None

    def layer_outputs(
        self, image_writes: Sequence[Writes], layer_count: int
    ) -> list[list[np.ndarray]]:
        """Output of each layer for each image: runs of one layer, of two, and so on.

        The list of an image is shorter where a run of that many layers does not end well.
        """
        counts = range(1, layer_count + 1)
        scripts = [
            self._host.infer(writes, layers=count) for writes in image_writes for count in counts
        ]
        outputs: list[list[np.ndarray]] = [[] for _ in image_writes]
        for index, run in enumerate(self._session(scripts).runs[1:]):
            image, layer = divmod(index, layer_count)
            if run.outcome is Outcome.COMPLETE and len(outputs[image]) == layer:
                with suppress(ToolError):
                    answer = self._host.answer(run.words, layers=layer + 1)
                    outputs[image].append(answer.tensor)
        return outputs

    def _session(
        self,
        scripts: list[Script],
        *,
        arrived: Callable[[int, Run], None] = lambda position, run: None,
        waves: Path | None = None,
        stop: threading.Event | None = None,
    ) -> Session:
        """Loads the ticket into a fresh engine and runs scripts on it."""

        def checked(script: int, run: Run) -> None:
            if script > 0:
                arrived(script - 1, run)
                return
            if run.outcome is not Outcome.COMPLETE:
                raise ToolError(
                    "the engine hangs while the ticket is loaded: its bus does not answer"
                )
            self._host.check_identity(run.words[: len(Host.IDENTITY_REGISTERS)])

        load = self._host.load()
        return runner.run(
            self._simulator, [load, *scripts], waves=waves, arrived=checked, stop=stop
        )
