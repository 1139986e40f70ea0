"""Every rule of a layer, each broken once, with the whole message."""

from dataclasses import replace

import numpy as np
import pytest
from support.tiny_ticket import tiny_ticket

from tombola.spec import rules
from tombola.spec.arithmetic import LOGITS, NumberType
from tombola.spec.errors import TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    Aggregate,
    AveragePool,
    Conv,
    Input,
    Mask,
    MaxPool,
    Requantisation,
    Rescale,
    Residual,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import WeightSet

BYTE = NumberType(bits=8, signed=False)
BIT = NumberType(bits=1, signed=False)


def with_layer(index: int, **changes) -> Ticket:
    ticket = tiny_ticket()
    layers = list(ticket.layers)
    layers[index] = replace(layers[index], **changes)
    return replace(ticket, layers=tuple(layers))


def instead(index: int, layer) -> Ticket:
    ticket = tiny_ticket()
    layers = list(ticket.layers)
    layers[index] = layer
    return replace(ticket, layers=tuple(layers))


def refused(ticket: Ticket) -> str:
    with pytest.raises(TicketError) as caught:
        rules.check(ticket)
    message = str(caught.value)
    assert "\n" not in message and not message.endswith(".")
    return message


def one_layer(
    *,
    fan_in: int = 4,
    number: NumberType = BYTE,
    coding: Coding | None = None,
    scale: int = 1,
    bias: int = 0,
    shift: int = 0,
    residual: Residual | None = None,
) -> Ticket:
    """A linear layer of one frozen output, so that it has no mask bits whatever the fan-in."""
    if residual is not None:
        assert fan_in == 1
    return Ticket(
        seed=0,
        input=Input(shape=(fan_in, 1, 1), type=number, table=np.zeros((1, 256), dtype=np.int16)),
        classes=(),
        weight_sets=(WeightSet(id=0, out_channels=1, in_channels=fan_in, prune=256),),
        masks=(Mask(weight_set=0, coding=coding or Coding(coats=1), bits=np.zeros(0, dtype=bool)),),
        requantisations=(
            Requantisation(
                scale=np.array([scale], dtype=np.int16),
                bias=np.array([bias], dtype=np.int32),
                shift=shift,
                output=LOGITS,
                clamp=None,
            ),
        ),
        layers=(Conv(input=0, mask=0, requantisation=0, residual=residual),),
        provenance={},
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": 3}, "layer 2 reads tensor 3; only tensors 0 to 2 are made before it"),
        ({"input": 99}, "layer 2 reads tensor 99; only tensors 0 to 2 are made before it"),
        ({"input": -1}, "layer 2 reads tensor -1; only tensors 0 to 2 are made before it"),
        ({"mask": 3}, "layer 2 names mask 3, but the ticket has 3"),
        ({"mask": -1}, "layer 2 names mask -1, but the ticket has 3"),
        ({"requantisation": 3}, "layer 2 names requantisation 3, but the ticket has 3"),
        ({"requantisation": -3}, "layer 2 names requantisation -3, but the ticket has 3"),
        (
            {"residual": Residual(tensor=3, scale=1)},
            "layer 2 reads tensor 3; only tensors 0 to 2 are made before it",
        ),
        (
            {"residual": Residual(tensor=-2, scale=1)},
            "layer 2 reads tensor -2; only tensors 0 to 2 are made before it",
        ),
        (
            {"residual": Residual(tensor=1, scale=1)},
            "layer 2 adds tensor 1 of shape (5, 5, 4), which must have the shape (5, 3, 2) and an "
            "int16 scale",
        ),
        (
            {"residual": Residual(tensor=2, scale=1 << 15)},
            "layer 2 adds tensor 2 of shape (5, 3, 2), which must have the shape (5, 3, 2) and an "
            "int16 scale",
        ),
    ],
)
def test_what_a_layer_names_exists_and_agrees(changes, message):
    assert refused(with_layer(2, **changes)) == message


def test_a_mask_names_a_weight_set_that_exists():
    for index in (3, -1):
        ticket = tiny_ticket()
        masks = (ticket.masks[0], replace(ticket.masks[1], weight_set=index), ticket.masks[2])
        message = f"layer 2 names weight set {index}, but the ticket has 3"
        assert refused(replace(ticket, masks=masks)) == message


@pytest.mark.parametrize("groups", [0, -1, 2, 5])
def test_groups_make_up_the_channels(groups):
    assert refused(with_layer(2, groups=groups)) == (
        f"layer 2 has {groups} groups of 5 channels, which must make up the 5 channels of tensor "
        "2 and divide 5 output channels"
    )


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (
            Window(stride=(0, 1)),
            "layer 0 must have a kernel and a stride of 1 to 65535, not (3, 3) and (0, 1)",
        ),
        (
            Window(stride=(1, -2)),
            "layer 0 must have a kernel and a stride of 1 to 65535, not (3, 3) and (1, -2)",
        ),
        (
            Window(stride=(65536, 1)),
            "layer 0 must have a kernel and a stride of 1 to 65535, not (3, 3) and (65536, 1)",
        ),
        (
            Window(padding=(3, 0, 0, 0)),
            "layer 0 has padding (3, 0, 0, 0), which must be smaller than its 3x3 kernel",
        ),
        (
            Window(padding=(0, 0, 0, 3)),
            "layer 0 has padding (0, 0, 0, 3), which must be smaller than its 3x3 kernel",
        ),
        (
            Window(padding=(0, -1, 0, 0)),
            "layer 0 has padding (0, -1, 0, 0), which must be smaller than its 3x3 kernel",
        ),
    ],
)
def test_windows(window, message):
    assert refused(with_layer(0, window=window)) == message


def test_kernels_of_pooling():
    pool = AveragePool(input=1, kernel=(0, 2), window=Window(), requantisation=0)
    assert refused(instead(1, pool)) == (
        "layer 1 must have a kernel and a stride of 1 to 65535, not (0, 2) and (1, 1)"
    )
    pool = MaxPool(input=1, kernel=(6, 2), window=Window(padding=(0, 1, 0, 0)))
    assert refused(instead(1, pool)) == (
        "layer 1 has a 6x2 kernel, larger than its padded input of 5x5"
    )


def test_a_requantisation_has_the_channels_of_its_layer():
    assert refused(with_layer(3, requantisation=0)) == (
        "layer 3 has 4 channels but its requantisation has 5"
    )


def test_logits_come_last_and_are_not_read():
    assert refused(instead(1, Rescale(input=1, requantisation=2))) == (
        "layer 1 has 5 channels but its requantisation has 4"
    )
    ticket = tiny_ticket()
    again = replace(ticket, layers=(*ticket.layers, Rescale(input=3, requantisation=1)))
    assert refused(again) == "layer 3 makes logits before the end"


@pytest.mark.parametrize(
    ("fan_in", "number", "coding", "bound"),
    [
        (65535, BYTE, Coding(coats=127), 65535 * 255 * 127),
        (65535, NumberType(bits=8, signed=True), Coding(coats=127), 65535 * 128 * 127),
        (65535, BIT, Coding(coats=127), 65535 * 127),
    ],
)
def test_the_largest_sums_still_fit(fan_in, number, coding, bound):
    assert bound < 1 << 31
    # Scale 0: the logits are not what is looked at here.
    rules.check(one_layer(fan_in=fan_in, number=number, coding=coding, scale=0))


def test_sums_that_do_not_fit_are_refused():
    ticket = one_layer(fan_in=65535, coding=Coding(coats=127), scale=0)
    tall = replace(
        ticket,
        input=replace(ticket.input, shape=(65535, 2, 1)),
        weight_sets=(replace(ticket.weight_sets[0], kernel=(2, 1)),),
    )
    assert refused(tall) == (
        f"layer 0 can reach sums of {2 * 65535 * 255 * 127}, more than 32 bits hold"
    )


@pytest.mark.parametrize(
    ("parameters", "most"),
    [
        ({"fan_in": 512, "scale": 32767, "bias": 0}, 512 * 255 * 32767),
        ({"fan_in": 512, "scale": -32768, "bias": 0}, 512 * 255 * 32768),
        ({"fan_in": 1, "scale": 0, "bias": -(2**31)}, 2**31),
        ({"fan_in": 1, "scale": 1, "bias": 2**31 - 1}, 2**31 + 254),
        (
            {
                "fan_in": 1,
                "scale": 1,
                "bias": 2**31 - 256,
                "residual": Residual(tensor=0, scale=-1),
            },
            2**31 - 1 + 255,
        ),
    ],
)
def test_logits_that_do_not_fit_are_refused(parameters, most):
    message = f"layer 0 can reach logits of {most}, more than 32 bits hold"
    assert refused(one_layer(**parameters)) == message
    rules.check(one_layer(**{**parameters, "shift": 2}))


def test_the_largest_logit_fits():
    rules.check(one_layer(fan_in=1, scale=1, bias=2**31 - 256))
    rules.check(one_layer(fan_in=1, scale=0, bias=-(2**31) + 1))


def test_an_aggregate_has_room_for_65536_edges_into_a_node():
    ticket = one_layer(fan_in=1)
    rules.check(replace(ticket, layers=(*_aggregated(ticket),), requantisations=_tables(ticket)))


def _aggregated(ticket: Ticket):
    (layer,) = ticket.layers
    return Aggregate(input=0, requantisation=1), replace(layer, input=1)


def _tables(ticket: Ticket):
    (logits,) = ticket.requantisations
    return logits, replace(logits, output=BYTE, clamp=(0, 255))
