"""Sizes of networks that nobody has searched."""

import json

import pytest

from tombola.cli.main import main


def say(capsys, *arguments):
    assert main(["size", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_folded_network(capsys):
    found = say(capsys, "resnet50-folded", "--classes=100", "--algorithm=hidden-fold")
    # The published 1.953 MB, with a seed of 64 bits instead of 32.
    assert found["searched_bytes"] == (64 + 14_739_136 + 32 * 27_648) // 8
    assert found["algorithm"] == "hidden-fold"


def test_coats_and_freezing_by_options(capsys):
    coats = say(
        capsys, "resnet18", "--sparsity=0.7", "--coats=3", "--coat-sparsities=0.9212,0.9685"
    )
    assert f"{coats['mask_bits_a_weight']:.4f}" == "1.3788"
    frozen = say(capsys, "conv6", "--prune=0.35", "--lock=0.35", "--allocation=epl")
    assert frozen["mask_bits_a_weight"] == pytest.approx(0.3, abs=0.005)
    assert frozen["weights"] == 2_261_184


def test_a_preset_and_a_stem(capsys):
    assert say(capsys, "fmnist-cnn", "--shape=1x28x28")["weights"] == 31_952
    large = say(capsys, "resnet18", "--shape=3x224x224", "--classes=1000", "--stem=imagenet")
    assert large["weights"] == 11_678_912


def test_in_words(capsys):
    assert main(["size", "resnet18", "--algorithm", "multicoat"]) == 0
    said = capsys.readouterr().out
    for words in ("11164352", "coats", "entropy bound", "dense, 1 bit", "requantisation"):
        assert words in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("conv4", "--shape=3x32"), "shape must be CxHxW, such as 3x32x32, not '3x32'"),
        (("vgg",), "model 'vgg' is unknown; known: mlp, conv2, "),
        (
            ("conv4", "--stem=cifar"),
            "--stem is for residual networks, not conv4; leave it out",
        ),
        (("conv4", "--prune=0.7"), "prune 0.7 exceeds sparsity 0.5"),
    ],
)
def test_refuses(arguments, message, capsys):
    assert main(["size", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"tombola: error: {message}")
