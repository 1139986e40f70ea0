"""A programmer of boards as a small program on PATH, which says what a test wants."""

import json
import os
import shlex
import sys
from pathlib import Path


class FakeProgrammer:
    """Writes programs into a folder that comes first on PATH, and tells how they were called."""

    def __init__(self, folder: Path, monkeypatch):
        self._folder, self._calls = folder, folder / "calls"
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def install(self, name: str, *, says: str = "done", status: int = 0) -> None:
        """A program that prints and ends so; asked for its version it says 0.10."""
        body = f"""
import json, sys
if sys.argv[1:] == ["--Version"]:
    print("openFPGALoader v0.10.0")
    sys.exit(0)
content = open(sys.argv[-1], "rb").read().hex()
with open({str(self._calls)!r}, "a") as calls:
    calls.write(json.dumps([{name!r}, *sys.argv[1:-1], content]) + "\\n")
sys.stderr.write({says!r})
sys.exit({status})
"""
        script = self._folder / f"{name}.py"
        script.write_text(body)
        program = self._folder / name
        run = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(script))}"
        program.write_text(f'#!/bin/sh\n{run} "$@"\n')
        program.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """Name, arguments and, last, the bytes of the bitstream in hexadecimal."""
        if not self._calls.exists():
            return []
        return [json.loads(line) for line in self._calls.read_text().splitlines()]
