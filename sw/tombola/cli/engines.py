"""The engine that a file describes: a plan, or what was generated or built."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError

if TYPE_CHECKING:
    from tombola_boards.board import Board


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


def add_clock(parser: argparse.ArgumentParser) -> None:
    """The option --clock."""
    parser.add_argument(
        "--clock",
        type=float,
        metavar="MHZ",
        help="of the engine, in place of the board's own; on boards with an ECP5",
    )


def at_clock(board: "Board", mhz: float | None) -> "Board":
    """The board with a clock that --clock asks for, or as it is."""
    if mhz is None:
        return board
    if not 0 < mhz < 1e4:
        raise ConfigError(f"clock must be above 0 MHz, not {mhz:g}")
    return board.at_clock(round(mhz * 1e6))


def with_engine(board: "Board", path: Path) -> "Board":
    """The board with the engine that a file describes, at the clock that it was planned for.

    Raises
    ------
    ConfigError
        If it describes no engine, one for another board, or a clock that the board cannot have.
    """
    document = _read(path)
    whose = document.get("board", board.name)
    if whose != board.name:
        raise ConfigError(
            f"engine must be one for {board.name}, not for {whose} as {path} says; plan it again "
            f"with --board {board.name}"
        )
    mhz = document.get("clock_mhz")
    if mhz is not None and type(mhz) not in (int, float):
        raise ConfigError(f"{path} describes no engine: clock_mhz must be a number, not {mhz!r}")
    return replace(at_clock(board, mhz), config=_config(document, path))


def read_engine(path: Path) -> EngineConfig:
    """The engine that a file describes: JSON with the parameters as ``config``.

    Raises
    ------
    ConfigError
        If it describes none.
    """
    return _config(_read(path), path)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(
            f"{path} must be JSON, as tombola plan --json prints it: {error}"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise ConfigError(
            f"{path} must hold the config of an engine, as tombola plan --json prints it"
        )
    return document


def _config(document: dict[str, Any], path: Path) -> EngineConfig:
    try:
        return EngineConfig(**document["config"])
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"{path} describes no engine: {error}") from None
