"""Programs we call: where one was found, which version it is, and how to say that it is missing."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Tool", "ask_version", "show_version", "wheel_script", "wheel_version"]

# A version question that takes longer than this is a program that hangs.
VERSION_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that was found and is new enough.

    Attributes
    ----------
    name : str
        What the program is called everywhere, such as ``nextpnr-ecp5``.
    argv : tuple of str
        How to call it; arguments are appended.
    version : tuple of int
        Its version; empty if the program cannot tell.
    source : str
        ``system`` for a program on PATH, ``wheel`` for one from a Python package.
    """

    name: str
    argv: tuple[str, ...]
    version: tuple[int, ...] = ()
    source: str = "system"

    @property
    def version_text(self) -> str:
        """The version for people: 5.36, or a dash if it is unknown."""
        return show_version(self.version)


def show_version(version: Sequence[int]) -> str:
    """(5, 36) as 5.36, and no version as a dash."""
    return ".".join(str(part) for part in version) or "-"


def ask_version(argv: Sequence[str], *, pattern: str) -> tuple[int, ...]:
    """The version that a program prints when it is asked, or () if it says none.

    Parameters
    ----------
    argv : sequence of str
        The whole command, such as ``("yosys", "-V")``.
    pattern : str
        Regular expression over stdout and stderr whose first group is the version.
    """
    try:
        answer = subprocess.run(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=VERSION_SECONDS, check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(pattern, answer.stdout.decode(errors="replace"))
    return _numbers(found.group(1)) if found else ()


def wheel_version(distribution: str) -> tuple[int, ...] | None:
    """The version of an installed Python package, to three places; None if it is not there."""
    try:
        return _numbers(importlib.metadata.version(distribution))[:3]
    except importlib.metadata.PackageNotFoundError:
        return None


def wheel_script(name: str) -> Path | None:
    """The command `name` that a Python package installed beside this interpreter, or on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / name
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(name)
    return Path(found) if found else None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
