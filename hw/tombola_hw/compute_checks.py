"""Checks of constructor arguments that the compute cores share."""

from typing import Any

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError


def check_config(owner: str, config: Any) -> None:
    """Raise TypeError unless `config` is an `EngineConfig`; `owner` names the core."""
    if not isinstance(config, EngineConfig):
        raise TypeError(f"{owner} config must be an EngineConfig, not {config!r}")


def check_bool(owner: str, name: str, value: Any) -> None:
    """Raise TypeError unless `value` is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{owner} {name} must be a bool, not {value!r}")


def check_range(owner: str, name: str, value: Any, low: int, high: int) -> None:
    """Raise TypeError unless `value` is an int, ConfigError unless it lies in `low` to `high`."""
    if type(value) is not int:
        raise TypeError(f"{owner} {name} must be an int, not {value!r}")
    if not low <= value <= high:
        raise ConfigError(f"{owner} {name} must be between {low} and {high}, not {value}")
