"""A program that serves a board in Python behind a pseudo-terminal; prints the terminal's path.

Arguments: ``ok``, or ``quiet`` (prints nothing and ends), ``wrong`` (complains and ends), ``dies``
(ends after a while).
"""

import os
import select
import sys
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
    sys.stdout.write(f"{os.ttyname(theirs)}\n")
    sys.stdout.flush()
    board = make_board(small_network().build())
    until = time.monotonic() + (0.3 if manner == "dies" else 300)
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.001)[0]:
            board.write(os.read(ours, 4096))
        if answer := board.read(0.002):
            os.write(ours, answer)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
