"""The board's end of the host link as `tombola.spec.link` tells it, without any hardware."""

from collections.abc import Callable

from tombola.spec.link import (
    ANSWER,
    MAX_REQUEST_WORDS,
    MAX_WORDS,
    READS,
    WRITES,
    Command,
    Frame,
    Order,
    order,
)


class LinkModel:
    """Executes requests on a bus of two functions."""

    def __init__(self, *, read: Callable[[int], int], write: Callable[[int, int], None]):
        self._read, self._write = read, write
        self.last: int | None = None

    def answer(self, frame: Frame) -> Frame | None:
        """What the board answers; None while a WAIT waits: ask again."""
        refusal = Frame(sequence=frame.sequence, command=Command.NAK)
        count = len(frame.words)
        assert count <= MAX_REQUEST_WORDS, "the receiver drops it"
        sound = frame.command in WRITES | READS and count >= 2
        again = False
        if sound and frame.command != Command.RESET:
            if self.last is None:
                return refusal
            place = order(frame.sequence, self.last)
            sound, again = place is not Order.GAP, place is Order.AGAIN
        if not sound:
            return refusal
        if not again:
            self.last = frame.sequence
        address, *words = frame.words
        if frame.command in WRITES:
            if not again:
                for offset, word in enumerate(words):
                    self._write(address + offset, word)
        else:
            count = words[0] & MAX_WORDS
            if frame.command == Command.WAIT and self._read(address) & 1:
                return None
            words = [self._read(address + offset) for offset in range(count)]
        return Frame(
            sequence=frame.sequence, command=ANSWER | frame.command, words=tuple(words)
        )
