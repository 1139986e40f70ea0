"""The engine that a file describes: a plan, or what was generated or built."""

import argparse
import json
from pathlib import Path

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError


def add_engine(parser: argparse.ArgumentParser, *, purpose: str) -> None:
    """The option --engine.

    Parameters
    ----------
    purpose : str
        The beginning of its help.
    """
    parser.add_argument(
        "--engine",
        type=Path,
        metavar="FILE",
        help=f"{purpose} this file describes: what tombola plan --json printed, or the design.json "
        "or build.json of tombola rtl or build",
    )


def read_engine(path: Path, *, board: str | None = None) -> EngineConfig:
    """The engine that a file describes.

    Parameters
    ----------
    path : Path
        JSON with the parameters as ``config``.
    board : str, optional
        A file for another board is refused.

    Raises
    ------
    ConfigError
        If it describes no engine.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(
            f"{path} must be JSON, as tombola plan --json prints it: {error}"
        ) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ConfigError(
            f"{path} must hold the config of an engine, as tombola plan --json prints it"
        )
    whose = document.get("board", board)
    if board not in (None, whose):
        raise ConfigError(
            f"engine must be one for {board}, not for {whose} as {path} says; plan it again with "
            f"--board {board}"
        )
    try:
        return EngineConfig(**config)
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"{path} describes no engine: {error}") from None
