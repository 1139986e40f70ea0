"""`tombola search`, `eval` and `inspect` on one small ticket."""

import json

import pytest

from tombola.cli.main import main
from tombola.search.presets import PRESETS

EPOCHS = 4


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Folder and document of a search of a few epochs."""
    out = tmp_path_factory.mktemp("search")
    return out, search(out)


def search(out, *arguments):
    """Runs the verb as a program would, and reads what it says."""
    import contextlib
    import io

    said = io.StringIO()
    command = ["search", "--preset", "digits-cnn", "--epochs", str(EPOCHS), "--threads", "1"]
    with contextlib.redirect_stdout(said):
        assert main([*command, "--out", str(out), "--json", *arguments]) == 0
    return json.loads(said.getvalue())


def say(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refuse(capsys, *arguments):
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tombola: error: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("tombola: error: ").strip()


def test_search_says_what_it_found(found):
    out, document = found
    assert document["ticket"] == str(out / "digits-cnn.ticket")
    assert 0.5 < document["float_accuracy"] <= 1
    assert abs(document["integer_accuracy"] - document["float_accuracy"]) <= 0.01
    assert document["epochs"] == EPOCHS
    assert document["samples"] == 360
    for key in ("metrics", "curve", "checkpoint"):
        assert document[key].startswith(str(out))


def test_search_resumes(found):
    out, document = found
    before = (out / "digits-cnn.ticket").read_bytes()
    again = search(out, "--resume")
    assert again["integer_accuracy"] == document["integer_accuracy"]
    assert (out / "digits-cnn.ticket").read_bytes() == before


def test_search_in_words(tmp_path, capsys):
    command = ["search", "--preset", "digits-cnn", "--epochs", "1", "--threads", "1"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert "integer accuracy" in captured.out
    assert "epoch 1/1: loss " in captured.err


def test_search_with_weights_of_pytorch(tmp_path, capsys):
    out = ["--out", str(tmp_path), "--epochs", "1"]
    document = say(capsys, "search", "--preset", "digits-cnn", "--weights", "torch", *out)
    assert document["ticket"] is None
    assert document["integer_accuracy"] is None
    assert 0 <= document["float_accuracy"] <= 1


def test_search_by_an_algorithm_with_a_part_of_it_changed(tmp_path, capsys):
    command = ["search", "--preset", "digits-cnn", "--algorithm", "multicoat", "--coats", "2"]
    command += ["--coat-sparsities", "0.9", "--norm", "plain", "--epochs", "2"]
    document = say(capsys, *command, "--out", str(tmp_path))
    assert document["algorithm"] == "multicoat"
    assert (document["coats"], document["coat_sparsities"]) == (2, "0.9")
    assert document["scale"] == "layer"
    assert "norm" not in document
    shown = say(capsys, "inspect", document["ticket"])
    assert shown["provenance"]["algorithm"] == "multicoat"
    assert shown["mask_bits"] == pytest.approx(1.3 * shown["weights"], rel=1e-3)


def test_coats_alone_are_evenly_spaced(tmp_path, capsys):
    command = ["search", "--preset", "digits-cnn", "--algorithm", "multicoat", "--coats", "4"]
    document = say(capsys, *command, "--epochs", "1", "--out", str(tmp_path))
    assert "coat_sparsities" not in document


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            f"--preset must name a network, {', '.join(PRESETS)}, unless --algorithm names one of "
            "a graph, gnn-multicoat, gnn-ugt, gnn-nm",
        ),
        (
            ("--preset", "digits-cnn", "--hyperparameters", "small"),
            "--hyperparameters are those of an --algorithm; name one",
        ),
        (
            ("--preset", "digits-cnn", "--coat-sparsities", "0.9,x"),
            "--coat-sparsities must be numbers with commas between them, not '0.9,x'",
        ),
        (
            ("--preset", "digits-cnn", "--coats", "3", "--coat-sparsities", "0.9"),
            "coat_sparsities must name the 2 coats after the first, not 1",
        ),
        (("--preset", "vgg"), f"preset 'vgg' is unknown; known: {', '.join(PRESETS)}"),
        (
            ("--preset", "digits-cnn", "--prune", "0.4", "--sparsity", "0.3"),
            "prune 0.4 exceeds sparsity 0.3, which counts pruned weights; lower prune or raise "
            "sparsity",
        ),
        (("--preset", "digits-cnn", "--epochs", "0"), "epochs must be at least 1, not 0"),
    ],
)
def test_search_refuses(arguments, message, tmp_path, capsys):
    assert refuse(capsys, "search", *arguments, "--out", str(tmp_path)) == message


def test_eval_measures_what_the_search_measured(found, capsys):
    _, document = found
    measured = say(capsys, "eval", document["ticket"])
    assert measured["samples"] == 360
    assert measured["dataset"] == "digits"
    assert measured["float_accuracy"] == document["float_accuracy"]
    assert measured["integer_accuracy"] == document["integer_accuracy"]


def test_eval_of_some_samples(found, capsys):
    measured = say(capsys, "eval", found[1]["ticket"], "--samples", "25", "--dataset", "digits")
    assert measured["samples"] == 25
    assert measured["integer_accuracy"] * 25 == pytest.approx(
        round(measured["integer_accuracy"] * 25)
    )


def test_eval_in_words(found, capsys):
    assert main(["eval", found[1]["ticket"]]) == 0
    captured = capsys.readouterr()
    assert "integer accuracy" in captured.out
    assert "360 of digits" in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--samples", "361"),
            "samples must be between 1 and 360, the test images of digits, not 361",
        ),
        (("--samples", "0"), "samples must be between 1 and 360, the test images of digits, not 0"),
    ],
)
def test_eval_refuses(found, arguments, message, capsys):
    assert refuse(capsys, "eval", found[1]["ticket"], *arguments) == message


def test_eval_of_nothing(tmp_path, capsys):
    missing = tmp_path / "no.ticket"
    assert (
        refuse(capsys, "eval", str(missing))
        == f"cannot read ticket {missing}: No such file or directory"
    )


def test_inspect_counts(found, capsys):
    _, document = found
    shown = say(capsys, "inspect", document["ticket"])
    weights = shown["weights"]
    assert shown["searchable_weights"] == shown["mask_bits"] == weights
    assert shown["mask_bits_a_weight"] == 1.0
    assert shown["dense_bytes"] == 4 * weights
    assert shown["ticket_bytes"] == document["ticket_bytes"]
    channels = sum(x["shape"][0] for x in shown["layer_table"] if "shift" in x)
    assert shown["requantisation_bits"] == 48 * channels
    assert shown["seed_and_mask_bytes"] == -(-(64 + weights) // 8)
    assert shown["model_bytes"] == -(-(64 + weights + 48 * channels) // 8)
    # Half of the weights stay, so no code is shorter than a bit for each.
    assert shown["entropy_bits"] == pytest.approx(weights, rel=1e-3)
    assert shown["layers"] == len(shown["layer_table"])
    assert sum(x.get("weights", 0) for x in shown["layer_table"]) == weights
    assert shown["provenance"]["preset"] == "digits-cnn"
    bound = -(-shown["mask_bits"] // 8) + shown["requantisation_bits"] // 8 + 4096
    assert shown["ticket_bytes"] <= bound


def test_inspect_in_words(found, capsys):
    assert main(["inspect", found[1]["ticket"]]) == 0
    said = capsys.readouterr().out
    assert "max_pool" in said
    assert "mask bits" in said
    assert "seed and mask" in said


def test_inspect_refuses_what_is_no_ticket(tmp_path, capsys):
    other = tmp_path / "other.ticket"
    other.write_bytes(b"hello world, this is not a ticket")
    assert refuse(capsys, "inspect", str(other)).startswith(f"{other}: ")
