"""The idx parser on small files made here."""

import re
import struct

import numpy as np
import pytest

from tombola.data.idx import parse_idx
from tombola.spec.errors import DataError


def made(*shape: int, kind: int = 0x08) -> bytes:
    size = int(np.prod(shape))
    head = bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return head + bytes(i % 256 for i in range(size))


def test_images_keep_their_order():
    array = parse_idx(made(2, 3, 4), dimensions=3, what="file")
    assert array.shape == (2, 3, 4)
    assert array.dtype == np.uint8
    assert array.ravel().tolist() == list(range(24))


def test_an_array_can_be_written():
    assert parse_idx(made(5), dimensions=1, what="file").flags.writeable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file must begin with 00000803 for 3 dimensions of bytes, not with nothing"),
        (
            made(2, 3, 4, kind=0x0D),
            "file must begin with 00000803 for 3 dimensions of bytes, not with 00000d03",
        ),
        (
            made(24),
            "file must begin with 00000803 for 3 dimensions of bytes, not with 00000801",
        ),
        (made(2, 3, 4)[:10], "file must have 16 bytes of header, not 10"),
        (made(2, 3, 4)[:-1], "file must have 40 bytes, not 39"),
        (made(2, 3, 4) + b"x", "file must have 40 bytes, not 41"),
    ],
)
def test_a_wrong_file_is_refused(content, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        parse_idx(content, dimensions=3, what="file")


def test_a_huge_header_does_not_overflow():
    content = bytes([0, 0, 8, 3]) + struct.pack(">3I", *[2**32 - 1] * 3)
    with pytest.raises(DataError, match=f"^file must have {16 + (2**32 - 1) ** 3} bytes, not 16$"):
        parse_idx(content, dimensions=3, what="file")
