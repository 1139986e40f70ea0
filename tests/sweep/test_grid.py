"""Grids: what they say, how trials are named, what is refused."""

import pytest

from tombola.spec.errors import ConfigError
from tombola.sweep.grid import Axis, trials


def grid(*texts):
    return trials(Axis.parse(text) for text in texts)


def test_every_combination_once_the_last_axis_fastest():
    found = grid("preset=a", "sparsity=0.3,0.5", "seed=1,2")
    assert [trial.arguments for trial in found] == [
        ["--preset=a", "--sparsity=0.3", "--seed=1"],
        ["--preset=a", "--sparsity=0.3", "--seed=2"],
        ["--preset=a", "--sparsity=0.5", "--seed=1"],
        ["--preset=a", "--sparsity=0.5", "--seed=2"],
    ]
    assert len({trial.name for trial in found}) == 4


def test_names_say_what_varies_and_differ_with_what_does_not():
    (one, other) = grid("preset=a", "seed=1,2")
    assert one.name.startswith("seed-1_")
    assert other.name.startswith("seed-2_")
    (longer, _) = grid("preset=a", "epochs=9", "seed=1,2")
    assert longer.name.startswith("seed-1_")
    assert longer.name != one.name
    # The order in which options are given changes nothing that is searched.
    (same, _) = grid("epochs=9", "preset=a", "seed=1,2")
    assert same.name == longer.name
    assert "/" not in grid("data=a/b,c")[0].name


def test_a_trial_without_choice_is_named_by_its_digest():
    (only,) = grid("preset=a")
    assert len(only.name) == 8


def test_repetitions_share_a_configuration():
    found = grid("preset=a", "sparsity=0.3,0.5", "seed=1,2")
    assert [trial.configuration for trial in found] == [
        (("sparsity", "0.3"),),
        (("sparsity", "0.3"),),
        (("sparsity", "0.5"),),
        (("sparsity", "0.5"),),
    ]


def test_semicolons_part_values_with_commas():
    assert Axis.parse("--coat_sparsities=0.7,0.9;0.5") == Axis(
        name="coat-sparsities", values=("0.7,0.9", "0.5")
    )


@pytest.mark.parametrize("text", ["seed", "seed=", "=1", "seed=1,,2", "Se ed=1"])
def test_refuses_other_forms(text):
    with pytest.raises(ConfigError, match=r"^a grid must be written NAME=VALUE,VALUE, not "):
        Axis.parse(text)


def test_refuses_repetition():
    with pytest.raises(ConfigError, match="^the grid of seed has a value twice: 1,1$"):
        Axis.parse("seed=1,1")
    with pytest.raises(ConfigError, match="^the grid names seed twice; give all its values at"):
        grid("seed=1", "seed=2")
