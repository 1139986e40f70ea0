"""A grid of settings and the trials it stands for."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from tombola.spec.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9-]*")
READABLE = 80
"""Characters of a trial's name before the digest that makes it unique."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One option of `tombola search` and the values it takes, as written on a command line."""

    name: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """``NAME=VALUE,VALUE``; semicolons part values that hold commas themselves.

        Raises
        ------
        ConfigError
            If the text has another form, or a value comes twice.
        """
        name, equals, rest = text.partition("=")
        name = name.removeprefix("--").replace("_", "-")
        values = tuple(value.strip() for value in rest.split(";" if ";" in rest else ","))
        if not equals or not NAME.fullmatch(name) or not all(values):
            raise ConfigError(f"a grid must be written NAME=VALUE,VALUE, not {text!r}")
        if len(set(values)) < len(values):
            raise ConfigError(f"the grid of {name} has a value twice: {rest}")
        return cls(name=name, values=values)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One search: its options, and a name that differs where they do.

    Parameters
    ----------
    options : tuple of (str, str)
        Options of `tombola search` without dashes, and their values.
    varied : tuple of str
        Those that differ between the trials of its grid.
    """

    options: tuple[tuple[str, str], ...]
    varied: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its folder: what varies, for people, and a digest of all options."""
        words = [f"{name}-{value}" for name, value in self.options if name in self.varied]
        readable = re.sub(r"[^A-Za-z0-9.-]+", "_", "_".join(words))[:READABLE]
        digest = hashlib.sha256(json.dumps(sorted(self.options)).encode()).hexdigest()[:8]
        return f"{readable}_{digest}" if readable else digest

    @property
    def arguments(self) -> list[str]:
        """For the command line of `tombola search`."""
        return [f"--{name}={value}" for name, value in self.options]

    @property
    def configuration(self) -> tuple[tuple[str, str], ...]:
        """The options that vary, but for the seed: trials that share it are repetitions."""
        return tuple(
            (name, value) for name, value in self.options if name in self.varied and name != "seed"
        )


def trials(axes: Iterable[Axis]) -> list[Trial]:
    """Every combination of the axes' values, the last axis changing fastest.

    Raises
    ------
    ConfigError
        If an option has two axes.
    """
    axes = list(axes)
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"the grid names {name} twice; give all its values at once")
    varied = tuple(axis.name for axis in axes if len(axis.values) > 1)
    return [
        Trial(options=tuple(zip(names, values, strict=True)), varied=varied)
        for values in product(*(axis.values for axis in axes))
    ]


def varied_names(found: Sequence[Trial]) -> tuple[str, ...]:
    """Options that differ between the trials of one grid."""
    return found[0].varied if found else ()
