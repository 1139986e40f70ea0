"""Frames of the host link: there and back, the published checksum, and what is no frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tombola.spec import link
from tombola.spec.errors import ConfigError
from tombola.spec.link import Command, Frame, Order

WORDS = st.lists(st.integers(0, 0xFFFFFFFF), max_size=link.MAX_WORDS).map(tuple)
FRAMES = st.builds(Frame, sequence=st.integers(0, 255), command=st.integers(0, 255), words=WORDS)


def crc32(data: bytes) -> int:
    """CRC-32/ISO-HDLC bit by bit, as its catalogue entry defines it."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@given(FRAMES)
def test_there_and_back(frame):
    wire = frame.to_bytes()
    assert link.parse(wire, unsent=frame.words) == frame
    assert link.frame_bytes(wire) == len(wire)


def test_what_the_host_knows_is_covered_but_not_sent():
    answer = Frame(sequence=7, command=link.ANSWER | Command.CHECK, words=(0x12345678, 9))
    wire = answer.to_bytes()
    assert wire[:4].hex() == "54078602"
    assert wire[4:] == crc32(bytes.fromhex("0786027856341209000000")).to_bytes(4, "little")
    assert link.parse(wire, unsent=answer.words) == answer
    for other in [(), (0x12345678,), (0x12345678, 8), (0x12345678, 9, 0)]:
        with pytest.raises(ConfigError, match="^frame has a wrong CRC$"):
            link.parse(wire, unsent=other)


@pytest.mark.parametrize(
    ("sequence", "last", "expected"),
    [
        (1, 0, Order.NEXT), (0, 255, Order.NEXT), (5, 5, Order.AGAIN), (4, 5, Order.AGAIN),
        (250, 3, Order.AGAIN), (246, 5, Order.AGAIN), (3, 250, Order.GAP), (7, 5, Order.GAP),
        (2, 0, Order.GAP), (21, 5, Order.GAP),
    ],
)  # fmt: skip
def test_order_of_requests(sequence, last, expected):
    assert link.order(sequence, last) is expected


def test_the_checksum_is_the_published_one():
    assert crc32(b"123456789") == 0xCBF43926  # check value of the catalogue of CRC algorithms
    wire = Frame(sequence=7, command=Command.READ, words=(0x12345678, 9)).to_bytes()
    assert wire[:12].hex() == "540702027856341209000000"
    assert wire[12:] == crc32(wire[1:12]).to_bytes(4, "little")


@given(FRAMES, st.data())
def test_no_flipped_bit_passes(frame, data):
    wire = bytearray(frame.to_bytes())
    bit = data.draw(st.integers(0, 8 * len(wire) - 1))
    wire[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ConfigError):
        link.parse(bytes(wire), unsent=frame.words)


@given(st.binary(max_size=80))
def test_random_bytes_are_a_frame_or_a_config_error(content):
    try:
        frame = link.parse(content)
    except ConfigError:
        return
    assert frame.to_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a frame: no sync byte or too short"),
        (b"\x54\0\0\0\0\0\0", "not a frame: no sync byte or too short"),
        (b"\x55\0\0\0\0\0\0\0", "not a frame: no sync byte or too short"),
        (b"\x54\0\x01\x01\0\0\0\0", "frame has 8 bytes but says 12"),
        (b"\x54\0\x01\0\0\0\0\0\0", "frame has 9 bytes but says 8"),
        (b"\x54\0\x01\0\0\0\0\0", "frame has a wrong CRC"),
    ],
)
def test_what_is_no_frame(content, message):
    with pytest.raises(ConfigError) as caught:
        link.parse(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": (0,) * 64}, "a frame holds 63 words at most, not 64"),
        ({"sequence": 256}, "frame sequence must be between 0 and 255, not 256"),
        ({"sequence": -1}, "frame sequence must be between 0 and 255, not -1"),
        ({"command": 256}, "frame command must be between 0 and 255, not 256"),
        ({"words": (1 << 32,)}, "frame words must be between 0 and 2^32 - 1, not 4294967296"),
        ({"words": (1, -1)}, "frame words must be between 0 and 2^32 - 1, not -1"),
    ],
)
def test_frames_that_cannot_be_sent_are_refused(changes, message):
    with pytest.raises(ConfigError) as caught:
        Frame(**{"sequence": 0, "command": 1, **changes})
    assert str(caught.value) == message


def test_a_frame_that_says_too_many_words_is_refused():
    body = bytes([0, 1, 64]) + bytes(256)
    content = b"\x54" + body + crc32(body).to_bytes(4, "little")
    with pytest.raises(ConfigError, match="^a frame holds 63 words at most, not 64$"):
        link.parse(content)


def test_an_answer_is_never_taken_for_a_request():
    requests = link.WRITES | link.READS
    assert all(command < link.ANSWER and command | link.ANSWER not in requests
               for command in requests)  # fmt: skip
    assert Command.NAK not in {command | link.ANSWER for command in requests}
