"""Proves a ticket on generated Verilog: every logit of every image against the integer model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tombola.compiler.program import compile_ticket
from tombola.spec.errors import ConfigError
from tombola.spec.ticket import Ticket
from tombola_sim import rtl
from tombola_sim.answers import Answers, proof_of
from tombola_sim.build import build
from tombola_sim.checker import Checker, Model
from tombola_sim.host import COUNTERS, Host, Inference, Program, Writes, of_image
from tombola_sim.report import CosimReport, Mismatch
from tombola_sim.sessions import Sessions

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
    resume: Path | None = None,
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
    resume : Path, optional
        An .npz file that keeps what the engine answered, so that a stopped run of the same images
        goes on where it ended; wants no waves.
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
        resume=resume,
        progress=progress,
        jobs=jobs,
        batch=batch,
    )


def prove(
    program: Program,
    model: Model,
    design: rtl.RtlDirectory,
    images: np.ndarray,
    image_writes: list[Writes],
    *,
    waves: Path | None = None,
    dump: Path | None = None,
    resume: Path | None = None,
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
    if waves is not None and resume is not None:
        raise ConfigError("waves are of a whole simulation, so they want none to resume")
    simulator = build(design, wave_format=None if waves is None else waves.suffix)
    host = Host(program)
    answers = Answers(
        len(image_writes), file=resume, proof=_proof(design, host, image_writes) if resume else b""
    )
    checker, bench = Checker(model, images), Sessions(simulator, host, waves)

    def images_done(runs: int) -> None:
        if progress is not None:
            progress(min(len(images), runs * batch))

    try:
        bench.answer(image_writes, answers, jobs=jobs, progress=images_done)
    finally:
        answers.save()
    runs = [host.answer(answers[index]) for index in range(len(image_writes))]
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
        simulated_cycles=answers.clocks,
        simulation_seconds=answers.seconds,
        processor_seconds=answers.processor_seconds,
        geometry=program.config.geometry,
        winners=winners,
    )


def _proof(design: rtl.RtlDirectory, host: Host, image_writes: list[Writes]) -> bytes:
    """Of the Verilog, of what is loaded and of what is run."""
    scripts = [host.load(), *map(host.infer, image_writes)]
    return proof_of([
        *(source.read_bytes() for source in design.sources),
        *(script.steps().tobytes() for script in scripts),
    ])


def _locate(
    bench: Sessions,
    checker: Checker,
    seen: dict[int, Inference],
    image_writes: list[Writes],
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
