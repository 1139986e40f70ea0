"""Hardware with one line of its source changed, to show that a test would notice."""

import sys
import types
from importlib import import_module
from pathlib import Path


def build_in(monkeypatch, module: str, was: str, becomes: str) -> None:
    """Replaces `was` in a module of `tombola_hw`, for all modules that use what it defines."""
    original = import_module(f"tombola_hw.{module}")
    source = Path(original.__file__).read_text()
    assert source.count(was) == 1, f"{module} has {source.count(was)} times {was!r}"
    faulty = types.ModuleType(original.__name__)
    faulty.__file__ = original.__file__
    exec(compile(source.replace(was, becomes), original.__file__, "exec"), vars(faulty))
    for user in [m for name, m in sys.modules.items() if name.startswith("tombola_hw.")]:
        for name, value in list(vars(user).items()):
            if isinstance(value, type) and value.__module__ == original.__name__:
                monkeypatch.setattr(user, name, vars(faulty)[name])
            for key, default in _defaults(value).items():
                if getattr(default, "__module__", None) == original.__name__:
                    monkeypatch.setitem(_defaults(value), key, vars(faulty)[default.__name__])


def _defaults(value: object) -> dict:
    """What a component takes for parts that its maker does not name."""
    made = getattr(value, "__init__", None)
    return (getattr(made, "__kwdefaults__", None) or {}) if isinstance(value, type) else {}
