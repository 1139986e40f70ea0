"""The numpy reference: hand-checked layers, refused images, and the size of a ticket."""

from dataclasses import replace

import numpy as np
import pytest
from support.page import known_answer, names
from support.rich_ticket import rich_ticket
from support.tiny_ticket import tiny_image, tiny_ticket

from tombola.spec import reference, size
from tombola.spec.errors import ConfigError
from tombola.spec.ticket import Aggregate
from tombola.spec.weight_stream import FreezeClass, freeze_classes


def test_the_tensors_are_those_of_the_page():
    answer = known_answer("ticket-format.md", "tiny-ticket")
    tensors = reference.infer(tiny_ticket(), tiny_image())
    assert [tensor.reshape(-1).tolist() for tensor in tensors] == answer["tensors"]


def test_images_of_a_batch_do_not_see_each_other():
    ticket, one = tiny_ticket(), tiny_image()
    other = 255 - one
    both = reference.logits(ticket, np.concatenate([one, other]))
    assert (both == np.concatenate([reference.logits(ticket, x) for x in (one, other)])).all()


def test_images_may_be_flat():
    ticket, image = tiny_ticket(), tiny_image()
    assert (reference.logits(ticket, image.reshape(1, -1)) == reference.logits(ticket, image)).all()


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        (np.zeros((1, 3, 5, 4)), "float64 of shape (1, 3, 5, 4)"),
        (np.zeros((1, 3, 5, 5), dtype=np.uint8), "uint8 of shape (1, 3, 5, 5)"),
        (np.zeros(60, dtype=np.uint8), "uint8 of shape (60,)"),
    ],
)
def test_other_images_are_refused(images, shown):
    with pytest.raises(ConfigError) as caught:
        reference.infer(tiny_ticket(), images)
    assert str(caught.value) == f"images must be uint8 with 3x5x4 values each, not {shown}"


def test_aggregation_needs_a_graph():
    ticket = tiny_ticket()
    layers = (*ticket.layers[:2], Aggregate(input=2, requantisation=1), ticket.layers[3])
    used = replace(
        ticket,
        layers=layers,
        masks=(ticket.masks[0], replace(ticket.masks[2], weight_set=1)),
        weight_sets=(ticket.weight_sets[0], ticket.weight_sets[2]),
    )
    used = replace(used, layers=(*layers[:3], replace(layers[3], mask=1)))
    with pytest.raises(ConfigError) as caught:
        reference.infer(used, tiny_image())
    assert str(caught.value) == "the ticket aggregates over a graph; give the edges of one"


def test_the_size_of_the_tiny_ticket():
    ticket = tiny_ticket()
    measured = size.measure(ticket)
    assert measured.weights == 5 * 27 + 5 * 5 + 4 * 30 == measured.layer_weights
    searchable = sum(
        int((freeze_classes(ticket.seed, x) == FreezeClass.SEARCHABLE).sum())
        for x in ticket.weight_sets
    )
    assert measured.searchable_weights == searchable
    assert measured.mask_bits == sum(mask.bits.size for mask in ticket.masks)
    assert measured.requantisation_bits == (5 + 5 + 4) * 48
    assert measured.seed_and_mask_bits == 64 + measured.mask_bits
    assert measured.model_bits == measured.seed_and_mask_bits + 14 * 48
    assert measured.dense_bytes == 4 * 280


def test_folded_layers_count_once_in_the_ticket_and_twice_in_the_dense_network():
    measured = size.measure(rich_ticket())
    folded = 6 * 6 * 9
    assert measured.layer_weights - measured.weights == folded


def test_no_known_answer_is_left_unread():
    assert names("ticket-format.md") == {"requantisation", "tiny-ticket"}
    assert names("weight-stream.md") == {
        "lfsr-steps", "leaps", "speck-64-128", "start-states", "words", "row-sizes",
        "row-layout", "freeze-counts", "freeze-classes", "mask-1-coat", "mask-3-coats",
        "mask-stored-4",
    }  # fmt: skip
