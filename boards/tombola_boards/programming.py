"""Brings a bitstream onto a board with the board's programmer, and says what is wrong if it fails.
"""

import re
import subprocess
from pathlib import Path

from tombola.spec.errors import ConfigError, DeviceError, TombolaError, ToolError
from tombola.spec.programs import Tool
from tombola_boards.board import Board
from tombola_boards.tools import find_tool

PATIENCE = 600.0
"""Seconds; the largest flash takes about one minute to erase, write and read back."""
RULE = "the udev rule of docs/boards.md"

# What a program says as it fails, to what it means. The first that is found counts.
CAUSES = (
    (
        r"usb_open\(\) failed|LIBUSB_ERROR_ACCESS|[Pp]ermission denied",
        "no permission to program the {board} over USB; install {rule} and plug the board in again",
    ),
    (
        # iceprog says so as well if it may not open the board.
        r"Can't find iCE FTDI USB device",
        "{tool} finds no {board}; plug it in, and if it is, install {rule}",
    ),
    (
        r"device not found|[Nn]o device found|No DFU compatible device|Failed to claim cable",
        "{tool} finds no {board}; check the cable and the power, and what tombola board info "
        "{board} says of both",
    ),
    (
        r"cannot find board",
        "{tool} {version} does not know the {board}; install a newer one, as its page "
        "https://trabucayre.github.io/openFPGALoader says",
    ),
)
# iceprog ends with status 0 even if the part does not start from what it wrote.
NOT_STARTED = r"cdone: low\s+Bye"


def way_to(board: Board, *, flash: bool) -> tuple[str, ...]:
    """The programmer's arguments; into flash as well where the board has no other way.

    Raises
    ------
    ConfigError
        If flash is wanted and the board does not boot from one.
    """
    programmer = board.programmer
    if flash and programmer.flash is None:
        raise ConfigError(f"{board.name} has no flash that it boots from; leave --flash out")
    way = programmer.flash if flash or programmer.sram is None else programmer.sram
    assert way is not None, f"{board.name} cannot be programmed at all"
    return way


def find_programmer(board: Board) -> Tool:
    """The program that programs a board.

    Raises
    ------
    ToolError
        If it is missing; with how to get it.
    """
    return find_tool(board.programmer.tool)


def command(board: Board, bitstream: Path, *, flash: bool) -> list[str]:
    """The programmer's command line, as a person would type it."""
    return [board.programmer.tool, *way_to(board, flash=flash), str(bitstream)]


def program(board: Board, bitstream: Path, *, flash: bool = False) -> None:
    """Programs a board; returns once the programmer says that it is done.

    Parameters
    ----------
    board : Board
    bitstream : Path
    flash : bool
        So that the board boots from it after power-on.

    Raises
    ------
    ConfigError
        If there is no such file or no flash.
    ToolError
        If the programmer is missing or fails; with its own words.
    DeviceError
        If the board is not there, may not be opened, or does not start.
    """
    if not bitstream.is_file():
        raise ConfigError(f"there is no bitstream {bitstream}; leave it out to build one")
    tool = find_programmer(board)
    arguments = command(board, bitstream, flash=flash)[1:]
    try:
        done = subprocess.run(
            [*tool.argv, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{tool.name} did not end within {PATIENCE:g} s; unplug the {board.name}, plug it in "
            "and program it again"
        ) from None
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode(errors="replace"))
    if re.search(NOT_STARTED, said):
        raise DeviceError(
            f"the {board.name} does not start from what {tool.name} wrote; unplug it, plug it in "
            "and program it again"
        )
    if done.returncode != 0:
        raise _failure(board, tool, said, done.returncode)


def _failure(board: Board, tool: Tool, said: str, status: int) -> TombolaError:
    for pattern, meaning in CAUSES:
        if re.search(pattern, said):
            words = {"tool": tool.name, "version": tool.version_text, "rule": RULE}
            return DeviceError(meaning.format(board=board.name, **words))
    lines = said.replace("\r", "\n").strip().splitlines() or ["it said nothing"]
    return ToolError(
        f"{tool.name} failed with status {status}: {lines[-1].strip()}; unplug the {board.name}, "
        "plug it in and program it again"
    )
