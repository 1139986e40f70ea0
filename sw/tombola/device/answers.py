"""Finds the board's answers among the bytes that come, damaged ones included."""

from dataclasses import dataclass

from tombola.spec.errors import ConfigError
from tombola.spec.link import (
    ANSWER,
    CRC_BYTES,
    HEADER_BYTES,
    SYNC,
    UNSENT,
    Command,
    Frame,
    frame_bytes,
    parse,
)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the answer to a request must look like.

    Attributes
    ----------
    command : int
        Of the answer.
    count : int
        Words of its payload, sent or not.
    unsent : tuple of int
        Those words, where they are not sent.
    """

    command: int
    count: int
    unsent: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return frame_bytes(bytes([SYNC, 0, self.command, self.count]))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer to a request that was sent.

    Attributes
    ----------
    sequence : int
    words : tuple of int
        As they came.
    refused : bool
        It is NAK.
    matches : bool
        False: the CRC is one over other words than those expected, or it was damaged on the way.
    crc : int
    """

    sequence: int
    words: tuple[int, ...] = ()
    refused: bool = False
    matches: bool = True
    crc: int = 0


class AnswerReader:
    """Collects bytes and takes answers out of them.

    A header counts only if it answers a request with that sequence number, so that a sync byte
    within damaged data hardly ever makes the reader wait for a frame that is none.

    Attributes
    ----------
    skipped : int
        Bytes that belonged to no answer.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._bytes = bytearray()
        self._expected: dict[int, Expectation] = {}

    def expect(self, sequence: int, expectation: Expectation) -> None:
        """From now on an answer with this sequence number must look like this."""
        self._expected[sequence] = expectation

    def clear(self) -> None:
        """Forgets all bytes and expectations."""
        self._bytes.clear()
        self._expected.clear()

    def feed(self, content: bytes) -> list[Answer]:
        """The answers that are complete now."""
        self._bytes += content
        answers = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        return answers

    def give_up(self) -> list[Answer]:
        """Nothing more came: what looks like the beginning of an answer is none."""
        if self._bytes:
            self._skip()
        return self.feed(b"")

    def _skip(self) -> None:
        del self._bytes[0]
        self.skipped += 1

    def _next(self) -> Answer | None:
        while True:
            start = self._bytes.find(SYNC)
            gone = len(self._bytes) if start < 0 else start
            self.skipped += gone
            del self._bytes[:gone]
            if len(self._bytes) < HEADER_BYTES:
                return None
            header = bytes(self._bytes[:HEADER_BYTES])
            expected = self._expectation(header)
            if expected is None:
                self._skip()
                continue
            size = frame_bytes(header)
            if len(self._bytes) < size:
                return None
            content = bytes(self._bytes[:size])
            try:
                frame = parse(content, unsent=expected.unsent)
            except ConfigError:
                crc = int.from_bytes(content[-CRC_BYTES:], "little")
                self._skip()
                if expected.command in UNSENT:
                    return Answer(sequence=header[1], matches=False, crc=crc)
                continue
            del self._bytes[:size]
            return Answer(
                sequence=frame.sequence,
                words=frame.words,
                refused=frame.command == Command.NAK,
            )

    def _expectation(self, header: bytes) -> Expectation | None:
        _, sequence, command, count = header
        expected = self._expected.get(sequence)
        if expected is None:
            return None
        if command == Command.NAK and count == 0:
            return Expectation(command=Command.NAK, count=0)
        return expected if (command, count) == (expected.command, expected.count) else None


def expectation(request: Frame, words: tuple[int, ...] = ()) -> Expectation:
    """Of the answer to a request; `words` are those that a CHECK must find."""
    command = ANSWER | request.command
    if request.command in (Command.READ, Command.WAIT):
        return Expectation(command=command, count=request.words[1])
    unsent = words if request.command == Command.CHECK else request.words[1:]
    return Expectation(command=command, count=len(unsent), unsent=unsent)


