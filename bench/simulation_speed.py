"""Simulated clocks a second of a proof, against a bare loop around the same Verilated engine.

By turns, on the same images: the whole of `tombola sim` (scripts, simulator with cocotb, comparison
with the integer model), then a C++ program that only moves the clock and the bus. Both answer the
same logits. Time is the clock's; time on the processor, of all processes, stands beside it, for
machines with other work.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from tombola.cli.engine_rtl import cached_rtl
from tombola.compiler.program import Program, compile_ticket
from tombola.compiler.sizing import engine_for
from tombola.model.integer import IntegerModel
from tombola.spec import ticket_file
from tombola.spec.paths import cache_dir
from tombola.suite.sample import sample
from tombola_sim import build, cxx, rtl, verilator
from tombola_sim.cosim import cosimulate
from tombola_sim.host import Host

LOOP = Path(__file__).with_name("bare_loop.cpp")
HARNESS_ONLY = ("--vpi", "--timing")
"""Flags that the engine alone does not want."""
Measured = dict[str, float]


def rates(clocks: int, seconds: float, processor_seconds: float) -> Measured:
    """Clocks, and how many a second."""
    return {
        "clocks": clocks,
        "clocks_per_second": round(clocks / seconds),
        "clocks_per_processor_second": round(clocks / processor_seconds),
    }


def proof(program: Program, design: rtl.RtlDirectory, pixels: np.ndarray) -> Measured:
    """What `tombola sim` does once it has its simulator.

    Raises
    ------
    ValueError
        If a logit is wrong.
    """
    began, worked = time.perf_counter(), _processor_seconds()
    report = cosimulate(program.ticket, design.path, pixels)
    seconds, worked = time.perf_counter() - began, _processor_seconds() - worked
    if not report.exact:
        raise ValueError(f"{report.mismatches[0]}")
    return rates(report.simulated_cycles, seconds, worked)


def _processor_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def build_loop(design: rtl.RtlDirectory, folder: Path) -> Path:
    """The engine in the bare loop, with the flags and the compiler of the simulator."""
    tool = verilator.find_verilator()
    flags = [flag for flag in build.FLAGS if flag not in HARNESS_ONLY]
    command = [*tool.argv, *flags, "--no-timing", "--Mdir", str(folder), "--prefix", build.PREFIX,
               "--top-module", rtl.TOP, *map(str, design.sources)]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    cxx.compile_model(
        folder / f"{build.PREFIX}.json",
        folder / "loop",
        compiler=cxx.find(),
        main=LOOP,
        link=(),
        runtime_cache=cache_dir() / "verilator-runtime",
        log=folder / "log",
    )
    return folder / "loop"


def bare(loop: Path, program: Program, pixels: np.ndarray, expected: np.ndarray) -> Measured:
    """What the bare loop does with the same scripts, but for loading the ticket.

    Raises
    ------
    ValueError
        If a logit is wrong.
    """
    host, folder = Host(program), loop.parent
    load = host.load().steps()
    scripts = [host.infer(writes).steps() for writes in program.image_writes(pixels)]
    np.concatenate([load, *scripts]).astype(">u8").tofile(folder / "steps.bin")
    arguments = [str(loop), "steps.bin", str(load.size), "words.bin"]
    answer = subprocess.run(arguments, cwd=folder, check=True, capture_output=True, text=True)
    words = np.fromfile(folder / "words.bin", "<u4").reshape(len(pixels), -1)
    logits = np.stack([host.answer(each).tensor.ravel() for each in words])
    if not np.array_equal(logits, expected):
        raise ValueError("the bare loop's logits are wrong")
    clocks, seconds, processor_seconds = answer.stdout.split()
    return rates(int(clocks), float(seconds), float(processor_seconds))


def measure(
    program: Program, design: rtl.RtlDirectory, pixels: np.ndarray, *, turns: int
) -> dict[str, Any]:
    """Both by turns, and the medians of the proof's speed in that of the loop."""
    build.build(design)
    expected = np.asarray(IntegerModel(program.ticket).logits(pixels))
    with tempfile.TemporaryDirectory() as folder:
        loop = build_loop(design, Path(folder))
        found = [
            {"proof": proof(program, design, pixels),
             "bare": bare(loop, program, pixels, expected)}
            for _ in range(turns)
        ]  # fmt: skip
    return {
        "geometry": program.config.geometry,
        "images": len(pixels),
        "turns": found,
        **{
            f"ratio_of_{rate}": round(
                statistics.median(turn["proof"][rate] / turn["bare"][rate] for turn in found), 3
            )
            for rate in ("clocks_per_second", "clocks_per_processor_second")
        },
    }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--network", default="fmnist-cnn", help="a sample of it")
    parser.add_argument("--ticket", type=Path, help="in place of a sample")
    parser.add_argument("--geometry", default="8x8x2")
    parser.add_argument("--images", type=int, default=200, help="of random bytes")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    ticket = sample(args.network) if args.ticket is None else ticket_file.load(args.ticket)
    config = engine_for(ticket, args.geometry)
    shape = (args.images, *ticket.input.shape)
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    program, design = compile_ticket(ticket, config), rtl.load(cached_rtl(config))
    found = measure(program, design, pixels, turns=args.turns)
    tool = verilator.find_verilator()
    versions = {
        "cocotb": cocotb.__version__, "verilator": tool.version_text, "c++": cxx.find().version
    }
    command = " ".join(["python", "bench/simulation_speed.py", *sys.argv[1:]])
    network = args.network if args.ticket is None else args.ticket.name
    document = {"command": command, "network": network, **found, "tools": versions}
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
