"""Sample tickets: valid, the same for the same arguments, with activations that live."""

import json

import numpy as np
import pytest

from tombola.cli.main import main
from tombola.model.integer import IntegerModel
from tombola.spec import reference, rules, size, ticket_file, weight_stream
from tombola.spec.errors import ConfigError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Conv
from tombola.spec.weight_stream import FreezeClass
from tombola.suite.networks import NETWORKS
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample

RECIPES = {
    "plain": Recipe(),
    "frozen": Recipe(frozen=0.7),
    "coats": Recipe(frozen=0.3, coding=Coding(coats=3)),
    "stored": Recipe(coding=Coding(stored=4)),
}
WEIGHTS = {
    "fmnist-mlp": 268_800,
    "fmnist-cnn": 31_952,
    "digits-cnn": 25_744,
    "conv64": 36_864,
    "conv6": 2_261_184,
    "resnet8": 77_360,
    # Shortcuts without weights are stored identities of 16 x 32 and 32 x 64 weights.
    "resnet20": 268_336 + 16 * 32 + 32 * 64,
}


def images(ticket, count):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (count, *ticket.input.shape), dtype=np.uint8)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_activations_neither_die_nor_saturate(network, recipe):
    ticket = sample(network, seed=3, recipe=RECIPES[recipe])
    rules.check(ticket)
    tensors = IntegerModel(ticket).tensors(images(ticket, 2))
    for index, tensor in enumerate(tensors[1:-1]):
        values = tensor.numpy()
        most = 127 if values.min() < 0 else 255
        assert (values == 0).mean() < 0.9, index
        assert (np.abs(values) == most).mean() < 0.06, index
        assert values.std() > 5, index
    assert len(np.unique(tensors[-1].numpy())) > 8


@pytest.mark.parametrize("network", ["digits-cnn", "resnet8", "resnet20"])
def test_the_reference_computes_the_same(network):
    ticket = sample(network, recipe=RECIPES["coats"])
    pixels = images(ticket, 1)
    assert (IntegerModel(ticket).logits(pixels).numpy() == reference.logits(ticket, pixels)).all()


@pytest.mark.parametrize("network", WEIGHTS)
def test_networks_have_the_weights_they_are_known_by(network):
    assert size.measure(sample(network)).weights == WEIGHTS[network]


def test_a_folded_network_iterates_a_block():
    ticket = sample("folded-resnet")
    uses = [layer.mask for layer in ticket.layers if isinstance(layer, Conv)]
    assert sorted(uses.count(mask) for mask in set(uses))[-6:] == [4] * 6
    tables = [layer.requantisation for layer in ticket.layers]
    assert len(set(tables)) == len(tables)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_arguments_give_the_same_bytes(recipe):
    first, second, other = (
        ticket_file.to_bytes(sample("digits-cnn", seed=seed, recipe=RECIPES[recipe]))
        for seed in (5, 5, 6)
    )
    assert first == second != other


def test_frozen_weights_own_no_mask_bit():
    plain, frozen = (size.measure(sample("conv6", recipe=Recipe(frozen=x))) for x in (0.0, 0.7))
    assert plain.mask_bits == 2_261_184
    assert frozen.mask_bits / plain.mask_bits == pytest.approx(0.3, abs=0.005)


def test_half_of_what_is_open_is_kept_and_each_coat_half_of_the_one_before():
    ticket = sample("fmnist-mlp", recipe=RECIPES["coats"])
    weights = np.abs(ticket.decoded[0][0])
    classes = weight_stream.freeze_classes(ticket.seed, ticket.weight_sets[0])
    open_ones = weights[classes == FreezeClass.SEARCHABLE]
    found = [(open_ones >= coat).mean() for coat in (1, 2, 3)]
    assert found == pytest.approx([0.5, 0.25, 0.125], abs=0.01)
    assert (weights[classes == FreezeClass.LOCKED] == 3).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frozen": 1.5}, "frozen must be between 0 and 1, not 1.5"),
        ({"frozen": float("nan")}, "frozen must be between 0 and 1, not nan"),
        ({"coats": 0}, "coats must be between 1 and 127, not 0"),
        ({"weights": "stored:9"}, "stored must be between 2 and 8 bits, not 9"),
        (
            {"weights": "int4"},
            "weights must be stream, or stored:BITS such as stored:4, not int4",
        ),
        (
            {"weights": "stored:4", "coats": 3},
            "coats are of weights that the seed draws, not of stored:4; leave one out",
        ),
        (
            {"weights": "stored:4", "frozen": 0.5},
            "frozen must be 0 for stored weights, not 0.5; the seed draws none",
        ),
    ],
)
def test_wrong_recipes(options, message):
    with pytest.raises(ConfigError) as caught:
        Recipe.parse(**options)
    assert str(caught.value) == message


def test_wrong_networks_and_seeds():
    with pytest.raises(ConfigError) as caught:
        sample("conv5")
    assert str(caught.value) == f"network must be one of {', '.join(NETWORKS)}, not conv5"
    with pytest.raises(ConfigError, match=r"^seed must be between 0 and 2\^64 - 1, not -1$"):
        sample("conv64", seed=-1)


def test_the_command_writes_what_it_says(tmp_path, capsys):
    out = tmp_path / "t.ticket"
    arguments = ["resnet8", "--weights", "stored:4", "--seed", "9", "--out", str(out)]
    assert main(["sample", *arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    ticket = ticket_file.load(out)
    assert ticket.seed == 9
    assert document["weights"] == 77_360
    assert document["mask_bits"] == sum(mask.bits.size for mask in ticket.masks)
    assert document["ticket_bytes"] == out.stat().st_size
    assert main(["sample", *arguments]) == 0
    assert "resnet8, 11 layers" in capsys.readouterr().out


def test_the_command_explains_itself_in_one_line(tmp_path, capsys):
    assert main(["sample", "conv5", "--out", str(tmp_path / "t")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tombola: error: network must be one of fmnist-mlp, ")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
