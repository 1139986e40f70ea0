"""Every rule of a ticket, each broken once, with the whole message."""

from dataclasses import replace

import numpy as np
import pytest
from support.rich_ticket import rich_ticket
from support.tickets import mixed_network
from support.tiny_ticket import tiny_ticket

from tombola.spec import rules
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.errors import TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    MaxPool,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import WeightSet

BYTE = NumberType(bits=8, signed=False)


def put(items: tuple, index: int, **changes) -> tuple:
    """`items` with changes to the one at `index`."""
    return (*items[:index], replace(items[index], **changes), *items[index + 1 :])


def with_table(index: int, **changes) -> Ticket:
    ticket = tiny_ticket()
    return replace(ticket, requantisations=put(ticket.requantisations, index, **changes))


def with_set(index: int, **changes) -> Ticket:
    ticket = tiny_ticket()
    return replace(ticket, weight_sets=put(ticket.weight_sets, index, **changes))


def with_mask(index: int, **changes) -> Ticket:
    ticket = tiny_ticket()
    return replace(ticket, masks=put(ticket.masks, index, **changes))


def with_input(**changes) -> Ticket:
    return replace(tiny_ticket(), input=replace(tiny_ticket().input, **changes))


def refused(ticket: Ticket) -> str:
    with pytest.raises(TicketError) as caught:
        rules.check(ticket)
    message = str(caught.value)
    assert "\n" not in message and not message.endswith(".")
    return message


@pytest.mark.parametrize("ticket", [tiny_ticket, rich_ticket, mixed_network().build])
def test_sound_tickets_pass(ticket):
    infos = rules.check(ticket())
    assert infos[-1].type == LOGITS and infos[0].shape == ticket().input.shape


def test_the_shapes_and_types_of_the_tiny_ticket():
    infos = rules.check(tiny_ticket())
    assert [info.shape for info in infos] == [
        (3, 5, 4), (5, 5, 4), (5, 3, 2), (5, 3, 2), (4, 1, 1),
    ]  # fmt: skip
    assert [info.type.bits for info in infos] == [4, 4, 4, 6, 32]
    assert [info.values for info in infos] == [60, 100, 30, 30, 4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1 << 64}, f"seed must have at most 64 bits, not {1 << 64}"),
        ({"seed": -1}, "seed must have at most 64 bits, not -1"),
        ({"layers": ()}, "a ticket has 1 to 1024 layers, not 0"),
        (
            {"layers": (MaxPool(input=0, kernel=(1, 1), window=Window()),) * 1025},
            "a ticket has 1 to 1024 layers, not 1025",
        ),
        ({"classes": ("a", "b", "c")}, "ticket names 3 classes but has 4 logits"),
        (
            {"layers": tiny_ticket().layers[:3]},
            "the last layer must have 32-bit logits as its output",
        ),
    ],
)
def test_the_whole(changes, message):
    assert refused(replace(tiny_ticket(), **changes)) == message


def test_class_names_may_be_missing():
    rules.check(replace(tiny_ticket(), classes=()))


TABLE = np.zeros((1, 256), dtype=np.int16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"shape": (3, 0, 4)},
            "input must have sides of 1 to 65535 and at most 67108864 values, not 3x0x4",
        ),
        (
            {"shape": (1, 65536, 1)},
            "input must have sides of 1 to 65535 and at most 67108864 values, not 1x65536x1",
        ),
        (
            {"shape": (60000, 60000, 60000)},
            "input must have sides of 1 to 65535 and at most 67108864 values, "
            "not 60000x60000x60000",
        ),
        ({"type": LOGITS}, "input values must have at most 8 bits, not 32"),
        (
            {"table": np.zeros((2, 256), dtype=np.int16)},
            "input table must be (1, 256) for all channels or (3, 256), not (2, 256)",
        ),
        (
            {"table": np.zeros((1, 255), dtype=np.int16)},
            "input table must be (1, 256) for all channels or (3, 256), not (1, 255)",
        ),
        ({"table": TABLE + 8}, "input table must stay within -8..7, not 8..8"),
        ({"table": TABLE - 9}, "input table must stay within -8..7, not -9..-9"),
        ({"table": TABLE + 0.5}, "input table must hold integers, not float64"),
    ],
)
def test_the_input(changes, message):
    assert refused(with_input(**changes)) == message


@pytest.mark.parametrize(
    ("ticket", "message"),
    [
        (with_set(1, id=7), "two weight sets share an id; folded layers share a set"),
        (
            with_set(1, out_channels=1 << 22),
            f"weight sets have {(1 << 27) + 5 * 64 + 4 * 64} positions together; "
            "at most 67108864 are allowed",
        ),
        (
            with_set(0, kernel=(1 << 30, 1 << 30)),
            f"weight sets have {5 * (1 << 62) + 5 * 32 + 4 * 64} positions together; "
            "at most 67108864 are allowed",
        ),
        (
            replace(
                with_set(0, out_channels=(1 << 20) - 8),
                masks=tiny_ticket().masks + tiny_ticket().masks[:1],
            ),
            f"masks have {2 * ((1 << 26) - 512) + 5 * 32 + 4 * 64} positions together; "
            "at most 67108864 are allowed",
        ),
        (
            with_mask(0, coding=Coding(stored=2)),
            "mask 0 stores weights, so its weight set must not be frozen",
        ),
        (
            with_mask(0, bits=tiny_ticket().masks[0].bits[1:]),
            "mask 0 is damaged: mask holds 86 bits but its layer needs 87",
        ),
        (
            with_mask(2, bits=tiny_ticket().masks[2].bits[:100]),
            "mask 2 is damaged: mask holds 100 bits but its layer needs more",
        ),
        (
            with_mask(2, bits=np.append(tiny_ticket().masks[2].bits, True)),
            f"mask 2 is damaged: mask holds {tiny_ticket().masks[2].bits.size + 1} bits but its "
            f"layer needs {tiny_ticket().masks[2].bits.size}",
        ),
        (
            replace(tiny_ticket(), masks=(*tiny_ticket().masks, tiny_ticket().masks[0])),
            "mask 3 is not used by any layer",
        ),
        (
            replace(
                tiny_ticket(),
                weight_sets=(
                    *tiny_ticket().weight_sets,
                    WeightSet(id=9, out_channels=1, in_channels=1),
                ),
            ),
            "weight set 3 is not used by any layer",
        ),
        (
            replace(
                tiny_ticket(),
                requantisations=(
                    *tiny_ticket().requantisations,
                    tiny_ticket().requantisations[0],
                ),
            ),
            "requantisation 3 is not used by any layer",
        ),
    ],
)
def test_weight_sets_and_masks(ticket, message):
    assert refused(ticket) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift": 32}, "requantisation 1 has shift 32; it must be 0 to 31"),
        ({"shift": -1}, "requantisation 1 has shift -1; it must be 0 to 31"),
        (
            {"bias": np.zeros(4, dtype=np.int32)},
            "requantisation 1 must have as many scales as biases, not 5 and 4",
        ),
        (
            {"scale": np.zeros(0, dtype=np.int16), "bias": np.zeros(0, dtype=np.int32)},
            "requantisation 1 must have as many scales as biases, not 0 and 0",
        ),
        (
            {"scale": np.full(5, 1 << 15)},
            "requantisation 1 scale must stay within -32768..32767, not 32768..32768",
        ),
        (
            {"bias": np.full(5, -(1 << 31) - 1)},
            "requantisation 1 bias must stay within -2147483648..2147483647, "
            "not -2147483649..-2147483649",
        ),
        ({"scale": np.full(5, 0.5)}, "requantisation 1 scale must hold integers, not float64"),
        ({"clamp": None}, "requantisation 1 must have a clamp"),
        (
            {"clamp": (-33, 31)},
            "requantisation 1 clamps to -33..31, which must lie within -32..31",
        ),
        ({"clamp": (-32, 32)}, "requantisation 1 clamps to -32..32, which must lie within -32..31"),
        ({"clamp": (3, 2)}, "requantisation 1 clamps to 3..2, which must lie within -32..31"),
    ],
)
def test_requantisations(changes, message):
    assert refused(with_table(1, **changes)) == message


def test_logits_have_no_clamp():
    message = "requantisation 2 makes logits, which are not clamped"
    assert refused(with_table(2, clamp=(0, 1))) == message
