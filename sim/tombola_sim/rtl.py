"""A folder of Verilog as `tombola rtl` writes it: sources, top and the engine's config."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, ToolError

DESIGN_FILE = "design.json"
LIST_FILE = "files.f"
TOP = "tombola_engine"


@dataclass(frozen=True, kw_only=True)
class RtlDirectory:
    """One engine as Verilog.

    Attributes
    ----------
    path : Path
    config : EngineConfig
        What the Verilog was generated for, as `design.json` states it.
    sources : tuple of Path
        Verilog files, in the order of `files.f`.
    """

    path: Path
    config: EngineConfig
    sources: tuple[Path, ...]


def load(path: Path) -> RtlDirectory:
    """Reads and checks a folder of generated Verilog.

    Raises
    ------
    ToolError
        If a file is missing or damaged, or the parameters make no engine.
    """
    design = _design(path)
    if design.get("top") != TOP:
        raise ToolError(f"{path / DESIGN_FILE}: top must be {TOP}, not {design.get('top')}")
    config = design.get("config")
    if not isinstance(config, dict):
        raise ToolError(f"{path / DESIGN_FILE} has no config; generate it again: tombola rtl")
    try:
        engine = EngineConfig(**config)
    except (TypeError, ConfigError) as error:
        raise ToolError(f"{path / DESIGN_FILE}: config is of no engine: {error}") from None
    return RtlDirectory(path=path, config=engine, sources=_sources(path))


def _design(path: Path) -> dict[str, Any]:
    file = path / DESIGN_FILE
    try:
        design = json.loads(file.read_text())
    except OSError as error:
        raise ToolError(
            f"cannot read {file}: {error.strerror}; write the folder with tombola rtl --out {path}"
        ) from None
    except ValueError as error:
        raise ToolError(f"{file} is not JSON: {error}; generate it again: tombola rtl") from None
    if not isinstance(design, dict):
        raise ToolError(f"{file} must hold an object; generate it again: tombola rtl")
    return design


def _sources(path: Path) -> tuple[Path, ...]:
    file = path / LIST_FILE
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        raise ToolError(f"cannot read {file}; generate it again: tombola rtl") from None
    sources = tuple(path / line for line in lines if line and not line.startswith(("#", "//")))
    if not sources:
        raise ToolError(f"{file} names no Verilog; generate it again: tombola rtl")
    for source in sources:
        if not source.is_file():
            raise ToolError(f"{file} names {source.name}, which is missing; generate it again")
    return sources
