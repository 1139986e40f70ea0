"""Jackpots of a pretrained ResNet8: `jackpot.py --work DIR` runs what is missing.

A search whose result is in the work folder is not run again, and one that was stopped goes on from
its checkpoint, so the script can be started as often as it takes; ``--minutes`` begins no search
after so many. The records are written anew each time, of what is done.
"""

import argparse
import io
import json
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch
from record import environment

from tombola.cli.main import main as tombola
from tombola.data import load, load_network
from tombola.search.models.wired import Wired
from tombola.spec.paths import write_atomically

HERE = Path(__file__).parent / "jackpot"
SPARSITIES = (0.5, 0.7, 0.9)
PRESET = "cifar10-resnet8"
TEST_SAMPLES = 2000
PRETRAINED = "pretrained"
"""The record of the network as it was trained."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to a mask: options of the search, the seeds, and what the table calls it."""

    title: str
    options: str = ""
    seeds: tuple[int, ...] = (1, 2, 3)
    sparsities: tuple[float, ...] = SPARSITIES


RANDOM = "--start random --limit none --learning-rate 0.01"
ARMS = {
    "dense": Arm(
        title="nothing pruned", options="--epochs 0 --norm frozen", seeds=(1,), sparsities=(0.0,)
    ),
    "dense-4": Arm(
        title="nothing pruned, 4 bits", options="--epochs 0 --norm frozen --stored-bits 4",
        seeds=(1,), sparsities=(0.0,),
    ),
    "magnitude": Arm(title="magnitude", options="--epochs 0 --norm frozen", seeds=(1,)),
    "refreshed": Arm(title="magnitude, norms refreshed", options="--epochs 0", seeds=(1,)),
    "jackpot": Arm(title="jackpot"),
    "jackpot-short": Arm(title="jackpot, 1 epoch", options="--epochs 1"),
    "unlimited": Arm(title="jackpot, no short restriction", options="--limit none"),
    "random-long": Arm(title="random mask, 15 epochs", options=f"{RANDOM} --epochs 15"),
    "random": Arm(title="random mask", options=RANDOM),
    "jackpot-4": Arm(title="jackpot, 4 bits", options="--stored-bits 4"),
    "jackpot-4-short": Arm(title="jackpot, 4 bits, 1 epoch", options="--stored-bits 4 --epochs 1"),
    "jackpot-frozen": Arm(
        title="jackpot, norms frozen", options="--norm frozen", seeds=(1,), sparsities=(0.7,)
    ),
}  # fmt: skip

def command(arm: str, sparsity: float) -> str:
    """For any of the seeds."""
    options = f"{ARMS[arm].options} " if ARMS[arm].options else ""
    return (
        f"tombola search --preset {PRESET} --algorithm jackpot --sparsity {sparsity:g} "
        f"{options}--seed SEED --out DIR"
    )


def run(arm: str, sparsity: float, seed: int, folder: Path) -> None:
    """One search, and what it came to, epoch by epoch."""
    words = command(arm, sparsity).replace("SEED", str(seed)).replace("DIR", str(folder)).split()
    printed = io.StringIO()
    with redirect_stdout(printed):
        if tombola([*words[1:], "--resume", "--json"]):
            raise SystemExit(f"jackpot.py: a search has failed: {' '.join(words)}")
        found = json.loads(printed.getvalue())
        printed.seek(printed.truncate(0))
        tombola(["inspect", found["ticket"], "--json"])
    counted = json.loads(printed.getvalue())
    epochs = [json.loads(line) for line in Path(found["metrics"]).read_text().splitlines()]
    result = {
        "arm": arm,
        "sparsity": sparsity,
        "seed": seed,
        "steps": found["epochs"] * -(-counted["provenance"]["training samples"] // found["batch"]),
        **{key: found[key] for key in ("float_accuracy", "integer_accuracy", "seconds")},
        **{key: counted[key] for key in ("weights", "kept_weights", "mask_bits", "model_bytes")},
        "curve": [epoch["test_accuracy"] for epoch in epochs],
        "settings": {
            key: found[key]
            for key in ("epochs", "batch", "learning_rate", "momentum", "weight_decay", "norm")
        },
    }
    write_atomically(folder / "result.json", f"{json.dumps(result)}\n".encode())


def pretrained() -> dict[str, str | float]:
    """The network as it was trained, on the same images."""
    network, images = load_network("resnet8"), load("cifar10")
    model = Wired(network.layers, image=network.input).eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(images.test_images[:TEST_SAMPLES]).float())
    right = logits.argmax(1).numpy() == images.test_labels[:TEST_SAMPLES]
    return {"name": PRETRAINED, "digest": network.digest, "float_accuracy": float(right.mean())}


def wanted() -> list[tuple[str, float, int]]:
    """Every search: the first seed of all arms, then the others."""
    every = [
        (arm, sparsity, seed)
        for arm, found in ARMS.items()
        for sparsity in found.sparsities
        for seed in found.seeds
    ]
    return sorted(every, key=lambda one: one[2])


def place(work: Path, arm: str, sparsity: float, seed: int) -> Path:
    """The folder of one search."""
    return work / f"{arm}-{sparsity:g}-{seed}"


def keep(work: Path) -> None:
    """A record for each arm of which something is done."""
    HERE.mkdir(exist_ok=True)
    text = json.dumps(pretrained(), indent=1)
    write_atomically(HERE / f"{PRETRAINED}.json", f"{text}\n".encode())
    for arm in ARMS:
        paths = [place(work, *one) / "result.json" for one in wanted() if one[0] == arm]
        runs = [json.loads(path.read_text()) for path in paths if path.exists()]
        if runs:
            runs.sort(key=lambda found: (found["sparsity"], found["seed"]))
            record = {
                "name": arm,
                "commands": [command(arm, sparsity) for sparsity in ARMS[arm].sparsities],
                "environment": environment(),
                "runs": runs,
            }
            text = json.dumps(record, indent=1)
            write_atomically(HERE / f"{arm}.json", f"{text}\n".encode())


def main() -> None:
    """Runs what is missing until the minutes are over, and writes the records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    for one in wanted():
        folder = place(args.work, *one)
        if not (folder / "result.json").exists() and time.monotonic() < end:
            run(*one, folder)
    keep(args.work)


if __name__ == "__main__":
    main()
