"""Tickets that a stranger might send: parts changed, and the checksum made good again."""

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tombola.spec import strict_json, ticket_file
from tombola.spec.errors import TicketError

DIGEST_KEY = b'\\"sha256\\":\\"'
ZEROS = "0" * 64
MEGABYTE = 1 << 20


def split(content: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Description, header without it, and the tensors' bytes."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    description = json.loads(header.pop("__metadata__")["tombola"])
    return description, header, content[8 + length :]


def container(header: str | bytes, data: bytes = b"") -> bytes:
    """A file around a header that may be anything."""
    head = header.encode() if isinstance(header, str) else header
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + data


def signed(content: bytes) -> bytes:
    """The file with the right checksum, wherever its description states one."""
    at = content.find(DIGEST_KEY)
    if at < 0:
        return content
    begin = at + len(DIGEST_KEY)
    blank = content[:begin] + ZEROS.encode() + content[begin + 64 :]
    digest = hashlib.sha256(blank).hexdigest()
    return content[:begin] + digest.encode() + content[begin + 64 :]


def forged(
    content: bytes,
    *,
    description: Callable[[dict[str, Any]], Any] | None = None,
    header: Callable[[dict[str, Any]], Any] | None = None,
    text: Callable[[str], str] | None = None,
    data: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """`content` with changes and a good checksum.

    Parameters
    ----------
    description, header : function that changes a dictionary in place
    text : function from the description's JSON to another text
    data : function from the tensors' bytes to others
    """
    described, heads, payload = split(content)
    described["sha256"] = ZEROS
    if description is not None:
        description(described)
    spelled = strict_json.canonical(described)
    if text is not None:
        spelled = text(spelled)
    whole = {"__metadata__": {"tombola": spelled}, **heads}
    if header is not None:
        header(whole)
    if data is not None:
        payload = data(payload)
    return signed(container(json.dumps(whole, separators=(",", ":")), payload))


def refusal(content: bytes) -> str:
    """The one line with which a file is refused; it may take a megabyte beside the file."""
    tracemalloc.start()
    try:
        with pytest.raises(TicketError) as caught:
            ticket_file.from_bytes(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTE + 20 * len(content)
    message = str(caught.value)
    assert message.isascii() and "\n" not in message and len(message) < 500
    return message
