"""`tombola search` on trained networks, and one line for each that it cannot take."""

import json

import pytest
import torch
from support import keras_forge

from tombola.cli.main import main
from tombola.data import find
from tombola.search.presets import PRESETS

DIGITS = ["search", "--preset", "digits-cnn", "--algorithm", "jackpot", "--epochs", "1"]


@pytest.fixture
def state(tmp_path):
    """A state dict of the network of digits-cnn, untrained."""
    torch.manual_seed(3)
    path = tmp_path / "net.pt"
    torch.save(PRESETS["digits-cnn"].model(shape=(1, 8, 8), classes=10).state_dict(), path)
    return path


def refuse(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tombola: error: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("tombola: error: ").strip()


@pytest.mark.parametrize("bits", [4, 8])
def test_a_state_dict(state, tmp_path, capsys, bits):
    options = ["--pretrained", state, "--stored-bits", bits, "--train-samples", 256]
    options += ["--test-samples", 100, "--out", tmp_path, "--json"]
    assert main([str(option) for option in [*DIGITS, *options]]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["samples"], found["weights"], found["rates"]) == (100, "stored", "magnitude")
    assert abs(found["integer_accuracy"] - found["float_accuracy"]) <= 0.02
    assert main(["inspect", found["ticket"], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    # A mask bit for each weight, and the stored bits of those that are kept.
    assert shown["mask_bits"] == shown["weights"] + bits * shown["kept_weights"]
    assert shown["kept_weights"] <= shown["weights"] - int(0.5 * shown["weights"])
    assert main(["eval", found["ticket"], "--samples", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["integer_accuracy"] == found["integer_accuracy"]


def test_files_that_are_refused(state, tmp_path, capsys):
    out = ["--out", tmp_path]
    missing = tmp_path / "none.pt"
    said = refuse(capsys, *DIGITS, "--pretrained", missing, *out)
    assert said == f"cannot read {missing}: No such file or directory"
    said = refuse(capsys, *DIGITS, "--pretrained", missing.with_suffix(".h5"), *out)
    assert said == f"cannot read {missing.with_suffix('.h5')}: No such file or directory"
    keras = keras_forge.write(tmp_path / "net.h5")
    said = refuse(capsys, *DIGITS, "--pretrained", keras, *out)
    assert said == "net.h5 takes images of (2, 6, 6), but those of digits are (1, 8, 8)"
    said = refuse(capsys, *DIGITS, "--pretrained", keras, "--width", 2, *out)
    assert said == "net.h5 has the width it was trained with; leave --width out"
    state.write_bytes(state.read_bytes()[:-100])
    said = refuse(capsys, *DIGITS, "--pretrained", state, *out)
    assert said.startswith(f"{state} is no state dict of PyTorch that is safe to open")


def test_weights_are_either_stored_and_trained_or_drawn(state, tmp_path, capsys):
    said = refuse(capsys, *DIGITS, "--out", tmp_path)
    assert said == (
        "preset digits-cnn has no trained weights to store; name a file with --pretrained, or a "
        "preset of a trained network"
    )
    drawn = ["search", "--preset", "digits-cnn", "--out", tmp_path]
    said = refuse(capsys, *drawn, "--pretrained", state)
    assert said == (
        "weights of a trained network would be drawn anew; add --algorithm jackpot, which stores "
        "them"
    )
    said = refuse(capsys, "search", "--preset", "cifar10-resnet8", "--out", tmp_path)
    assert said.startswith("weights of a trained network would be drawn anew")
    graph = ["search", "--algorithm", "gnn-multicoat", "--dataset", "cora", "--out", tmp_path]
    said = refuse(capsys, *graph, "--pretrained", state)
    assert said == "--pretrained is not for graph networks; leave it out"


def test_the_preset_without_its_network(tmp_path, capsys, monkeypatch):
    from dataclasses import replace

    from tombola.data import catalog

    bare = tuple(replace(source, system_folders=()) for source in catalog.SOURCES)
    monkeypatch.setattr(catalog, "SOURCES", bare)
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path))
    monkeypatch.delenv("TOMBOLA_DATA", raising=False)
    preset = ["search", "--preset", "cifar10-resnet8", "--algorithm", "jackpot"]
    said = refuse(capsys, *preset, "--out", tmp_path)
    assert said == (
        "resnet8 is missing; put mlperf_tiny_resnet8_cifar10.h5 into a folder and name it with "
        "--data-dir"
    )


@pytest.mark.slow  # minutes, and two files that not every computer has
def test_the_pretrained_network_is_as_good_as_it_was(tmp_path, capsys):
    for name in ("cifar10", "resnet8"):
        if find(name) is None:
            pytest.skip(f"{name} is not on this computer")
    from tombola.data import load, load_network
    from tombola.search.models.wired import Wired

    network, images = load_network("resnet8"), load("cifar10")
    model = Wired(network.layers, image=network.input).eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(images.test_images[:2000]).float())
    right = (logits.argmax(1).numpy() == images.test_labels[:2000]).mean()
    assert right == 0.879
    search = ["search", "--preset", "cifar10-resnet8", "--algorithm", "jackpot", "--json"]
    search += ["--sparsity", "0", "--epochs", "0", "--norm", "frozen", "--train-samples", "2000"]
    assert main([*search, "--out", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["float_accuracy"] > 0.865
    assert abs(found["integer_accuracy"] - found["float_accuracy"]) <= 0.005
