"""Proves a ticket on generated Verilog: every logit of every image against the integer model."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np

from tombola.compiler.program import compile_ticket
from tombola.spec.errors import ConfigError, ToolError
from tombola.spec.paths import cache_dir
from tombola.spec.ticket import Ticket
from tombola_sim import rtl, runner
from tombola_sim.build import Simulator, build
from tombola_sim.checker import Checker, Model
from tombola_sim.host import COUNTERS, Host, Inference, Program, of_image
from tombola_sim.report import CosimReport, Mismatch
from tombola_sim.runner import Run, Session
from tombola_sim.script import Outcome, Script

LOCATED = 4
"""Wrong images that are traced back to a layer: one more run each."""

Progress = Callable[[int], None]


def cosimulate(
    ticket: Ticket,
    rtl_dir: Path,
    images: np.ndarray,
    *,
    waves: Path | None = None,
    dump: Path | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
    batch: int = 1,
) -> CosimReport:
    """Runs images through the generated Verilog of an engine and compares every logit.

    Parameters
    ----------
    rtl_dir : Path
        Folder that `tombola rtl` wrote.
    images : uint8 array (batch, channels, height, width)
    waves : Path, optional
        Waveform to write, .fst or .vcd; wants one job.
    dump : Path, optional
        Writes `images`, the engine's `logits`, the model's `expected` as int64
        (batch, values) in (channel, height, width) order, and `winners`, to this .npz file.
    progress : callable, optional
        Called with the number of images simulated so far.
    jobs : int
        Simulator processes, each with its share of the images.
    batch : int
        Images of one run; several need a network of linear layers.

    Raises
    ------
    TombolaError
        If the ticket does not fit, a tool fails, or the engine hangs or reports an error. Wrong
        values are no error: the report holds them.
    """
    # torch takes seconds to import, which a damaged folder should not cost.
    design = rtl.load(rtl_dir)
    program = compile_ticket(ticket, design.config, batch=batch)
    from tombola.model.integer import IntegerModel

    return prove(
        program,
        IntegerModel(ticket),
        design,
        images,
        list(program.image_writes(images)),
        waves=waves,
        dump=dump,
        progress=progress,
        jobs=jobs,
        batch=batch,
    )


def prove(
    program: Program,
    model: Model,
    design: rtl.RtlDirectory,
    images: np.ndarray,
    image_writes: list[list[tuple[int, np.ndarray]]],
    *,
    waves: Path | None = None,
    dump: Path | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
    batch: int = 1,
) -> CosimReport:
    """`cosimulate` for a compiled program and a model that are already there.

    Each of `image_writes` brings the images of one run.
    """
    if not len(images):
        raise ConfigError("co-simulation needs at least 1 image, not 0")
    if jobs < 1:
        raise ConfigError(f"jobs must be at least 1, not {jobs}")
    if waves is not None and jobs > 1:
        raise ConfigError(f"waves are of one simulation, so they want 1 job, not {jobs}")
    simulator = build(design, wave_format=None if waves is None else waves.suffix)
    checker, host = Checker(model, images), Host(program)
    bench = _Bench(simulator, host, waves)

    def images_done(runs: int) -> None:
        if progress is not None:
            progress(min(len(images), runs * batch))

    sessions, runs = bench.run(image_writes, min(jobs, len(image_writes)), images_done)
    inferences = [each for run in runs for each in run.apart(batch)][: len(images)]

    logits = np.stack([inference.tensor for inference in inferences])
    winners = np.array([inference.winner for inference in inferences])
    wrong = checker.wrong_values(logits, winners)
    mismatches = _locate(
        bench,
        checker,
        {index: inferences[index] for index in np.flatnonzero(wrong)[:LOCATED].tolist()},
        image_writes,
        program.layer_count,
        batch,
    )
    if dump is not None:
        flat = logits.reshape(len(images), -1)
        np.savez(dump, images=images, logits=flat, expected=checker.expected, winners=winners)
    means = {name: float(np.mean([x.counters[name] for x in inferences])) for name in COUNTERS}
    cycles = means.pop("cycles")
    return CosimReport(
        samples=len(images),
        values_compared=logits.size,
        wrong_values=int(wrong.sum()),
        wrong_samples=int((wrong > 0).sum()),
        mismatches=mismatches,
        cycles_per_inference=cycles,
        counters=means,
        macs_per_inference=program.macs // batch,
        mac_utilisation=program.macs / batch / (program.config.macs * max(cycles, 1)),
        simulated_cycles=sum(session.clocks for session in sessions),
        simulation_seconds=max(session.seconds for session in sessions),
        geometry=program.config.geometry,
        winners=winners,
    )


class _Bench:
    """Simulator processes for one program on one engine."""

    def __init__(self, simulator: Simulator, host: Host, waves: Path | None) -> None:
        self._simulator = simulator
        self._host = host
        self._waves = waves

    def run(
        self,
        image_writes: list[list[tuple[int, np.ndarray]]],
        jobs: int,
        progress: Progress | None,
    ) -> tuple[list[Session], list[Inference]]:
        """All images, an equal share for each of `jobs` processes at once."""
        shares = np.array_split(np.arange(len(image_writes)), jobs)
        done, lock = [0] * jobs, threading.Lock()

        def one(job: int) -> tuple[Session, list[Inference]]:
            def report(scripts: int) -> None:
                with lock:
                    done[job] = max(0, scripts - 1)  # the first script loads the ticket
                    if progress is not None:
                        progress(sum(done))

            scripts = [self._host.infer(image_writes[image]) for image in shares[job]]
            session = self.session(scripts, progress=report, waves=self._waves)
            first = int(shares[job][0])
            return session, self._inferences(session.runs[1:], first)

        with ThreadPoolExecutor(jobs) as pool:
            results = list(pool.map(one, range(jobs)))
        return [session for session, _ in results], [x for _, part in results for x in part]

    def session(
        self, scripts: list[Script], *, progress: Progress | None = None, waves: Path | None = None
    ) -> Session:
        """Loads the ticket into a fresh engine and runs scripts on it."""
        root = cache_dir() / "simulations"
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=root))
        session = runner.run(
            self._simulator, [self._host.load(), *scripts], folder, waves=waves, progress=progress
        )
        # Only a simulator that failed leaves its folder, with the log that the error names.
        shutil.rmtree(folder)
        if session.runs[0].outcome is not Outcome.COMPLETE:
            raise ToolError("the engine hangs while the ticket is loaded: its bus does not answer")
        self._host.check_identity(session.runs[0].words[: len(Host.IDENTITY_REGISTERS)])
        return session

    def _inferences(self, runs: list[Run], first: int) -> list[Inference]:
        return [self._inference(run, first + index) for index, run in enumerate(runs)]

    def _inference(self, run: Run, image: int) -> Inference:
        if run.outcome is Outcome.RUN_LIMIT:
            raise ToolError(
                f"image {image}: the engine did not finish within {self._host.clock_limit} clocks"
            )
        if run.outcome is not Outcome.COMPLETE:
            raise ToolError(f"image {image}: the engine hangs: its bus does not answer")
        try:
            return self._host.answer(run.words)
        except ToolError as error:
            raise ToolError(f"image {image}: {error}") from None

    def layer_outputs(
        self, image_writes: list[list[tuple[int, np.ndarray]]], layer_count: int
    ) -> list[list[np.ndarray]]:
        """Output of each layer for each image: runs of one layer, of two, and so on.

        The list of an image is shorter where a run of that many layers does not end well.
        """
        counts = range(1, layer_count + 1)
        scripts = [
            self._host.infer(writes, layers=count) for writes in image_writes for count in counts
        ]
        outputs: list[list[np.ndarray]] = [[] for _ in image_writes]
        for index, run in enumerate(self.session(scripts).runs[1:]):
            image, layer = divmod(index, layer_count)
            if run.outcome is Outcome.COMPLETE and len(outputs[image]) == layer:
                with suppress(ToolError):
                    answer = self._host.answer(run.words, layers=layer + 1)
                    outputs[image].append(answer.tensor)
        return outputs


def _locate(
    bench: _Bench,
    checker: Checker,
    seen: dict[int, Inference],
    image_writes: list[list[tuple[int, np.ndarray]]],
    layer_count: int,
    batch: int,
) -> list[Mismatch]:
    """For each image that went wrong, its first wrong value and the layer that made it."""
    if not seen:
        return []
    mismatches = []
    runs = [image_writes[image // batch] for image in seen]
    outputs = bench.layer_outputs(runs, layer_count)
    for (image, answer), layers in zip(seen.items(), outputs, strict=True):
        found = checker.locate(image, [of_image(each, image % batch, batch) for each in layers])
        mismatches.append(
            found or checker.as_seen(image, layer_count - 1, answer.tensor, answer.winner)
        )
    return mismatches
