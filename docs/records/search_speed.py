"""What a step of the search costs: `search_speed.py` measures it and writes records, one a network.

Let nothing else run meanwhile. The section of the results page is made from the records.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from record import environment
from text import paragraph

HERE = Path(__file__).parent / "search-speed"
ROOT = HERE.parents[2]
COMMAND = "python bench/search_speed.py --steps 30 --json"
THREADS = (1, 2)


def main() -> None:
    """Measures with so many threads each."""
    HERE.mkdir(exist_ok=True)
    for threads in THREADS:
        done = subprocess.run(
            [sys.executable, *shlex.split(COMMAND)[1:]],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            check=True,
        )
        for found in json.loads(done.stdout):
            record = {
                "command": f"OMP_NUM_THREADS={threads} {COMMAND}",
                "environment": environment(),
                **found,
            }
            path = HERE / f"{found['network']}-{threads}.json"
            path.write_text(json.dumps(record, indent=2) + "\n")


def records() -> list[dict]:
    """All of them, by network and threads."""
    return [json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))]


def _cost(spread: dict) -> str:
    return f"{spread['median']:.2f} ({spread['lower']:.2f} to {spread['upper']:.2f})"


def section() -> str:
    """The section of the results page."""
    found = records()
    costs = [
        "| network | threads | cost by the clock | on the processor | against channels last | "
        "images a second |",
        "|---|---|---|---|---|---|",
    ]
    parts = [
        "| network | threads | dense | dense, channels last | search | selection | masking | "
        "rounding | ReLU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        name = f"| {each['network']} | {each['threads']} | "
        dense, last = each["cost"]["dense"], each["cost"]["dense, channels last"]
        shown = (_cost(dense["clock"]), _cost(dense["processor"]), _cost(last["clock"]))
        speed = each["images_a_second"]["search"]
        costs.append(f"{name}{' | '.join(shown)} | {speed:.0f} |")
        times = (f"{clock:.1f}" for clock, _ in each["milliseconds"].values())
        parts.append(f"{name}{' | '.join(times)} |")
    steps, batch = found[0]["steps"], found[0]["batch"]
    text = (
        "A step of the search (edge-popup) in steps of ordinary training: the same network, dense, "
        f"in float32, batches of {batch}. Both run by turns in one process; medians of {steps} "
        "turns, with quartiles. PyTorch lays maps out channels first unless told otherwise; the "
        "search has them channels last, so the third comparison is with a dense network that has "
        "them too."
    )
    rest = (
        "Milliseconds a step by the clock, and those that the search's own parts take by "
        "themselves. Rounding stands where the dense network has its ReLU; the rest of a step is "
        "convolutions, norms and poolings."
    )
    commands = "\n".join(f"    {command}" for command in sorted({x["command"] for x in found}))
    return "\n\n".join(
        [
            "## What searching costs",
            paragraph(text),
            commands,
            paragraph(f"On a {found[0]['environment']}, which ran other work besides."),
            "\n".join(costs),
            paragraph(rest),
            "\n".join(parts),
        ]
    )


if __name__ == "__main__":
    main()
