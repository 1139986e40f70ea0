"""Brings a compiled ticket to a board, unless it is there, and verifies it on the chip."""

from collections.abc import Callable, Iterator

import numpy as np

from tombola.compiler.program import Program
from tombola.device.link import Link
from tombola.device.request import Request
from tombola.device.results import check_error
from tombola.spec.errors import DeviceError
from tombola.spec.link import MAX_REQUEST_WORDS, Command
from tombola.spec.registers import ADDRESS, Window

WRITE_WORDS = MAX_REQUEST_WORDS - 1
LAST_WORDS = 9
"""Their request is as long as the board needs for the longest one, and done in the time of the
shortest: see `tombola.spec.link.busy_bytes`."""
ATTEMPTS = 3


def mark(program: Program) -> int:
    """What the register of that name holds while this driver works with a program."""
    return int(program.digest[0])


def requests(address: int, words: np.ndarray) -> list[tuple[int, ...]]:
    """Payloads of the WRITEs that bring words to an address and those after it.

    The last of them is short, so that it is done as soon as a short request can follow.
    """
    tail = max(0, words.size - LAST_WORDS)
    return [
        (address + start + at, *part)
        for start, stop in ((0, tail), (tail, words.size))
        for at, part in _parts(words[start:stop])
    ]


def holds(link: Link, program: Program) -> bool:
    """Whether a board has all of a program.

    The digest at the front of its ticket memory says that the writing of this very program came to
    its end and that no other began since, for `load` sets it last and clears it first; a bitstream
    with the ticket in it has it from power-up. It vouches for the table as well, which cannot be
    read. The rest of the ticket memory is compared by checksum.
    """
    read = link.send(Command.READ, Window.TICKET.base, program.digest.size)
    link.finish(read)
    if read.words != tuple(program.digest.tolist()):
        return False
    checks = _checks(link, Window.TICKET.base, program.ticket_image)
    link.finish()
    return all(check.matches for _, _, check in checks)


def load(link: Link, program: Program, name: str, progress: Callable[[int, int], None]) -> None:
    """Writes all of a program, between a cleared digest and its own.

    The board's answers prove each word that went over its bus. The ticket memory, which can be
    read, is read back by checksum as well; the requantisation table cannot.

    Raises
    ------
    DeviceError
        If the memory does not hold what was written, the engine, whose `name` it says, reports an
        error, or the board does not answer.
    """
    *content, (place, digest) = program.writes
    total = sum(words.size for _, words in program.writes)
    done = 0
    _put(link, place, np.zeros_like(digest))
    for address, words in content:
        for at, part in _parts(words):
            link.send(Command.WRITE, address + at, *part)
            done += len(part)
            progress(done, total)
        status = link.send(Command.READ, ADDRESS["status"], 1)
        link.finish()
        check_error(status.words[0], name)
        if address >> 20 == Window.TICKET:
            _verify(link, address, words)
    _put(link, place, digest)
    progress(total, total)


def _put(link: Link, address: int, words: np.ndarray) -> None:
    link.send(Command.WRITE, address, *words.tolist())
    _verify(link, address, words)


Check = tuple[int, tuple[int, ...], Request]
"""Where some words begin, the words, and the question whether they are there."""


def _checks(link: Link, address: int, words: np.ndarray) -> list[Check]:
    return [
        (at, part, link.send(Command.CHECK, address + at, len(part), expected=part))
        for at, part in _parts(words)
    ]


def _verify(link: Link, address: int, words: np.ndarray) -> None:
    checks = _checks(link, address, words)
    link.finish()
    for at, part, check in checks:
        for _ in range(ATTEMPTS):
            if check.matches:
                break
            link.send(Command.WRITE, address + at, *part)
            check = link.send(Command.CHECK, address + at, len(part), expected=part)
            link.finish()
        if not check.matches:
            first = address + at - Window.TICKET.base
            last = first + len(part) - 1
            raise DeviceError(
                f"the board's ticket memory does not keep words {first} to {last}; "
                "check its power supply, and that its bitstream met the clock when it was built"
            )


def _parts(words: np.ndarray) -> Iterator[tuple[int, tuple[int, ...]]]:
    for at in range(0, words.size, WRITE_WORDS):
        yield at, tuple(words[at : at + WRITE_WORDS].tolist())
