"""One trial in its folder: never searched twice at a time, resumed, its result written whole."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tombola.model.account import account
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError, TombolaError
from tombola.spec.paths import write_atomically

RESULT = "result.json"
LOCK = "lock"
LOG = "search.log"
SEARCHED = ("float_accuracy", "integer_accuracy", "ticket", "ticket_bytes", "seconds")
COUNTED = (
    "weights", "searchable_weights", "mask_bits", "requantisation_bits", "seed_and_mask_bytes",
    "model_bytes", "dense_bytes",
)  # fmt: skip


def run(folder: Path, arguments: list[str]) -> dict[str, Any]:
    """Searches, and counts what was found, unless the folder has the result already.

    A search that was killed goes on from its checkpoint. One that is still running, its sweep being
    dead, is waited for.

    Parameters
    ----------
    folder : Path
        Of this trial alone; made where it is missing.
    arguments : list of str
        For `tombola search`, without output folder.

    Returns
    -------
    dict
        What was found, or under ``error`` why nothing was; an error is not kept, so the next sweep
        tries again.
    """
    try:
        return _run(folder, arguments)
    except (TombolaError, OSError) as error:
        return {"error": str(error)}


def _run(folder: Path, arguments: list[str]) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / LOCK) as lock:
        result = load(folder)
        if result is not None:
            return result
        found = _search([*arguments, f"--out={folder / 'search'}"], folder, lock)
        if "error" in found:
            return found
        result = {name: found[name] for name in SEARCHED}
        if found["ticket"] is not None:
            counted = account(ticket_file.load(Path(found["ticket"])))
            result |= {name: counted[name] for name in COUNTED}
            # Folders move; the ticket stays where it is in them.
            result["ticket"] = str(Path(found["ticket"]).relative_to(folder))
        write_atomically(folder / RESULT, (json.dumps(result, indent=2) + "\n").encode())
        return result


def load(folder: Path) -> dict[str, Any] | None:
    """The result of a finished trial, None if it is not finished.

    Raises
    ------
    ConfigError
        If the file is damaged.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError:
        raise ConfigError(f"{path} is damaged; remove it, and the trial is made anew") from None


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Holds a lock that the search inherits: it lasts until both are gone, however they end."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _search(arguments: list[str], folder: Path, lock: int) -> dict[str, Any]:
    """What `tombola search` prints with ``--json``, or its error; its progress goes to a log."""
    command = [sys.executable, "-m", "tombola.cli.main", "search", *arguments]
    command += ["--resume", "--json"]
    with (folder / LOG).open("w") as log:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=log, pass_fds=(lock,), text=True, check=False
        )
    if done.returncode == 0:
        return json.loads(done.stdout)
    if done.returncode < 0:
        return {"error": f"the search was ended by signal {-done.returncode}; run it again"}
    lines = (folder / LOG).read_text().strip().splitlines() or [f"status {done.returncode}"]
    return {"error": lines[-1].removeprefix("tombola: error: ")}
