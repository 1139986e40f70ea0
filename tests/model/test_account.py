"""Counting what is in a ticket."""

import json

import pytest

from tombola.model.account import account, entropy_bits
from tombola.spec.ticket import Conv


def test_entropy_by_hand():
    # Mask entropy in bits a weight, as the literature rounds it.
    for ratio, bits in ((0.5, 1.0), (0.3, 0.881), (0.2, 0.722), (0.1, 0.469), (0.05, 0.286)):
        assert entropy_bits(int(1000 * ratio), 1000) / 1000 == pytest.approx(bits, abs=5e-4)
    assert entropy_bits(0, 7) == entropy_bits(7, 7) == 0
    assert entropy_bits(0, 0) == 0


@pytest.mark.parametrize("number", range(20))
def test_counts_agree_with_each_other(random_ticket, number):
    ticket = random_ticket(number)
    counted = account(ticket)
    json.dumps(counted)
    table = counted["layer_table"]
    assert counted["layers"] == len(ticket.layers) == len(table)
    convs = [entry for entry in table if entry["op"] == "conv"]
    assert len(convs) == sum(isinstance(layer, Conv) for layer in ticket.layers)
    for entry in convs:
        assert entry["pruned"] + entry["locked"] + entry["searchable"] == entry["weights"]
        assert entry["kept"] <= entry["weights"] - entry["pruned"]
    assert sum(entry["mask_bits"] for entry in convs) == counted["mask_bits"]
    # Every bit of a mask is one of the choices that the entropy counts.
    assert counted["entropy_bits"] <= counted["mask_bits"] + 0.1
    assert counted["seed_and_mask_bytes"] == -(-(64 + counted["mask_bits"]) // 8)
