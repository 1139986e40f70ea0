"""Where weights come from, and how they lie in memory."""

import pytest
import torch
from torch import nn

from tombola.search import SearchSettings, convert
from tombola.search.weight_source import WeightSource

SHAPE = (1, 12, 12)


def model():
    return nn.Sequential(
        nn.Conv2d(1, 20, 3, bias=False), nn.BatchNorm2d(20, affine=False), nn.ReLU(),
        nn.Conv2d(20, 24, 3, bias=False), nn.BatchNorm2d(24, affine=False), nn.ReLU(),
        nn.Flatten(), nn.Linear(24 * 64, 5, bias=False),
    )  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"prune": 0.3, "lock": 0.3},
        {"weights": WeightSource.TORCH},
        {"weights": WeightSource.STORED},
    ],
)
def test_weights_and_maps_lie_channels_last(settings):
    """Anything else is right too, but a step of fmnist-cnn takes half as long again."""
    network = convert(model(), SearchSettings(**settings), shape=SHAPE)
    for conv in network.convs:
        for tensor in (conv.units, conv.weights, conv.mask, conv.scores, conv.keys()):
            assert tensor.is_contiguous()
    made = []
    for layer in network.layers[:2]:
        layer.register_forward_hook(lambda _, inputs, result: made.append(result.values))
    network(torch.zeros(2, *SHAPE, dtype=torch.uint8))
    assert len(made) == 2
    for values in made:
        assert values.is_contiguous(memory_format=torch.channels_last)
