"""The PyTorch model against the numpy reference, tensor by tensor."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.tickets import SIGNED, TicketBuilder

from tombola.model.integer import IntegerModel, lowest_argmax
from tombola.spec import reference
from tombola.spec.arithmetic import LOGITS
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Aggregate, Conv, Input, Requantisation

BATCH = 5


def images_for(ticket, number, batch=BATCH):
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (batch, *ticket.input.shape), dtype=np.uint8)


@pytest.mark.parametrize("number", range(120))
def test_every_tensor_equals_the_reference(random_ticket, number):
    ticket = random_ticket(number)
    images = images_for(ticket, number)
    expected = reference.infer(ticket, images)
    found = IntegerModel(ticket, batch=3).tensors(images)
    assert len(found) == len(expected)
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert ours.dtype == torch.int64
        np.testing.assert_array_equal(ours.numpy(), theirs, err_msg=f"tensor {index}")


@pytest.mark.parametrize("number", range(8))
def test_graphs_equal_the_reference(number):
    rng = np.random.default_rng(number)
    ticket = (
        TicketBuilder((5, 4, 3), seed=number)
        .conv(7, (1, 1), coding=Coding(coats=3), output=SIGNED, in_channels=5)
        .aggregate(channels=7, edges_a_node=4)
        .conv(3, (1, 1), logits=True, in_channels=7)
        .build()
    )
    images = images_for(ticket, number)
    edges = np.stack([*rng.integers(0, 12, (2, 40)), rng.integers(-128, 128, 40)])
    expected = reference.infer(ticket, images, edges=edges)
    found = IntegerModel(ticket, batch=3, edges=edges).tensors(images)
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_array_equal(ours.numpy(), theirs, err_msg=f"tensor {index}")
    assert len(np.unique(expected[2])) > 20
    weights = edges.copy()
    weights[2, 7] ^= 1
    other = IntegerModel(ticket, edges=weights).tensors(images)
    assert not np.array_equal(other[2].numpy(), expected[2])


def test_random_tickets_cover_the_format(random_ticket):
    tickets = [random_ticket(number) for number in range(120)]
    layers = [layer for ticket in tickets for layer in ticket.layers]
    convs = [layer for layer in layers if isinstance(layer, Conv)]
    assert len({type(layer) for layer in layers}) == 4
    assert any(conv.groups > 1 for conv in convs)
    assert any(
        conv.window.padding[0] != conv.window.padding[2]
        and conv.window.padding[1] != conv.window.padding[3]
        for conv in convs
    )
    assert any(conv.residual is not None for conv in convs)
    assert any(max(conv.window.stride) == 3 for conv in convs)
    masks = [mask for ticket in tickets for mask in ticket.masks]
    assert {mask.coding.coats for mask in masks} >= {1, 2, 3, 4, None}
    assert {mask.coding.stored for mask in masks} >= {2, 8, None}
    assert {table.output.signed for t in tickets for table in t.requantisations} == {True, False}


def test_logits_do_not_depend_on_the_batch(random_ticket):
    ticket = random_ticket(3)
    images = torch.from_numpy(images_for(ticket, 3, batch=7))
    whole = IntegerModel(ticket).logits(images)
    assert torch.equal(whole, IntegerModel(ticket, batch=2).logits(images))
    labels = lowest_argmax(whole)
    assert IntegerModel(ticket).accuracy(images, labels) == 1.0


def test_equal_logits_give_the_lowest_index():
    logits = torch.tensor([[3, 7, 7], [5, 5, 5], [-2, -3, -2], [-9, -8, -7]])
    assert lowest_argmax(logits).tolist() == [1, 0, 0, 2]


def test_wrong_images_are_refused(random_ticket):
    ticket = random_ticket(0)
    channels, height, width = ticket.input.shape
    with pytest.raises(ConfigError, match=r"^images must be uint8 with .* values each, not "):
        IntegerModel(ticket).logits(torch.zeros(1, channels, height, width))
    with pytest.raises(ConfigError, match=r"^images must be uint8 with .* values each, not "):
        IntegerModel(ticket).logits(torch.zeros(1, 1, 1, 1, dtype=torch.uint8))


def test_wrong_parameters_are_refused(random_ticket):
    with pytest.raises(ConfigError, match="batch must be at least 1, not 0"):
        IntegerModel(random_ticket(0), batch=0)


def test_graphs_are_refused(random_ticket):
    ticket = random_ticket(0)
    graph = replace(
        ticket,
        input=Input(shape=(2, 1, 1), type=ticket.input.type, table=np.zeros((2, 256), np.int16)),
        weight_sets=(),
        masks=(),
        requantisations=(
            Requantisation(
                scale=np.ones(2, np.int16),
                bias=np.zeros(2, np.int32),
                shift=0,
                output=LOGITS,
                clamp=None,
            ),
        ),
        layers=(Aggregate(input=0, requantisation=0),),
    )
    with pytest.raises(ConfigError, match="^the ticket aggregates over a graph; give the edges"):
        IntegerModel(graph)
