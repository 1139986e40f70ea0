"""Ticket files: the same bytes everywhere, and damage of every kind refused in one line."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.forge import DIGEST_KEY, forged, signed, split
from support.rich_ticket import rich_ticket
from support.tickets import mixed_network
from support.tiny_ticket import tiny_image, tiny_ticket

from tombola.spec import reference, ticket_file, ticket_json
from tombola.spec.errors import TicketError, TombolaError

CONTENT = ticket_file.to_bytes(tiny_ticket())
TICKETS = [tiny_ticket, rich_ticket, mixed_network().build]
TESTS = Path(__file__).resolve().parents[1]


def refusal(content: bytes) -> str:
    """The message with which a file is refused; any other error goes through."""
    with pytest.raises(TicketError) as caught:
        ticket_file.from_bytes(content)
    message = str(caught.value)
    assert message.isascii() and "\n" not in message and len(message) < 500
    assert not message.endswith(".")
    return message


@pytest.mark.parametrize("ticket", TICKETS)
def test_there_and_back(ticket):
    ticket = ticket()
    content = ticket_file.to_bytes(ticket)
    read = ticket_file.from_bytes(content)
    assert ticket_json.describe(read) == ticket_json.describe(ticket)
    assert read.layers == ticket.layers and read.weight_sets == ticket.weight_sets
    for one, other in zip(read.masks, ticket.masks, strict=True):
        assert one.coding == other.coding and (one.bits == other.bits).all()
    for one, other in zip(read.requantisations, ticket.requantisations, strict=True):
        assert (one.scale == other.scale).all() and (one.bias == other.bias).all()
    assert (read.input.table == ticket.input.table).all()
    assert ticket_file.to_bytes(read) == content


def test_a_ticket_that_was_read_computes_the_same():
    before = reference.logits(tiny_ticket(), tiny_image())
    after = reference.logits(ticket_file.from_bytes(CONTENT), tiny_image())
    assert (before == after).all()


def test_files_on_disk(tmp_path):
    path = tmp_path / "new" / "tiny.ticket"
    assert ticket_file.save(tiny_ticket(), path) == len(CONTENT)
    assert path.read_bytes() == CONTENT
    assert ticket_file.load(path).seed == tiny_ticket().seed


def test_nothing_is_written_of_a_ticket_that_breaks_a_rule(tmp_path):
    path = tmp_path / "bad.ticket"
    with pytest.raises(TicketError, match="a ticket has 1 to 1024 layers, not 0"):
        ticket_file.save(replace(tiny_ticket(), layers=()), path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("provenance", "message"),
    [
        ({"x": float("nan")}, "ticket.provenance.x must be a string or a finite number"),
        ({"x": float("inf")}, "ticket.provenance.x must be a string or a finite number"),
        ({"x": 1 << 63}, "ticket.provenance.x is an integer of more than 64 bits"),
        ({"x": True}, "ticket.provenance.x must be a string or a finite number"),
        ({"x": None}, "ticket.provenance.x must be a string or a finite number"),
        ({"x": [1]}, "ticket.provenance.x must be a string or a finite number"),
        (
            {"x": "two\nlines"},
            "ticket.provenance.x holds a control character, a line break or half a surrogate",
        ),
        (
            {"two\nlines": 1},
            "a key of ticket.provenance holds a control character, a line break or half a "
            "surrogate",
        ),
        ({"x": "y" * 65537}, "ticket.provenance.x is longer than 65536 characters"),
        (
            {"sha256": "0" * 64},
            "provenance must not have the key sha256 with 64 zeros: it is reserved",
        ),
    ],
)
def test_what_could_not_be_read_is_not_written(provenance, message):
    with pytest.raises(TicketError) as caught:
        ticket_file.to_bytes(replace(tiny_ticket(), provenance=provenance))
    assert str(caught.value) == message


def test_odd_provenance_goes_there_and_back():
    provenance = {
        "float": 0.1, "tiny": 5e-324, "large": 1e300, "minus": -0.0, "int": -(1 << 63),
        "text": 'quotes " and \\ and é and \U0001f600', "sha256": "f" * 64, "": "",
    }  # fmt: skip
    content = ticket_file.to_bytes(replace(tiny_ticket(), provenance=provenance))
    read = ticket_file.from_bytes(content)
    assert read.provenance == provenance
    assert all(type(read.provenance[key]) is type(value) for key, value in provenance.items())


SCRIPT = """
import sys
from support.rich_ticket import rich_ticket
from tombola.spec import ticket_file
sys.stdout.buffer.write(ticket_file.to_bytes(rich_ticket()))
"""


def test_every_process_writes_the_same_bytes():
    written = ticket_file.to_bytes(rich_ticket())
    assert ticket_file.to_bytes(rich_ticket()) == written
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True
        )
        assert run.stdout == written


def test_the_checksum_is_the_one_of_the_page():
    at = CONTENT.index(DIGEST_KEY) + len(DIGEST_KEY)
    digest = CONTENT[at : at + 64].decode()
    blank = CONTENT[:at] + b"0" * 64 + CONTENT[at + 64 :]
    assert hashlib.sha256(blank).hexdigest() == digest
    assert signed(blank) == CONTENT and forged(CONTENT) == CONTENT


def regions() -> list[int]:
    """Every byte of the tensors, every byte of the digest, and each third of the header."""
    header = 8 + int.from_bytes(CONTENT[:8], "little")
    digest = CONTENT.index(DIGEST_KEY)
    return sorted({*range(8), *range(8, header, 3), *range(digest, digest + 80),
                   *range(header, len(CONTENT))})  # fmt: skip


def test_a_flipped_bit_anywhere_is_refused():
    for index in regions():
        for bit in (0, 7):
            damaged = bytearray(CONTENT)
            damaged[index] ^= 1 << bit
            refusal(bytes(damaged))


def test_a_flipped_bit_in_a_tensor_is_called_damage():
    damaged = bytearray(CONTENT)
    damaged[-1] ^= 1
    message = refusal(bytes(damaged))
    assert message.startswith("checksum is ")
    assert message.endswith("..: the file is damaged, fetch or export it again")


def test_a_file_that_was_cut_or_has_grown_is_refused():
    for length in {*range(64), *range(64, len(CONTENT), 37), len(CONTENT) - 1}:
        refusal(CONTENT[:length])
    assert refusal(CONTENT[:7]) == "file has 7 bytes, too few for a ticket"
    head = int.from_bytes(CONTENT[:8], "little")
    assert refusal(CONTENT[:100]) == f"file is cut: its header says {head} bytes, 92 are left"
    refusal(CONTENT + b"\0")
    refusal(CONTENT + CONTENT)


def test_another_version_is_refused():
    content = forged(CONTENT, description=lambda d: d.update(format=2))
    assert refusal(content) == (
        "ticket has format 2, but this version of tombola reads format 1; use a matching version"
    )


def test_messages_name_the_file(tmp_path):
    path = tmp_path / "cut.ticket"
    path.write_bytes(b"abc")
    with pytest.raises(TicketError) as caught:
        ticket_file.load(path)
    assert str(caught.value) == f"{path}: file has 3 bytes, too few for a ticket"
    with pytest.raises(TicketError) as caught:
        ticket_file.load(tmp_path / "none.ticket")
    assert str(caught.value) == (
        f"cannot read ticket {tmp_path / 'none.ticket'}: No such file or directory"
    )
    with pytest.raises(TombolaError, match="cannot read ticket"):
        ticket_file.load(tmp_path)


def test_a_file_of_another_kind_of_size_is_not_read(tmp_path):
    path = tmp_path / "large.ticket"
    with path.open("wb") as file:
        file.truncate((1 << 28) + 1)  # a hole: nothing is stored
    with pytest.raises(TicketError) as caught:
        ticket_file.load(path)
    assert str(caught.value) == (
        f"{path}: file has more than {1 << 28} bytes, no ticket is that large"
    )


def test_the_description_is_all_that_is_not_an_array():
    description, header, data = split(CONTENT)
    assert set(description) == set(ticket_json.describe(tiny_ticket())) | {"sha256"}
    assert sum(entry["data_offsets"][1] - entry["data_offsets"][0] for entry in header.values())
    assert len(data) == max(entry["data_offsets"][1] for entry in header.values())
    assert np.frombuffer(data[:4], dtype="<i4")[0] == tiny_ticket().requantisations[0].bias[0]
