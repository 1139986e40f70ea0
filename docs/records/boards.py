"""Keeps figures of boards' builds and writes docs/boards-table.md of them.

`boards.py keep DIR ...` copies what `tombola build --out DIR` wrote there into a record; then, as
without arguments, the page is written from the boards and their records. Nothing in it is typed
by hand.
"""

import argparse
import json
import shlex
from pathlib import Path

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, TombolaError
from tombola.spec.paths import write_atomically
from tombola_boards.board import Board
from tombola_boards.build_cache import RESULT
from tombola_boards.registry import BOARDS, board_named

RECORDS = Path(__file__).parent / "boards"
TARGET = Path(__file__).parents[1] / "boards-table.md"
RESOURCES = {
    "lut4": "LUT4 or logic cells",
    "block_ram": "block RAM",
    "dsp": "multipliers",
    "spram": "large RAM",
}
HEAD = """# The boards

Made by `python docs/records/boards.py` from the boards in `boards/tombola_boards` and the records
in [records/boards](records/boards); a record is what `tombola build --board NAME --out DIR` wrote,
kept by `python docs/records/boards.py keep DIR`. The same programs give the same bitstream on any
machine. No bitstream has been on hardware: cells and clocks are those of the tools. An ECP5-12F is
the die of a 25F, and the tools let all of it be used; Lattice promises half.

## Engines
"""
PROGRAMMING = """
## Programming

`tombola deploy` and `tombola board program` run these lines; FILE is the bitstream. A board keeps
what is in flash and starts from it, and loses what is in SRAM when it is switched off.
"""


def check(record: dict, board: Board) -> None:
    """Refuses a record of another engine than the board's present one.

    Raises
    ------
    ConfigError
        With what differs.
    """
    if "ticket_sha256" in record:
        raise ConfigError(f"record of {board.name} must be of a build without a ticket")
    now = {"clock_mhz": board.clock_mhz, "baud": board.baud, **board.config.to_json()}
    # What an engine could not be told when it was built has its usual value.
    config = EngineConfig(**record["config"])
    then = {"clock_mhz": record["clock_mhz"], "baud": record["baud"], **config.to_json()}
    stale = [f"{name} {now[name]}, not {then[name]}" for name in now if now[name] != then[name]]
    if stale:
        raise ConfigError(
            f"record of {board.name} must have {', '.join(stale)}; build and keep it again"
        )
    if record["fmax_mhz"] < record["clock_mhz"]:
        raise ConfigError(f"record of {board.name} must meet the clock, not {record['fmax_mhz']}")


def keep(folder: Path) -> None:
    """Makes a record of a finished build.

    Raises
    ------
    ConfigError
        If the folder holds none, or one of another engine than the board's own.
    """
    path = folder / RESULT
    if not path.is_file():
        raise ConfigError(f"{folder} must hold the {RESULT} of a build; run tombola build first")
    record = json.loads(path.read_text())
    board = board_named(record["board"])
    check(record, board)
    write_atomically(
        RECORDS / f"{board.name}.json", f"{json.dumps(record, indent=2)}\n".encode()
    )


def load(board: Board) -> dict | None:
    """The record of a board, checked; None if it has not been built."""
    path = RECORDS / f"{board.name}.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text())
    check(record, board)
    return record


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def share(record: dict, name: str) -> str:
    """How much of a resource is used; nothing where the part has none."""
    capacity = record["capacity"][name]
    return f"{record[name]:,} of {capacity:,} ({record[name] / capacity:.0%})" if capacity else ""


def figures(board: Board) -> list[str]:
    """A board's cells in the table of engines."""
    engine = [board.name, board.title, board.config.geometry, str(board.config.macs)]
    record = load(board)
    if record is None:
        return [*engine, "not built yet", *[""] * (len(RESOURCES) + 4)]
    fmax, clock = record["fmax_mhz"], record["clock_mhz"]
    return [
        *engine,
        *(share(record, name) for name in RESOURCES),
        f"{fmax:.1f} MHz",
        f"{clock:g} MHz",
        str(record["seed"]),
        f"{sum(record['seconds'].values()) / 60:.0f} min",
        f"`{record['bitstream_sha256'][:16]}`",
    ]


def line(board: Board, arguments: tuple[str, ...] | None) -> str:
    """A command of a board's programmer."""
    if arguments is None:
        return "-"
    return f"`{shlex.join([board.programmer.tool, *arguments])} FILE`"


def versions() -> str:
    """The programs of the records."""
    tools = {}
    for board in BOARDS.values():
        for name, version in (load(board) or {"tools": {}})["tools"].items():
            tools.setdefault(name, set()).add(version)
    listed = [f"{name} {' and '.join(sorted(found))}" for name, found in sorted(tools.items())]
    return f"\nBuilt with {', '.join(listed)}." if listed else ""


def page() -> str:
    """The whole page."""
    boards = [BOARDS[name] for name in sorted(BOARDS)]
    titles = [
        "board", "what", "rows x lanes", "MACs", *RESOURCES.values(), "fastest clock", "clock",
        "seed", "build", "SHA-256",
    ]
    engines = [row(*titles), row(*["---"] * len(titles)), *(row(*figures(each)) for each in boards)]
    titles = ["board", "into SRAM", "into flash", "what plugs in", "mind"]
    ways = [row(*titles), row(*["---"] * len(titles))]
    for board in boards:
        cable = "; ".join(filter(None, (board.cable, board.adapter)))
        programmer = board.programmer
        ways.append(row(
            f"[{board.name}]({board.page})", line(board, programmer.sram),
            line(board, programmer.flash), cable, board.remark,
        ))
    return "\n".join([HEAD, *engines, versions(), PROGRAMMING, *ways]) + "\n"


def main() -> None:
    """Keeps records if asked to, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(metavar="ACTION")
    keeping = actions.add_parser("keep", help="make records of finished builds, then the page")
    keeping.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    try:
        for folder in getattr(parser.parse_args(), "folders", ()):
            keep(folder)
        write_atomically(TARGET, page().encode())
    except TombolaError as error:
        parser.exit(2, f"boards.py: error: {error}\n")


if __name__ == "__main__":
    main()
