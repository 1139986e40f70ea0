"""Errors, exit status and the shape of what is printed."""

import json
import sys
from types import ModuleType

import pytest

from tombola.cli import main as cli
from tombola.spec.errors import TombolaError


@pytest.fixture
def verb(monkeypatch):
    """Makes `tombola doctor` do what a test wants."""

    def make(run):
        module = ModuleType("tombola.cli.doctor", "Does what the test wants.")
        module.SUMMARY = "a test"
        module.add_arguments = lambda parser: None
        module.run = run
        monkeypatch.setitem(sys.modules, "tombola.cli.doctor", module)
        monkeypatch.setattr(cli, "VERBS", ("doctor",))
        monkeypatch.setattr(cli, "_module", lambda name: module)

    return make


def raising(error):
    def run(args):
        raise error

    return run


def test_our_errors_are_one_line(verb, capsys):
    verb(raising(TombolaError("lanes must be a power of two, not 12")))
    assert cli.main(["doctor"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "tombola: error: lanes must be a power of two, not 12\n"


def test_other_errors_keep_their_traceback(verb):
    verb(raising(ValueError("a bug")))
    with pytest.raises(ValueError, match="^a bug$"):
        cli.main(["doctor"])


def test_an_interrupt(verb, capsys):
    verb(raising(KeyboardInterrupt()))
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "tombola: interrupted\n"


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "tombola: error: the following arguments are required: VERB; see tombola --help\n"),
        (
            ["data", "fetch"],
            "tombola: error: the following arguments are required: NAME; "
            "see tombola data fetch --help\n",
        ),
    ],
)
def test_wrong_usage_is_one_line(argv, line, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err == line


def test_each_verb_that_is_there_teaches():
    text = cli.build_parser().format_help()
    for name in cli.VERBS:
        module = cli._module(name)
        assert module is None or f"    {name} " in text
        assert module is None or (module.SUMMARY and module.__doc__)


def test_data_list(capsys):
    assert cli.main(["data", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["data_sets"]
    assert [each["name"] for each in listed] == [
        "digits", "fmnist", "mnist", "cifar10", "cora", "citeseer", "resnet8",
    ]
    assert listed[0]["present"] is True
    assert cli.main(["data", "list"]) == 0
    assert "digits" in capsys.readouterr().out


def test_fetch_of_an_unknown_data_set(capsys):
    assert cli.main(["data", "fetch", "emnist", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "tombola: error: data set must be one of digits, fmnist, mnist, cifar10, cora, citeseer, "
        "resnet8, not 'emnist'\n"
    )
