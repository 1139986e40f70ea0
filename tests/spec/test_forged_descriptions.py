"""Forged descriptions with a good checksum: wrong values and sizes, each refused in one line."""

import pytest
from support.forge import forged, refusal, split
from support.tiny_ticket import tiny_ticket

from tombola.spec import ticket_file

CONTENT = ticket_file.to_bytes(tiny_ticket())


def described(change) -> str:
    return refusal(forged(CONTENT, description=change))


def test_the_forger_makes_files_that_load():
    ticket_file.from_bytes(forged(CONTENT))
    content = forged(CONTENT, description=lambda d: d["provenance"].update(epochs=7))
    assert ticket_file.from_bytes(content).provenance["epochs"] == 7


def setting(*path, value):
    """A change of the description: the value at a path of keys and indices."""

    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "1", "ticket.format must be an integer, not a string"),
        (("format",), True, "ticket.format must be an integer, not true or false"),
        (("format",), 1.0, "ticket.format must be an integer, not a float"),
        (("seed",), "0123456789ABCDEF", "ticket.seed must be 16 lower-case hexadecimal digits"),
        (("seed",), "123", "ticket.seed must be 16 lower-case hexadecimal digits"),
        (("seed",), 5, "ticket.seed must be a string, not an integer"),
        (("generator",), "tombola", "ticket.generator must be an object, not a string"),
        (("generator", "name"), None, "ticket.generator.name must be a string, not null"),
        (("generator", "extra"), 1, "ticket.generator has the unknown key extra"),
        (("generator", "name"), "\x1b[2J", "ticket.generator.name holds a control character, a "
         "line break or half a surrogate"),
        (("classes",), {}, "ticket.classes must be a list, not an object"),
        (("classes",), ["a", "b", "c", 4], "ticket.classes must be a list of strings"),
        (("classes", 1), "\ud800", "ticket.classes[1] holds a control character, a line break or "
         "half a surrogate"),
        (("classes",), ["a"], "ticket names 1 classes but has 4 logits"),
        (("input", "shape"), [3, 5], "ticket.input.shape must be 3 integers of 32 bits"),
        (("input", "shape"), [3, 5, True], "ticket.input.shape must be 3 integers of 32 bits"),
        (("input", "shape"), [3, 5, 1 << 31], "ticket.input.shape must be 3 integers of 32 bits"),
        (("input", "shape"), [3, -5, 4], "input must have sides of 1 to 65535 and at most "
         "67108864 values, not 3x-5x4"),
        (("input", "type", "bits"), 9, "ticket.input.type: a number type has 1 to 8 bits, or 32 "
         "signed ones, not 9 signed"),
        (("input", "type", "signed"), 1, "ticket.input.type.signed must be true or false, not an "
         "integer"),
        (("input", "type", "signed"), False, "tensor input.table must be uint8 of rank 2, not "
         "int8 of rank 2"),
        (("input", "type", "extra"), 1, "ticket.input.type has the unknown key extra"),
        (("input", "extra"), 1, "ticket.input has the unknown key extra"),
        (("extra",), 1, "ticket has the unknown key extra"),
        (("two\nlines",), 1, "ticket has the unknown key two\\nlines"),
        (("k" * 99,), 1, f"ticket has the unknown key {'k' * 40}.."),
        (("weight_sets",), {}, "ticket.weight_sets must be a list, not an object"),
        (("weight_sets", 0), 3, "ticket.weight_sets[0] must be an object, not an integer"),
        (("weight_sets", 0, "id"), 1 << 24, "ticket.weight_sets[0]: weight set id must be between "
         "0 and 16777215, not 16777216"),
        (("weight_sets", 0, "id"), 1 << 63, "ticket.weight_sets[0].id is an integer of more than "
         "64 bits"),
        (("weight_sets", 1, "out_channels"), 0, "ticket.weight_sets[1]: out_channels must be at "
         "least 1, not 0"),
        (("weight_sets", 1, "kernel"), [0, 1], "ticket.weight_sets[1]: a row needs at least one "
         "channel and a 1x1 kernel, not 5 and 0x1"),
        (("weight_sets", 2, "prune"), 300, "ticket.weight_sets[2]: prune and lock counts must be "
         "at least 0 and at most 256 together, not 300 and 0"),
        (("weight_sets", 2, "colour"), "red", "ticket.weight_sets[2] has the unknown key colour"),
        (("masks", 0, "coats"), 128, "ticket.masks[0]: coats must be between 1 and 127, not 128"),
        (("masks", 0, "coats"), 0, "ticket.masks[0]: coats must be between 1 and 127, not 0"),
        (("masks", 1, "stored"), 1, "ticket.masks[1]: stored must be between 2 and 8 bits, not 1"),
        (("masks", 1, "coats"), 1, "ticket.masks[1]: a mask has either coats or stored bits; give "
         "one of the two"),
        (("masks", 0, "coats"), 2, "mask 0 is damaged: mask holds 87 bits but its layer needs "
         "more"),
        (("masks", 0, "bits"), 86, "mask 0 is damaged: mask holds 86 bits but its layer needs 87"),
        (("masks", 0, "bits"), 8, "mask has 11 bytes, but 8 bits need 1"),
        (("masks", 0, "bits"), -1, "mask must have 0 bits or more, not -1"),
        (("masks", 0, "bits"), 1 << 62, f"mask has 11 bytes, but {1 << 62} bits need {1 << 59}"),
        (("masks", 0, "weight_set"), 3, "layer 0 names weight set 3, but the ticket has 3"),
        (("masks", 0, "weight_set"), -1, "layer 0 names weight set -1, but the ticket has 3"),
        (("requantisations", 0, "shift"), 32, "requantisation 0 has shift 32; it must be 0 to 31"),
        (("requantisations", 0, "clamp"), [0], "ticket.requantisations[0].clamp must be 2 "
         "integers of 32 bits"),
        (("requantisations", 0, "clamp"), [0, 16], "requantisation 0 clamps to 0..16, which must "
         "lie within 0..15"),
        (("requantisations", 0, "type"), {"bits": 32, "signed": True}, "requantisation 0 makes "
         "logits, which are not clamped"),
        (("layers", 0, "op"), "deconv", "ticket.layers[0].op deconv is unknown; known: conv, "
         "max_pool, average_pool, rescale, aggregate"),
        (("layers", 0, "op"), "\u20ac" * 50, "ticket.layers[0].op " + "\\u20ac" * 6 + "\\u20.. is "
         "unknown; known: conv, max_pool, average_pool, rescale, aggregate"),
        (("layers", 0, "op"), "rescale", "ticket.layers[0] has the unknown key groups"),
        (("layers", 0, "input"), 1, "layer 0 reads tensor 1; only tensors 0 to 0 are made before "
         "it"),
        (("layers", 1, "input"), 4, "layer 1 reads tensor 4; only tensors 0 to 1 are made before "
         "it"),
        (("layers", 1, "input"), -1, "layer 1 reads tensor -1; only tensors 0 to 1 are made "
         "before it"),
        (("layers", 1, "kernel"), [2, 2, 2], "ticket.layers[1].kernel must be 2 integers of 32 "
         "bits"),
        (("layers", 2, "residual", "tensor"), 3, "layer 2 reads tensor 3; only tensors 0 to 2 are "
         "made before it"),
        (("layers", 2, "residual", "more"), 3, "ticket.layers[2].residual has the unknown key "
         "more"),
        (("layers", 2, "residual"), None, "ticket.layers[2].residual must be an object, not null"),
        (("layers", 0, "stride"), [1 << 20, 1], "layer 0 must have a kernel and a stride of 1 to "
         "65535, not (3, 3) and (1048576, 1)"),
        (("layers",), [], "a ticket has 1 to 1024 layers, not 0"),
        (("provenance", "x"), {"y": 1}, "ticket.provenance.x must be a string or a finite number"),
        (("provenance", "x"), 1 << 64, "ticket.provenance.x is an integer of more than 64 bits"),
    ],
)  # fmt: skip
def test_one_wrong_value(path, value, message):
    assert described(setting(*path, value=value)) == message


@pytest.mark.parametrize("key", list(split(CONTENT)[0]))
def test_no_key_may_be_missing(key):
    message = described(lambda document: document.pop(key))
    assert message in (f"ticket has no key {key}", "ticket has no checksum")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            setting("weight_sets", 0, "out_channels", value=1 << 62),
            f"weight sets have {(1 << 62) * 64 + 416} positions together; at most 67108864 are "
            "allowed",
        ),
        (
            setting("weight_sets", 0, "in_channels", value=(1 << 63) - 1),
            f"weight sets have {5 * 9 * (1 << 63) + 416} positions together; at most 67108864 "
            "are allowed",
        ),
        (
            setting("weight_sets", 0, "kernel", value=[(1 << 31) - 1, (1 << 31) - 1]),
            f"weight sets have {5 * 4 * ((1 << 31) - 1) ** 2 + 5 * 28 + 416} positions together; "
            "at most 67108864 are allowed",
        ),
        (
            setting("input", "shape", value=[3, 65535, 65535]),
            "input must have sides of 1 to 65535 and at most 67108864 values, not 3x65535x65535",
        ),
    ],
)
def test_absurd_sizes_are_refused_before_anything_is_allocated(change, message):
    assert described(change) == message


def test_many_masks_over_one_large_set_are_refused():
    """A frozen set owns no mask bits, so 40 masks of 2^25 positions make a small file."""
    begin, end = split(CONTENT)[1]["mask.1"]["data_offsets"]

    def change(document):
        document["weight_sets"][1].update(out_channels=1 << 20, prune=256)
        first, _, last = document["masks"]
        document["masks"] = [first, *[{"weight_set": 1, "coats": 127, "bits": 0}] * 40, last]

    def header(entries):
        last = entries.pop("mask.2")
        for index in range(1, 41):
            entries[f"mask.{index}"] = {"dtype": "U8", "shape": [0], "data_offsets": [begin] * 2}
        entries["mask.41"] = last
        last["data_offsets"] = [at - (end - begin) for at in last["data_offsets"]]

    content = forged(CONTENT, description=change, header=header, data=lambda d: d[:begin] + d[end:])
    assert refusal(content) == (
        f"masks have {40 * (1 << 25) + 5 * 64 + 4 * 64} positions together; at most 67108864 are "
        "allowed"
    )


def test_values_outside_a_type_are_refused():
    at = split(CONTENT)[1]["input.table"]["data_offsets"][0]
    message = refusal(forged(CONTENT, data=lambda d: d[:at] + b"\x7f" + d[at + 1 :]))
    assert message == "input table must stay within -8..7, not -8..127"
