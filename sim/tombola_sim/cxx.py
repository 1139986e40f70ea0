"""Compiles the C++ that Verilator writes: the runtime once a tool version, the model each time.

Verilator's own makefile compiles its runtime anew for each model (6 of the 9 seconds of a small
one), stops at blanks in a path, and as a wheel trips over its precompiled header. It says what to
compile as JSON, too, and that is what this module goes by.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tombola.spec.errors import ToolError

STANDARD = ("-std=c++20",)  # coroutines carry the clock of the harness
RUNTIME_OPTIMISATION = "-O2"
MODEL_OPTIMISATION = "-O1"
SETUP_OPTIMISATION = "-O0"  # runs once, at the start


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A C++ compiler: its command and the first line of `--version`."""

    command: str
    version: str


def find() -> Compiler:
    """`CXX` from the environment, else g++, c++ or clang++.

    Raises
    ------
    ToolError
        If none of them runs.
    """
    wanted = os.environ.get("CXX")
    for name in (wanted,) if wanted else ("g++", "c++", "clang++"):
        command = shutil.which(name)
        if command is None:
            continue
        answer = subprocess.run([command, "--version"], capture_output=True, text=True)
        if answer.returncode == 0:
            return Compiler(command=command, version=answer.stdout.splitlines()[0])
    if wanted:
        raise ToolError(f"CXX names the C++ compiler {wanted}, which does not run")
    raise ToolError("co-simulation needs a C++ compiler; install g++ (or clang) or set CXX")


def has_headers(compiler: Compiler, headers: Sequence[str]) -> bool:
    """Whether all of these headers are there to be included."""
    if not headers:
        return True
    source = "".join(f"#include <{header}>\n" for header in headers)
    command = [compiler.command, "-x", "c++", "-fsyntax-only", "-"]
    return not subprocess.run(command, input=source.encode(), capture_output=True).returncode


def compile_model(
    description: Path,
    output: Path,
    *,
    compiler: Compiler,
    main: Path,
    link: Sequence[str],
    runtime_cache: Path,
    log: Path,
    optimisation: str = MODEL_OPTIMISATION,
) -> None:
    """Compiles and links one Verilated model.

    Parameters
    ----------
    description : Path
        What `verilator --make json` wrote beside the model's C++.
    output : Path
        The program.
    main : Path
        C++ file with `main`.
    link : sequence of str
        Further arguments of the link.
    runtime_cache : Path
        Folder that keeps Verilator's compiled runtime.
    log : Path
        Gets what the compiler says.
    optimisation : str
        Of the model's clocks and of `main`.

    Raises
    ------
    ToolError
        If the compiler fails; the line names the log.
    """
    build = json.loads(description.read_text())
    sources, root = build["sources"], Path(build["system"]["verilator_root"])
    flags = [*STANDARD, *_flags(build["options"], root), f"-I{description.parent}"]
    objects = []
    jobs = []
    for kind, level in (
        ("classes_fast", optimisation),
        ("support_fast", optimisation),
        ("classes_slow", SETUP_OPTIMISATION),
        ("support_slow", SETUP_OPTIMISATION),
    ):
        jobs += [(Path(source), level) for source in sources.get(kind, [])]
    jobs.append((main, optimisation))
    for source, level in jobs:
        target = description.parent / f"{source.stem}.o"
        objects.append((source, target, [*flags, level]))
    runtime = _runtime_objects(sources["global"], flags, build["options"], compiler, runtime_cache)
    _compile(compiler, objects + [job for job in runtime if not job[1].exists()], log)
    files = [str(target) for _, target, _ in objects + runtime]
    _call([compiler.command, "-o", str(output), *files, "-pthread", *link], log)


def _flags(options: dict[str, object], root: Path) -> list[str]:
    defines = {"VERILATOR": 1, "VM_COVERAGE": 0, "VM_SC": 0, "VM_TIMING": options["use_timing"]}
    for name in ("trace", "trace_fst", "trace_vcd", "trace_saif"):
        defines[f"VM_{name.upper()}"] = options[name]
    include = root / "include"
    return [
        *(f"-D{name}={int(bool(value))}" for name, value in defines.items()),
        f"-I{include}",
        f"-I{include / 'vltstd'}",
    ]


Job = tuple[Path, Path, list[str]]


def _runtime_objects(
    sources: Sequence[str],
    flags: Sequence[str],
    options: dict[str, object],
    compiler: Compiler,
    cache: Path,
) -> list[Job]:
    key = hashlib.sha256(
        json.dumps([compiler.command, compiler.version, RUNTIME_OPTIMISATION, options]).encode()
    )
    for source in sources:
        key.update(Path(source).read_bytes())
    folder = cache / key.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    # The model's own folder stands last and holds nothing that the runtime includes.
    arguments = [*flags[:-1], RUNTIME_OPTIMISATION]
    return [(Path(source), folder / f"{Path(source).stem}.o", arguments) for source in sources]


def _compile(compiler: Compiler, jobs: Sequence[Job], log: Path) -> None:
    def one(job: Job) -> None:
        source, target, arguments = job
        # Written under another name first, so that an object in a cache is always whole.
        part = target.with_name(f"{target.name}.{os.getpid()}")
        _call([compiler.command, *arguments, "-c", "-o", str(part), str(source)], log)
        part.replace(target)

    # The largest file first: it decides when the last one is done.
    ordered = sorted(jobs, key=lambda job: -job[0].stat().st_size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, ordered))


def _call(command: Sequence[str], log: Path) -> None:
    answer = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    with log.open("ab") as file:
        file.write(" ".join(command).encode() + b"\n" + answer.stdout)
    if answer.returncode:
        raise ToolError(f"the C++ compiler failed on the simulated model; its log is {log}")
