"""Finished builds, found again by the content of everything that went into them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tombola.spec.paths import cache_dir, write_atomically
from tombola.spec.programs import Tool
from tombola_boards.flow import Flow

RESULT = "build.json"
RULES = "registers paired on Gowin; clock and hold times met"
"""What happens to a build and what it had to pass besides its programs; part of its name."""


def cache_key(flow: Flow, tools: Mapping[str, Tool], *, seeds: int) -> str:
    """A name for one build: equal exactly if inputs, arguments, programs and seeds are."""
    steps = (flow.synthesis, flow.place_route, flow.pack)
    everything = {
        "files": dict(flow.files),
        "steps": [[step.tool, *step.arguments] for step in steps],
        "tools": {name: [tool.source, tool.version_text] for name, tool in tools.items()},
        "seeds": seeds,
        "rules": RULES,
    }
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def load(key: str) -> dict[str, bytes] | None:
    """The files of a finished build, or None if there is none."""
    folder = _folder(key)
    # The result is written last, so a build without one was interrupted.
    if not (folder / RESULT).is_file():
        return None
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def store(key: str, files: Mapping[str, bytes]) -> None:
    """Keeps the files of a finished build."""
    write_files(_folder(key), files)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files of a build, its result last."""
    for name in sorted(files, key=lambda name: (name == RESULT, name)):
        write_atomically(folder / name, files[name])


def _folder(key: str) -> Path:
    return cache_dir() / "builds" / key
