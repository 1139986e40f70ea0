"""Forged containers with a good checksum: spelling, nesting, headers and tensors."""

import json

import pytest
from support.forge import container, forged, refusal, signed
from support.tiny_ticket import tiny_ticket

from tombola.spec import ticket_file

CONTENT = ticket_file.to_bytes(tiny_ticket())


def test_a_key_twice_is_refused():
    message = refusal(forged(CONTENT, text=lambda t: t.replace('"format":1', '"format":1,' * 2, 1)))
    assert message == "not a ticket: its description is not JSON"
    twice = forged(CONTENT, text=lambda t: t.replace('"format":1', '"format":2,"format":1'))
    assert refusal(twice) == "description has the key format twice in one object"
    inner = forged(CONTENT, text=lambda t: t.replace('"groups":1', '"groups":9,"groups":1', 1))
    assert refusal(inner) == "description has the key groups twice in one object"


def test_a_tensor_twice_is_refused():
    length = int.from_bytes(CONTENT[:8], "little")
    head, data = CONTENT[8 : 8 + length].decode(), CONTENT[8 + length :]
    entry = '"mask.0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"mask.0"'
    content = signed(container(head.replace('"mask.0"', entry), data))
    assert refusal(content) == "header has the key mask.0 twice in one object"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace(":", ": ", 1),
        lambda t: " " + t,
        lambda t: t.replace("\\u00e9", "é"),
        lambda t: t.replace("\\u00e9", "\\u00E9"),
        lambda t: t.replace('"epochs":0', '"epochs":-0'),
        lambda t: t.replace("0.25", "0.250"),
        lambda t: t.replace("0.25", "25e-2"),
        lambda t: t.replace("0.25", "1e999"),
        lambda t: t.replace("0.25", "NaN"),
        lambda t: t.replace("0.25", "-Infinity"),
    ],
)
def test_another_spelling_is_refused(change):
    message = refusal(forged(CONTENT, text=change))
    assert message in (
        "ticket description must be canonical JSON: sorted keys, no blanks",
        "ticket must state its checksum exactly once",
        "ticket.provenance.accuracy must be a string or a finite number",
    )


def test_keys_out_of_order_are_refused():
    def reverse(text):
        document = json.loads(text)
        return json.dumps(dict(reversed(document.items())), separators=(",", ":"))

    assert refusal(forged(CONTENT, text=reverse)) == (
        "ticket description must be canonical JSON: sorted keys, no blanks"
    )


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "{}", "", "[" * 100_000, "{" * 9])
def test_a_description_of_another_kind_is_refused(text):
    message = refusal(forged(CONTENT, text=lambda _: text))
    assert message in (
        "not a ticket: its description is not an object",
        "not a ticket: its description is not JSON",
        "ticket has no checksum",
    )


def test_deep_nesting_is_refused():
    for depth in (500, 5_000, 200_000):
        nested = '{"a":' * depth + "1" + "}" * depth
        for content in (
            forged(CONTENT, text=lambda t, n=nested: t.replace('"format":1', f'"format":{n}')),
            container(nested),
            container("[" * depth),
        ):
            refusal(content)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "not a ticket: its header has no tombola description"),
        ("{}", "not a ticket: its header has no tombola description"),
        ('{"__metadata__":[]}', "not a ticket: its header has no tombola description"),
        ('{"__metadata__":{}}', "not a ticket: its header has no tombola description"),
        ('{"__metadata__":{"tombola":5}}', "not a ticket: its metadata must be one text, the "
         "description"),
        ('{"__metadata__":"tombola"}', "not a ticket: its header has no tombola description"),
        ("nonsense", "not a ticket: its header is not JSON"),
        ("", "not a ticket: its header is not JSON"),
    ],
)  # fmt: skip
def test_headers_of_another_kind_are_refused(value, message):
    assert refusal(container(value)) == message


def test_headers_in_another_encoding_are_refused():
    head = CONTENT[8 : 8 + int.from_bytes(CONTENT[:8], "little")].decode()
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        refusal(container(head.encode(encoding)))
    assert refusal(container(b'{"\xff":1}')) == (
        "not a ticket: its header has no tombola description"
    )


def test_a_second_metadata_key_is_refused():
    message = refusal(forged(CONTENT, header=lambda h: h["__metadata__"].update(note="x")))
    assert message == "not a ticket: its metadata must be one text, the description"


@pytest.mark.parametrize("length", [0, 1, 1 << 31, 1 << 40, (1 << 64) - 1])
def test_absurd_header_lengths_are_refused(length):
    refusal(length.to_bytes(8, "little") + CONTENT[8:])


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("mask.9", {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]},
         "ticket has the unknown tensor mask.9"),
        ("a\nb", {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]},
         "ticket has the unknown tensor a\\nb"),
        ("mask.0", None, None),
        ("mask.0", {"dtype": "U8", "shape": [1 << 40], "data_offsets": [340, 351]}, None),
        ("mask.0", {"dtype": "I8", "shape": [11], "data_offsets": [340, 351]},
         "tensor mask.0 must be uint8 of rank 1, not int8 of rank 1"),
        ("mask.0", {"dtype": "U8", "shape": [11, 1], "data_offsets": [340, 351]},
         "tensor mask.0 must be uint8 of rank 1, not uint8 of rank 2"),
        ("mask.0", {"dtype": "F99", "shape": [11], "data_offsets": [340, 351]}, None),
        ("mask.0", {"dtype": "BF16", "shape": [11], "data_offsets": [340, 362]}, None),
        ("mask.0", {"dtype": "U8", "shape": [-11], "data_offsets": [340, 351]}, None),
        ("mask.0", {"dtype": "U8", "shape": [11], "data_offsets": [-1, 10]}, None),
        ("mask.0", {"dtype": "U8", "shape": [11], "data_offsets": [341, 352]}, None),
        ("mask.0", {"dtype": "U8", "shape": [11], "data_offsets": [351, 340]}, None),
        ("mask.0", {"dtype": "U8", "shape": [0, 1 << 63], "data_offsets": [340, 340]}, None),
        ("mask.9", {"dtype": "U8", "shape": [0, (1 << 64) - 1], "data_offsets": [0, 0]}, None),
        ("mask.9", {"dtype": "F8_E4M3", "shape": [0], "data_offsets": [0, 0]}, None),
        ("mask.9", {"dtype": "U8", "shape": [0] * 70, "data_offsets": [0, 0]}, None),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_refused(name, entry, message):
    def change(header):
        if entry is None:
            del header[name]
        else:
            header[name] = entry

    got = refusal(forged(CONTENT, header=change))
    if message is None:
        assert got.startswith("not a readable safetensors container: ")
    else:
        assert got == message


def test_a_missing_tensor_is_named():
    def change(document):
        document["masks"].append(document["masks"][0])

    assert refusal(forged(CONTENT, description=change)) == "ticket has no tensor mask.3"
