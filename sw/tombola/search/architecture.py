"""Sequential networks in few words: parts, and the PyTorch model they stand for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import nn

from tombola.search.models.parts import widened
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


Model = Callable[..., nn.Module]
"""Makes a plain model, given ``shape`` (channels, height, width) and ``classes`` by name."""


def chain(*parts: Part) -> Model:
    """What makes the model of these parts, one behind the other; the last says its classes.

    A width multiplies the channels of all but the last.
    """

    def model(*, shape: tuple[int, int, int], classes: int, width: float = 1.0) -> nn.Module:
        wide = [
            replace(part, out=widened(part.out, width))
            if isinstance(part, Convolution | Linear) else part
            for part in parts[:-1]
        ]  # fmt: skip
        return sequential([*wide, *parts[-1:]], shape=shape)

    return model


def sequential(parts: Sequence[Part], *, shape: tuple[int, int, int]) -> nn.Sequential:
    """The parts as a plain model; a linear layer is a convolution whose kernel is the map.

    Parameters
    ----------
    parts : sequence of Part
        The last one is a `Linear` and makes the logits.
    shape : (int, int, int)
        Channels, height and width of an image.

    Raises
    ------
    ConfigError
        If the last part makes no logits, or a window is larger than the map it runs over.
    """
    if not parts or not isinstance(parts[-1], Linear):
        raise ConfigError("the last part of a network must be a Linear, which makes the logits")
    channels, height, width = shape
    modules: list[nn.Module] = []
    for index, part in enumerate(parts):
        if isinstance(part, Linear):
            conv = nn.Conv2d(channels, part.out, (height, width), bias=False)
            height, width = 1, 1
        elif isinstance(part, Convolution):
            conv = nn.Conv2d(
                channels, part.out, part.kernel, part.stride, part.padding, bias=False
            )
            height = (height + 2 * part.padding - part.kernel) // part.stride + 1
            width = (width + 2 * part.padding - part.kernel) // part.stride + 1
        else:
            kind = nn.MaxPool2d if isinstance(part, MaxPooling) else nn.AvgPool2d
            modules.append(kind(part.size))
            height, width = height // part.size, width // part.size
        if height < 1 or width < 1:
            raise ConfigError(f"part {index} has a window larger than the map it runs over")
        if isinstance(part, MaxPooling | AveragePooling):
            continue
        modules.append(conv)
        channels = part.out
        if index < len(parts) - 1:
            modules += [nn.BatchNorm2d(channels, affine=False), nn.ReLU()]
    return nn.Sequential(*modules, nn.Flatten())


def _check(part: object, **least: int) -> None:
    for name, low in least.items():
        value = getattr(part, name)
        if not isinstance(value, int):
            raise TypeError(f"{type(part).__name__} {name} must be an int, not {value!r}")
        if value < low:
            raise ConfigError(f"{type(part).__name__} {name} must be at least {low}, not {value}")
