"""Writes a compiled ticket to a board and verifies it there."""

from collections.abc import Callable, Iterator

import numpy as np

from tombola.compiler.program import Program
from tombola.device.link import Link
from tombola.spec.errors import DeviceError
from tombola.spec.link import MAX_REQUEST_WORDS, Command
from tombola.spec.registers import ADDRESS, Window

WRITE_WORDS = MAX_REQUEST_WORDS - 1
LAST_WORDS = 9
"""Their request is as long as the board needs for the longest one, and done in the time of the
shortest: see `tombola.spec.link.busy_bytes`."""
ATTEMPTS = 3
REGISTERS = ("program", "layers", "seed_low", "seed_high")


def registers(program: Program) -> tuple[int, ...]:
    """What `REGISTERS` hold while this program is loaded."""
    written = {address: int(words[0]) for address, words in program.writes if words.size == 1}
    return tuple(written[ADDRESS[name]] for name in REGISTERS)


def requests(address: int, words: np.ndarray) -> list[tuple[int, ...]]:
    """Payloads of the WRITEs that bring words to an address and those after it.

    The last of them is short, so that it is done as soon as a short request can follow.
    """
    tail = max(0, words.size - LAST_WORDS)
    return [
        (address + start + at, *part)
        for start, stop in ((0, tail), (tail, words.size))
        for at, part in _parts(words[start:stop], WRITE_WORDS)
    ]


def load(link: Link, program: Program, progress: Callable[[int, int], None]) -> None:
    """Writes all of a program.

    The board's answers prove each word that went over its bus. The ticket memory, which can be
    read, is read back by checksum as well; the requantisation table cannot.

    Raises
    ------
    DeviceError
        If the memory does not hold what was written, or the board does not answer.
    """
    total = sum(words.size for _, words in program.writes)
    done = 0
    for address, words in program.writes:
        if not words.size:
            continue
        for at, part in _parts(words, WRITE_WORDS):
            link.send(Command.WRITE, address + at, *part)
            done += len(part)
            progress(done, total)
        if address >> 20 == Window.TICKET:
            _verify(link, address, words)
    link.finish()


def _verify(link: Link, address: int, words: np.ndarray) -> None:
    checks = [
        (at, part, link.send(Command.CHECK, address + at, len(part), expected=part))
        for at, part in _parts(words, WRITE_WORDS)
    ]
    link.finish()
    for at, part, check in checks:
        for _ in range(ATTEMPTS):
            if check.matches:
                break
            link.send(Command.WRITE, address + at, *part)
            check = link.send(Command.CHECK, address + at, len(part), expected=part)
            link.finish()
        if not check.matches:
            raise DeviceError(
                f"the board's ticket memory does not keep words {at} to {at + len(part) - 1}; "
                "check its power supply, and that its bitstream met the clock when it was built"
            )


def _parts(words: np.ndarray, size: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    for at in range(0, words.size, size):
        yield at, tuple(words[at : at + size].tolist())
