"""Inferences a second of the driver on a virtual board, against what line and engine allow.

Time is the board's: clocks of the simulation, not of this computer. While the host works the
simulation goes on, at a tenth or less of a real board's speed, so that the host's own time counts
only so much.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tombola import data
from tombola.device import Device
from tombola.device.timing import BITS_A_BYTE
from tombola.device.virtual import VirtualBoard
from tombola.model.integer import IntegerModel
from tombola.spec import ticket_file
from tombola.spec.ticket import Ticket

# Handwritten digits after one epoch, 70 % of the weights frozen: a ticket for every board.
SMALL = "digits-cnn"
SEARCH = ("--preset", SMALL, "--epochs", "1", "--prune", "0.35", "--lock", "0.35")


def small_ticket() -> Ticket:
    """Searches it, within seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tombola.cli.main", "search", *SEARCH, "--out", folder]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return ticket_file.load(Path(folder) / f"{SMALL}.ticket")


def measure(
    name: str, ticket: Ticket, pixels: np.ndarray, *, baud: int | None = None
) -> dict[str, Any]:
    """Runs images on the virtual board `name`, compares every logit, and counts.

    What the line allows is given by the bytes that went over it, in the direction of more; what
    the engine allows by the clocks it counted itself.
    """
    with VirtualBoard(name, baud=baud) as board, Device(board, board=name) as device:
        device.load(ticket)
        before = _counts(board, device)
        began = time.monotonic()
        results = device.infer(pixels)
        host_seconds = time.monotonic() - began
        spent = {key: value - before[key] for key, value in _counts(board, device).items()}
    byte_seconds = BITS_A_BYTE / board.baud
    cycles = float(results.latency_cycles.mean())
    clock_hz = board.time.clock_hz
    allowed = {
        "link": len(pixels) / (max(spent["sent"], spent["received"]) * byte_seconds),
        "engine": clock_hz / cycles,
    }
    rate = len(pixels) * clock_hz / spent["clocks"]
    binds = min(allowed, key=lambda limit: allowed[limit])
    return {
        "board": name,
        "geometry": device.info.config.geometry,
        "clock_hz": clock_hz,
        "baud": board.baud,
        "images": len(pixels),
        "exact": np.array_equal(results.logits, IntegerModel(ticket).logits(pixels)),
        "inferences_per_second": rate,
        "link_allows": allowed["link"],
        "engine_allows": allowed["engine"],
        "binds": binds,
        "ratio": rate / allowed[binds],
        "bytes_to_board": spent["sent"] / len(pixels),
        "bytes_from_board": spent["received"] / len(pixels),
        "engine_clocks": cycles,
        "clocks": spent["clocks"],
        "simulated_clocks": spent["simulated"],
        "host_seconds": host_seconds,
        "simulated_clocks_per_host_second": spent["simulated"] / host_seconds,
    }


def _counts(board: VirtualBoard, device: Device) -> dict[str, int]:
    return {
        "clocks": board.time.clocks,
        "simulated": board.time.simulated,
        "sent": device.statistics.bytes_sent,
        "received": device.statistics.bytes_received,
    }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--board", default="icebreaker")
    parser.add_argument("--baud", type=int, help="of the line, in place of the board's own")
    parser.add_argument("--ticket", type=Path, help="in place of a small one of digits")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args()
    ticket = small_ticket() if args.ticket is None else ticket_file.load(args.ticket)
    pixels = data.load(str(ticket.provenance["dataset"])).test_images[: args.images]
    found = measure(args.board, ticket, pixels, baud=args.baud)
    if args.json:
        print(json.dumps(found, indent=2))  # noqa: T201
    else:
        for name, value in found.items():
            shown = f"{value:,.3f}" if isinstance(value, float) else value
            print(f"{name:34} {shown}")  # noqa: T201
    return 0 if found["exact"] else 1


if __name__ == "__main__":
    sys.exit(main())
