"""The serial host link: frames, commands and their checksum.

A frame, either way, is

    sync 0x54 | sequence | command | count | payload: count x 4 bytes | CRC-32, 4 bytes

with all multi-byte numbers lowest byte first. The CRC is CRC-32/ISO-HDLC (the one of Ethernet and
zlib) over everything between sync and CRC. The answer repeats the sequence number; its command is
the request's with bit 7 set, or NAK.
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
"""Payload words of a frame: with the header they fit 64 words of buffer."""
ANSWER = 0x80


class Command(enum.IntEnum):
    """What a request asks for."""

    WRITE = 1
    """Payload: address, then 1 to 62 words for it and those after it. Answer: no payload."""
    READ = 2
    """Payload: address, then how many words, 1 to 63. Answer: the words."""
    NAK = 0x7F
    """Answer to a frame of an unknown command or a wrong count; no payload. A frame with a wrong
    CRC gets no answer: nobody knows what it was."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame.

    Parameters
    ----------
    sequence : int
        0 to 255, chosen by the host.
    command : int
    words : tuple of int
        Payload.
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
        body = struct.pack(
            f"<BBB{len(self.words)}I", self.sequence, self.command, len(self.words), *self.words
        )
        return bytes([SYNC]) + body + struct.pack("<I", zlib.crc32(body))


def frame_bytes(header: bytes) -> int:
    """Length on the wire of the frame that starts with this header (4 bytes)."""
    return HEADER_BYTES + 4 * header[3] + CRC_BYTES


def parse(content: bytes) -> Frame:
    """One whole frame.

    Raises
    ------
    ConfigError
        If it is too short, does not start with sync, or its length or CRC is wrong.
    """
    if len(content) < HEADER_BYTES + CRC_BYTES or content[0] != SYNC:
        raise ConfigError("not a frame: no sync byte or too short")
    if len(content) != frame_bytes(content):
        raise ConfigError(f"frame has {len(content)} bytes but says {frame_bytes(content)}")
    body, crc = content[1:-CRC_BYTES], struct.unpack("<I", content[-CRC_BYTES:])[0]
    if zlib.crc32(body) != crc:
        raise ConfigError("frame has a wrong CRC")
    sequence, command, count = body[:3]
    return Frame(sequence=sequence, command=command, words=struct.unpack(f"<{count}I", body[3:]))
