"""Exported tickets against the network they came from, tensor by tensor."""

from dataclasses import replace

import pytest
import torch

from tombola.model.integer import IntegerModel
from tombola.search.architecture import AveragePooling, Convolution, Linear, MaxPooling, sequential
from tombola.search.export import export
from tombola.search.layers import Map
from tombola.search.network import convert
from tombola.search.settings import SearchSettings
from tombola.search.weight_source import WeightSource
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError

PARTS = (
    Convolution(out=8, stride=2),
    Convolution(out=8, kernel=1, padding=0),
    MaxPooling(),
    Convolution(out=12),
    AveragePooling(size=3),
    Linear(out=16),
    Linear(out=5),
)
SHAPE = (3, 13, 12)


@pytest.fixture
def network():
    settings = SearchSettings(seed=3, sparsity=0.4)
    net = convert(sequential(PARTS, shape=SHAPE), settings, shape=SHAPE)
    net.train()
    for index in range(20):  # batch norms that have seen something
        torch.manual_seed(index)
        net(torch.randint(0, 256, (32, *SHAPE), dtype=torch.uint8))
    return net.eval()


def test_integers_of_the_ticket_are_those_of_the_search(network):
    ticket = export(network, classes=list("abcde"), provenance={"preset": "none"})
    images = torch.randint(0, 256, (64, *SHAPE), dtype=torch.uint8)
    tensors = IntegerModel(ticket).tensors(images)
    value, at = Map(images.float(), 1 / 255), 0
    with torch.no_grad():
        for layer in network.layers[:-1]:
            value = layer(value)
            at += 1
            if value.values.shape != tensors[at].shape:  # pooled before the rounding
                assert layer.pool is not None
                continue
            difference = (tensors[at].float() - value.values).abs()
            # A rounding may fall the other way where a real value lies at a half.
            assert difference.max() <= 1
            assert (difference > 0).float().mean() < 0.02
            value = value._replace(values=tensors[at].float())
        value = network.layers[-1](value)
    assert at == len(tensors) - 2
    logits, real = tensors[-1].flatten(1).float(), value.values.flatten(1)
    assert torch.allclose(logits * (real.norm() / logits.norm()), real, atol=1e-3)


def test_logits_are_bare_sums(network):
    ticket = export(network, classes=(), provenance={})
    table = ticket.requantisations[-1]
    assert table.scale.tolist() == [1] * 5
    assert not table.bias.any()
    assert table.shift == 0


def test_weights_of_pytorch_are_refused(network):
    network.settings = replace(network.settings, weights=WeightSource.TORCH)
    with pytest.raises(ConfigError) as error:
        export(network, classes=(), provenance={})
    assert str(error.value) == (
        "weights of PyTorch's generator cannot be regenerated on a chip; search with --weights "
        "stream to export a ticket"
    )


def test_the_bytes_of_fmnist_cnn_are_bounded():
    from tombola.search.presets import preset

    chosen = preset("fmnist-cnn")
    model = chosen.model(shape=(1, 28, 28), classes=10)
    net = convert(model, chosen.settings, shape=(1, 28, 28))
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker"]
    provenance = {**chosen.settings.record(), "preset": "fmnist-cnn", "dataset": "fmnist"}
    provenance |= {"torch": "2.13.0", "float_accuracy": 0.9123456789012345678}
    provenance |= {"integer_accuracy": 0.9123456789012345678}
    ticket = export(net, classes=[*classes, "Bag", "Ankle boot"], provenance=provenance)
    size = len(ticket_file.to_bytes(ticket))
    mask_bytes = sum(-(-mask.bits.size // 8) for mask in ticket.masks)
    table_bytes = sum(6 * table.scale.size for table in ticket.requantisations)
    assert mask_bytes == 31952 // 8
    assert size <= mask_bytes + table_bytes + 4096
