"""A program that serves a board in Python behind a pseudo-terminal; prints the terminal's path.

Arguments: ``ok``, or ``quiet`` (prints nothing and ends), ``wrong`` (complains and ends), ``dies``
(ends after a while), ``still`` (serves, but its time stands still from then on).
"""

import os
import select
import struct
import sys
import tempfile
import time
import tty

from support.fake_device import make_board, small_network


def main(manner: str) -> int:
    """Serves until it is ended."""
    if manner == "quiet":
        return 0
    if manner == "wrong":
        sys.stderr.write("building\ntombola: error: board must be one of a, b, not c\n")
        return 2
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    board = make_board(small_network().build())
    began = time.monotonic()
    with tempfile.NamedTemporaryFile() as numbers:
        tell(numbers, 0.0)
        sys.stdout.write(f"{os.ttyname(theirs)}\n{numbers.name}\n")
        sys.stdout.flush()
        while (now := time.monotonic() - began) < (0.3 if manner == "dies" else 300):
            if manner != "still" or now < 0.3:
                tell(numbers, now)
            if select.select([ours], [], [], 0.001)[0]:
                board.write(os.read(ours, 4096))
            if answer := board.read(0.002):
                os.write(ours, answer)
    return 3


def tell(numbers, seconds: float) -> None:
    """A clock of 24 MHz and a line of 1 Mbaud."""
    clocks = int(24e6 * seconds)
    numbers.seek(0)
    numbers.write(struct.pack("=5Q", 24_000_000, 24, clocks, clocks, 1))
    numbers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
