"""The serial host link: frames, commands, their checksum and their order.

A frame, either way, is

    sync 0x54 | sequence | command | count | payload: count x 4 bytes | CRC-32, 4 bytes

with all multi-byte numbers lowest byte first. The CRC is CRC-32/ISO-HDLC (the one of Ethernet and
zlib) over everything between sync and CRC.

An answer repeats the sequence number; its command is the request's with bit 7 set, or NAK. Its
payload is the words that were written or read, in the order of the accesses. The host knows those
of WRITE, RESET and CHECK: they are counted and covered by the CRC, but not sent, so that 8 bytes
say that exactly these words went over the bus.

Every request has the next sequence number, modulo 256. A request whose answer does not come is
sent again as it was. The board remembers the number of the last request it took and takes the one
that follows. One that it has had already, up to 16 back, is answered again, but writes nothing: a
run is never started twice. One up to 15 too far ahead, since a frame before it was lost, gets NAK.
From power-up to the first RESET everything else gets NAK.

The board executes one request while it receives another: that one waits until the first is done,
and is forgotten if a third begins meanwhile. `tombola.spec.link.busy_bytes` says how long the board
needs at most, so that a host can send requests without a pause and lose none.
"""

import enum
import struct
import zlib
from dataclasses import dataclass

from tombola.spec.errors import ConfigError

SYNC = 0x54
HEADER_BYTES = 4
CRC_BYTES = 4
MAX_WORDS = 63
"""Payload words of a frame."""
MAX_REQUEST_WORDS = 62
"""Payload words of a request: with its header and CRC they fit the board's 256 bytes."""
ANSWER = 0x80
LEAST_DIVISOR = 8
"""Clocks of the board in a bit of its line."""
ORDER_BITS = 5
"""Low bits of a sequence number that tell the next request from old and early ones."""


class Command(enum.IntEnum):
    """What a request asks for."""

    WRITE = 1
    """Payload: address, then 1 to 61 words for it and those after it."""
    READ = 2
    """Payload: address, then how many words, 0 to 63; bits above the lowest 6 are ignored."""
    WAIT = 3
    """As READ, once bit 0 of the first word is 0; a RESET behind it ends it without an answer."""
    RESET = 5
    """As WRITE, whatever its sequence number, from which the board counts on."""
    CHECK = 6
    """As READ, but the words are not sent: the CRC says whether they are those the host expects."""
    NAK = 0x7F
    """Answer, without payload, to an unknown command, a payload of less than 2 words, or a request
    out of order. A frame with a wrong CRC gets no answer: nobody knows what it was."""


WRITES = frozenset({Command.WRITE, Command.RESET})
READS = frozenset({Command.READ, Command.WAIT, Command.CHECK})
UNSENT = frozenset(ANSWER | command for command in {*WRITES, Command.CHECK})
"""Commands of the answers whose payload is left out."""


class Order(enum.Enum):
    """How a request stands to those that the board has taken."""

    NEXT = "next"
    AGAIN = "again"
    GAP = "gap"


def order(sequence: int, last: int) -> Order:
    """Where `sequence` stands if `last` was the number of the request taken last."""
    ahead = (sequence - last - 1) % (1 << ORDER_BITS)
    if ahead == 0:
        return Order.NEXT
    return Order.AGAIN if ahead >= 1 << ORDER_BITS - 1 else Order.GAP


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame.

    Parameters
    ----------
    sequence : int
        0 to 255, chosen by the host.
    command : int
    words : tuple of int
        Payload, sent or not.
    """

    sequence: int
    command: int
    words: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.words) > MAX_WORDS:
            raise ConfigError(f"a frame holds {MAX_WORDS} words at most, not {len(self.words)}")
        for name, value in (("sequence", self.sequence), ("command", self.command)):
            if not 0 <= value <= 0xFF:
                raise ConfigError(f"frame {name} must be between 0 and 255, not {value}")
        for word in self.words:
            if not 0 <= word <= 0xFFFFFFFF:
                raise ConfigError(f"frame words must be between 0 and 2^32 - 1, not {word}")

    def to_bytes(self) -> bytes:
        """The frame on the wire."""
        header = struct.pack("<BBB", self.sequence, self.command, len(self.words))
        payload = struct.pack(f"<{len(self.words)}I", *self.words)
        sent = b"" if self.command in UNSENT else payload
        crc = struct.pack("<I", zlib.crc32(payload, zlib.crc32(header)))
        return bytes([SYNC]) + header + sent + crc


def busy_bytes(request: Frame) -> float:
    """Time the board needs for a request, at most, in bytes of the line in that time.

    A WAIT takes as long as it takes. All others take the time of their answer and that of the
    accesses: up to 50 clocks a word, which is 5/8 byte on a line of `LEAST_DIVISOR` clocks a bit.
    """
    if request.command == Command.WAIT:
        return float("inf")
    words, sent = len(request.words), 0
    if request.command in READS and words > 1:
        words = sent = request.words[1] & MAX_WORDS
        sent *= request.command == Command.READ
    return HEADER_BYTES + CRC_BYTES + 1 + 4 * sent + words * 5 / 8


def frame_bytes(header: bytes) -> int:
    """Length on the wire of the frame that starts with this header (4 bytes)."""
    words = 0 if header[2] in UNSENT else header[3]
    return HEADER_BYTES + 4 * words + CRC_BYTES


def parse(content: bytes, *, unsent: tuple[int, ...] = ()) -> Frame:
    """One whole frame.

    Parameters
    ----------
    content : bytes
    unsent : tuple of int
        The words that the frame covers and leaves out, where it is such an answer.

    Raises
    ------
    ConfigError
        If it is too short, does not start with sync, or its length or CRC is wrong.
    """
    if len(content) < HEADER_BYTES + CRC_BYTES or content[0] != SYNC:
        raise ConfigError("not a frame: no sync byte or too short")
    if len(content) != frame_bytes(content):
        raise ConfigError(f"frame has {len(content)} bytes but says {frame_bytes(content)}")
    sequence, command, count = content[1:HEADER_BYTES]
    words = unsent
    if command not in UNSENT:
        words = struct.unpack_from(f"<{count}I", content, HEADER_BYTES)
    frame = Frame(sequence=sequence, command=command, words=words)
    if len(words) != count or frame.to_bytes() != content:
        raise ConfigError("frame has a wrong CRC")
    return frame
