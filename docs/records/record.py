"""Runs one experiment, seed by seed, and writes its record: `record.py NAME --work DIR`.

A seed whose result is in the work folder is not run again, and one that was stopped goes on from
its checkpoint, so the script can be started as often as it takes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

HERE = Path(__file__).parent
FROZEN = "--prune 0.35 --lock 0.35"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is searched: the algorithm, options of `tombola search`, and the seeds."""

    algorithm: str
    options: str
    seeds: tuple[int, ...]

    @property
    def command(self) -> str:
        """For any of the seeds."""
        return f"tombola search {self.options} --seed SEED --out DIR"


THREE, FIVE = (1, 2, 3), (1, 2, 3, 4, 5)
EXPERIMENTS = {
    name: Experiment(algorithm=algorithm, options=options, seeds=seeds)
    for name, algorithm, options, seeds in (
        ("digits-cnn", "edge-popup", "--preset digits-cnn", FIVE),
        ("fmnist-cnn", "edge-popup", "--preset fmnist-cnn", THREE),
        ("fmnist-cnn-frozen", "frozen", f"--preset fmnist-cnn {FROZEN}", THREE),
        ("fmnist-mlp-stream", "edge-popup", "--preset fmnist-mlp --weights stream", FIVE),
        ("fmnist-mlp-frozen", "frozen", f"--preset fmnist-mlp {FROZEN}", FIVE),
        ("fmnist-mlp-torch", "edge-popup", "--preset fmnist-mlp --weights torch", FIVE),
    )
}
SEARCHED = ("float_accuracy", "integer_accuracy")
SUMMED = (*SEARCHED, "model_bits")
INSPECTED = ("ticket_bytes", "mask_bits", "weights", "searchable_weights", "requantisation_bits")


def tombola(*arguments: str) -> dict:
    """What a verb prints with ``--json``."""
    command = [sys.executable, "-m", "tombola.cli.main", *arguments, "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def run(name: str, seed: int, work: Path) -> dict:
    """One seed's values."""
    out = work / name / f"seed-{seed}"
    done = out / "result.json"
    if not done.exists():
        options = EXPERIMENTS[name].options.split()
        found = tombola("search", *options, "--seed", str(seed), "--out", str(out), "--resume")
        values = {"seed": seed, **{key: found[key] for key in SEARCHED}}
        if found["ticket"] is not None:
            shown = tombola("inspect", found["ticket"])
            values |= {key: shown[key] for key in INSPECTED}
            values["model_bits"] = model_bits(shown)
        done.write_text(json.dumps({"values": values, "settings": settings(found)}))
    return json.loads(done.read_text())


def model_bits(shown: dict) -> int:
    """Seed, masks and requantisation."""
    return shown["format_seed_bits"] + shown["mask_bits"] + shown["requantisation_bits"]


def settings(found: dict) -> dict:
    """The settings among what a search printed."""
    named = (
        "epochs",
        "batch",
        "sparsity",
        "scope",
        "prune",
        "lock",
        "allocation",
        "weights",
        "learning_rate",
        "momentum",
        "weight_decay",
        "threads",
        "samples",
    )
    return {key: found[key] for key in named}


def spread(values: list[float]) -> dict:
    """Mean, standard deviation of the sample, least and most."""
    return {
        "mean": statistics.mean(values),
        "deviation": statistics.stdev(values),
        "least": min(values),
        "most": max(values),
    }


def environment() -> str:
    """The kind of machine, and the version whose arithmetic the search used."""
    version = torch.__version__.partition("+")[0]
    machine = platform.machine().replace("_", "-")
    return f"{os.cpu_count()}-core {machine} CPU, torch {version}"


def main() -> None:
    """Runs what is missing and writes the record once all seeds are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    experiment = EXPERIMENTS[args.name]
    results = [run(args.name, seed, args.work) for seed in experiment.seeds]
    runs = [result["values"] for result in results]
    record = {
        "name": args.name,
        "algorithm": experiment.algorithm,
        "command": experiment.command,
        "seeds": list(experiment.seeds),
        "environment": environment(),
        "settings": results[0]["settings"],
        "runs": runs,
        "summary": {
            key: spread([values[key] for values in runs])
            for key in SUMMED
            if runs[0].get(key) is not None
        },
    }
    (HERE / f"{args.name}.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
