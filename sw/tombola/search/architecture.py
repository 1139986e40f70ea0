"""The layers a preset is made of, before any weight is drawn."""

from dataclasses import dataclass

from tombola.spec.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """Square convolution, batch norm without learned factors, ReLU to 8 bits."""

    out: int
    kernel: int = 3
    padding: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        _check(self, out=1, kernel=1, padding=0, stride=1)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Every value of the map to `out` values, then as a convolution; the last one makes logits."""

    out: int

    def __post_init__(self) -> None:
        _check(self, out=1)


@dataclass(frozen=True, kw_only=True)
class MaxPooling:
    """Largest value of each square window; windows do not overlap."""

    size: int = 2

    def __post_init__(self) -> None:
        _check(self, size=1)


@dataclass(frozen=True, kw_only=True)
class AveragePooling:
    """Mean of each square window, rounded to 8 bits; windows do not overlap."""

    size: int = 2

    def __post_init__(self) -> None:
        _check(self, size=1)


Part = Convolution | Linear | MaxPooling | AveragePooling


def _check(part: object, **least: int) -> None:
    for name, low in least.items():
        value = getattr(part, name)
        if not isinstance(value, int):
            raise TypeError(f"{type(part).__name__} {name} must be an int, not {value!r}")
        if value < low:
            raise ConfigError(f"{type(part).__name__} {name} must be at least {low}, not {value}")
