"""Ready-made networks, plain PyTorch without masks, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from tombola.search.models.conv import conv_net
from tombola.search.models.mlp import mlp
from tombola.search.models.resnet import PLANS, resnet
from tombola.spec.errors import ConfigError

__all__ = ["MODELS", "build", "conv_net", "mlp", "resnet"]

FOLDED_STAGES = (3, 4)
"""The stages that the published folded networks fold."""

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp": mlp,
    **{f"conv{count}": partial(conv_net, convolutions=count) for count in (2, 4, 6, 8)},
    **{name: partial(resnet, plan=name) for name in PLANS},
    **{
        f"{name}-folded": partial(resnet, plan=name, folded=FOLDED_STAGES)
        for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet200")
    },
}


def build(
    name: str, *, shape: tuple[int, int, int], classes: int, **options: Any
) -> nn.Module:
    """A network by name, for images of a shape; options as its builder has them.

    Parameters
    ----------
    name : str
        A name among `MODELS`.
    shape : (int, int, int)
        Channels, height and width of an image.
    classes : int

    Raises
    ------
    ConfigError
        With the names there are, or as the builder raises.
    """
    if name not in MODELS:
        raise ConfigError(f"model {name!r} is unknown; known: {', '.join(MODELS)}")
    return MODELS[name](shape=shape, classes=classes, **options)
