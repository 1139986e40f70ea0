"""Searches in half precision: as good, and the ticket's integers still agree."""

from dataclasses import replace

import pytest
import torch

from tombola.search.network import convert
from tombola.search.presets import preset
from tombola.search.search import search
from tombola.search.settings import SearchSettings
from tombola.spec.errors import ConfigError

CLASSES = [str(digit) for digit in range(10)]


def test_bfloat16_on_digits(digits, tmp_path):
    chosen = preset("digits-cnn")
    settings = replace(chosen.settings, epochs=6, precision="bfloat16")
    train, test = digits
    result = search(
        replace(chosen, settings=settings), train=train, test=test, classes=CLASSES, out=tmp_path
    )
    assert result.integer_accuracy >= 0.9
    assert abs(result.integer_accuracy - result.float_accuracy) <= 0.005


def test_only_convolutions_compute_in_half_precision():
    model = preset("digits-cnn").model(shape=(1, 8, 8), classes=10)
    network = convert(model, SearchSettings(), shape=(1, 8, 8))
    images = torch.randint(256, (4, 1, 8, 8), dtype=torch.uint8)
    kinds = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _, inputs, made: kinds.append(made.values.dtype))
    whole = network(images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(images)
    assert set(kinds) == {torch.float32}
    assert not torch.equal(whole, half)


def test_images_and_maps_lie_channels_last():
    """As the weights do, so that no convolution turns anything around."""
    model = preset("digits-cnn").model(shape=(3, 8, 8), classes=10)
    network = convert(model, SearchSettings(), shape=(3, 8, 8))
    seen = []
    for layer in network.layers[:4]:
        layer.register_forward_hook(
            lambda _, inputs, made: seen.append(
                (inputs[0].values, made.values)
            )
        )
    network(torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8))
    for values in (value for pair in seen for value in pair):
        assert values.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_a_line_says_so(digits, tmp_path):
    chosen = preset("digits-cnn")
    train, test = digits
    wanted = replace(chosen, settings=replace(chosen.settings, device="cuda"))
    with pytest.raises(ConfigError, match="^PyTorch sees no GPU; search with device cpu$"):
        search(wanted, train=train, test=test, classes=CLASSES, out=tmp_path)
