"""Width and freeze ratio, as options of the search and so of a sweep."""

import json
from pathlib import Path

import pytest

from tombola.cli.main import main
from tombola.model.account import account
from tombola.search.presets import preset
from tombola.search.survey import survey
from tombola.spec import ticket_file

ARGUMENTS = ["search", "--preset=digits-cnn", "--epochs=1"]


def test_both_are_in_the_ticket(tmp_path, capsys):
    options = ["--width=0.5", "--freeze=0.6", "--sparsity=0.75", f"--out={tmp_path}", "--json"]
    assert main([*ARGUMENTS, *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["width"], document["prune"]) == (0.5, 0.6 * 0.75)
    assert document["lock"] == pytest.approx(0.6 * 0.25)
    ticket = ticket_file.load(Path(document["ticket"]))
    assert ticket.provenance["width"] == 0.5
    assert [conv.out_channels for conv in ticket.weight_sets] == [8, 16, 32, 10]
    counted = account(ticket)
    assert counted["searchable_weights"] / counted["weights"] == pytest.approx(0.4, abs=0.03)


def test_width_spares_the_logits():
    model = preset("fmnist-mlp").model(shape=(1, 28, 28), classes=10, width=2)
    sizes = [layer.size.out_channels for layer in survey(model, shape=(1, 28, 28))]
    assert sizes == [512, 512, 10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--freeze=0.5", "--lock=0.2"),
            "--freeze sets prune and lock; leave --prune and --lock out",
        ),
        (("--freeze=1.5",), "freeze must be between 0 and 1, not 1.5"),
        (("--width=0",), "width must be above 0 and finite, not 0"),
    ],
)
def test_refuses(options, message, tmp_path, capsys):
    assert main([*ARGUMENTS, *options, f"--out={tmp_path}"]) == 2
    assert capsys.readouterr().err.startswith(f"tombola: error: {message}")
