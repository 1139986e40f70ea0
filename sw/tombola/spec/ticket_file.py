"""Reading and writing `*.ticket`: a safetensors container that is safe to open from a stranger."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from tombola.spec import mask_code, rules, strict_json, ticket_json
from tombola.spec.errors import TicketError
from tombola.spec.paths import write_atomically
from tombola.spec.strict_json import Json, Reader
from tombola.spec.ticket import FORMAT_VERSION, Input, Mask, Requantisation, Ticket

METADATA_KEY = "tombola"
HEX_DIGITS = frozenset("0123456789abcdef")
NO_DIGEST = "0" * 64
MAX_FILE_BYTES = 1 << 28


def save(ticket: Ticket, path: Path) -> int:
    """Checks a ticket and writes it; returns the bytes of the file.

    Raises
    ------
    TicketError
        If the ticket breaks a rule; nothing is written then.
    """
    content = to_bytes(ticket)
    write_atomically(path, content)
    return len(content)


def load(path: Path) -> Ticket:
    """Reads and checks a ticket file.

    Raises
    ------
    TicketError
        One line that names the file, the rule and the value.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TicketError(f"file has more than {MAX_FILE_BYTES} bytes, no ticket is that large")
        return from_bytes(path.read_bytes())
    except OSError as error:
        raise TicketError(f"cannot read ticket {path}: {error.strerror}") from None
    except TicketError as error:
        raise TicketError(f"{path}: {error}") from None


def to_bytes(ticket: Ticket) -> bytes:
    """The file's bytes; the same ticket gives the same bytes.

    Raises
    ------
    TicketError
        If the ticket breaks a rule, or its texts and numbers are such that it could not be read.
    """
    rules.check(ticket)
    description = {**ticket_json.describe(ticket), "sha256": NO_DIGEST}
    content = save_safetensors(
        _tensors(ticket), metadata={METADATA_KEY: strict_json.canonical(description)}
    )
    if content.count(_digest_field(NO_DIGEST)) != 1:
        raise TicketError("provenance must not have the key sha256 with 64 zeros: it is reserved")
    digest = hashlib.sha256(content).hexdigest()
    content = content.replace(_digest_field(NO_DIGEST), _digest_field(digest))
    _parse(content)  # what is written can be read
    return content


def from_bytes(content: bytes) -> Ticket:
    """The ticket in a file's bytes, after every check."""
    ticket = _parse(content)
    rules.check(ticket)
    return ticket


def _parse(content: bytes) -> Ticket:
    """The ticket in a file's bytes; whether it keeps the rules of the network is left open."""
    reader = Reader(_description(content), "ticket")
    version = reader.integer("format")
    if version != FORMAT_VERSION:
        raise TicketError(
            f"ticket has format {version}, but this version of tombola reads format "
            f"{FORMAT_VERSION}; use a matching version"
        )
    try:
        tensors = load_safetensors(content)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        reason = strict_json.shown(str(error))
        raise TicketError(f"not a readable safetensors container: {reason}") from None
    return _assemble(reader, dict(tensors))


def _digest_field(digest: str) -> bytes:
    # The description is a JSON string inside the JSON header, so its quotes are escaped.
    return f'\\"sha256\\":\\"{digest}\\"'.encode()


def _description(content: bytes) -> Json:
    """The description in the header, its checksum checked and taken out."""
    if len(content) < 8:
        raise TicketError(f"file has {len(content)} bytes, too few for a ticket")
    length = int.from_bytes(content[:8], "little")
    if length > len(content) - 8:
        raise TicketError(
            f"file is cut: its header says {length} bytes, {len(content) - 8} are left"
        )
    try:
        header = strict_json.parse(content[8 : 8 + length].decode(), "header")
        text = header["__metadata__"][METADATA_KEY]
        keys = len(header["__metadata__"])
    except (UnicodeDecodeError, KeyError, TypeError):
        raise TicketError("not a ticket: its header has no tombola description") from None
    if not isinstance(text, str) or keys != 1:
        raise TicketError("not a ticket: its metadata must be one text, the description")
    description = strict_json.parse(text, "description")
    if not isinstance(description, dict):
        raise TicketError("not a ticket: its description is not an object")
    _check_digest(content, description)
    if strict_json.canonical(description) != text:
        raise TicketError("ticket description must be canonical JSON: sorted keys, no blanks")
    del description["sha256"]
    return description


def _check_digest(content: bytes, description: Json) -> None:
    digest = description.get("sha256")
    if not isinstance(digest, str) or len(digest) != 64 or set(digest) - HEX_DIGITS:
        raise TicketError("ticket has no checksum")
    field = _digest_field(digest)
    if content.count(field) != 1:
        raise TicketError("ticket must state its checksum exactly once")
    actual = hashlib.sha256(content.replace(field, _digest_field(NO_DIGEST))).hexdigest()
    if actual != digest:
        raise TicketError(
            f"checksum is {actual[:12]}.., but the ticket says {digest[:12]}..: the file is "
            "damaged, fetch or export it again"
        )


def _tensors(ticket: Ticket) -> dict[str, np.ndarray]:
    table_type = np.int8 if ticket.input.type.signed else np.uint8
    tensors = {"input.table": ticket.input.table.astype(table_type)}
    for index, mask in enumerate(ticket.masks):
        tensors[f"mask.{index}"] = mask_code.pack(mask.bits)
    for index, table in enumerate(ticket.requantisations):
        tensors[f"requantisation.{index}.scale"] = table.scale.astype(np.int16)
        tensors[f"requantisation.{index}.bias"] = table.bias.astype(np.int32)
    return tensors


class _Tensors:
    """The container's arrays, taken one by one with the kind and rank they must have."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._left = tensors

    def take(self, name: str, kind: type, rank: int) -> np.ndarray:
        if name not in self._left:
            raise TicketError(f"ticket has no tensor {name}")
        array = self._left.pop(name)
        if array.dtype != kind or array.ndim != rank:
            raise TicketError(
                f"tensor {name} must be {np.dtype(kind).name} of rank {rank}, "
                f"not {array.dtype.name} of rank {array.ndim}"
            )
        return array

    def done(self) -> None:
        for name in self._left:
            raise TicketError(f"ticket has the unknown tensor {strict_json.shown(name)}")


def _assemble(reader: Reader, arrays: dict[str, np.ndarray]) -> Ticket:
    tensors = _Tensors(arrays)
    generator = reader.object("generator")
    seed = reader.text("seed")
    if len(seed) != 16 or set(seed) - HEX_DIGITS:
        raise TicketError("ticket.seed must be 16 lower-case hexadecimal digits")
    source = reader.object("input")
    input_type = ticket_json.read_type(source)
    channels, height, width = source.integers("shape", 3)
    source.done()
    table = tensors.take("input.table", np.int8 if input_type.signed else np.uint8, 2)
    ticket = Ticket(
        seed=int(seed, 16),
        generator=(generator.text("name"), generator.text("version")),
        input=Input(shape=(channels, height, width), type=input_type, table=table.astype(np.int16)),
        classes=reader.texts("classes"),
        weight_sets=reader.each("weight_sets", ticket_json.read_weight_set),
        masks=_read_masks(reader, tensors),
        requantisations=_read_requantisations(reader, tensors),
        layers=reader.each("layers", ticket_json.read_layer),
        provenance=reader.scalars("provenance"),
    )
    generator.done()
    reader.done()
    tensors.done()
    return ticket


def _read_masks(reader: Reader, tensors: _Tensors) -> tuple[Mask, ...]:
    count = iter(range(1 << 31))

    def read(entry: Reader) -> Mask:
        packed = tensors.take(f"mask.{next(count)}", np.uint8, 1)
        return Mask(
            weight_set=entry.integer("weight_set"),
            coding=ticket_json.read_coding(entry),
            bits=mask_code.unpack(packed, entry.integer("bits")),
        )

    return reader.each("masks", read)


def _read_requantisations(reader: Reader, tensors: _Tensors) -> tuple[Requantisation, ...]:
    count = iter(range(1 << 31))

    def read(entry: Reader) -> Requantisation:
        name = f"requantisation.{next(count)}"
        clamp = entry.integers("clamp", 2) if entry.has("clamp") else None
        return Requantisation(
            scale=tensors.take(f"{name}.scale", np.int16, 1),
            bias=tensors.take(f"{name}.bias", np.int32, 1),
            shift=entry.integer("shift"),
            output=ticket_json.read_type(entry),
            clamp=clamp,  # type: ignore[arg-type]
        )

    return reader.each("requantisations", read)
