"""Residual networks for small and large images, with stages that may be folded."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from tombola.search.models.parts import check, widened
from tombola.search.models.residual import (
    Block,
    Subsample,
    basic,
    bottleneck,
    projection,
)
from tombola.spec.errors import ConfigError

STEMS = ("cifar", "imagenet")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Stages of a residual network: channels and blocks of each.

    Attributes
    ----------
    channels : tuple of int
        Of each stage; the first is the stem's too. Bottlenecks put out four times as many.
    blocks : tuple of int
    deep : bool
        Bottlenecks instead of basic blocks.
    projected : bool
        Whether a shortcut that changes shape is a 1x1 convolution, or takes pixels and adds zeros.
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...]
    deep: bool = False
    projected: bool = True


PLANS = {
    # The image classification network of MLPerf Tiny: these shapes, its own has biases besides.
    "resnet8": Plan(channels=(16, 32, 64), blocks=(1, 1, 1)),
    # A small one with something to fold: its later stages run a block twice more.
    "resnet16": Plan(channels=(8, 16, 32), blocks=(1, 3, 3)),
    "resnet18": Plan(blocks=(2, 2, 2, 2)),
    "resnet20": Plan(channels=(16, 32, 64), blocks=(3, 3, 3), projected=False),
    "resnet34": Plan(blocks=(3, 4, 6, 3)),
    "resnet50": Plan(blocks=(3, 4, 6, 3), deep=True),
    "resnet101": Plan(blocks=(3, 4, 23, 3), deep=True),
    "resnet152": Plan(blocks=(3, 8, 36, 3), deep=True),
    "resnet200": Plan(blocks=(3, 24, 36, 3), deep=True),
}


def resnet(
    *,
    plan: str,
    shape: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    stem: str = "cifar",
    folded: Sequence[int] = (),
    width: float = 1.0,
) -> nn.Module:
    """A residual network (He et al., "Deep residual learning", 2016), convolutions without bias.

    A folded stage is one block of its own, which changes the shape, and one more that is iterated
    for the rest, with batch norms of its own each time (Lopez Garcia-Arias et al., "Hidden-Fold
    Networks", 2021). Every stage after the first halves height and width.

    Parameters
    ----------
    plan : str
        A name among `PLANS`.
    shape : (int, int, int)
        Channels, height and width of an image.
    classes : int
    stem : str
        "cifar", a 3x3 convolution, or "imagenet", 7x7 with stride 2 and a max pooling.
    folded : sequence of int
        Stages to fold, counted from 1.
    width : float
        Multiplies all channels.

    Raises
    ------
    ConfigError
        If the plan is unknown, or a stage to fold is not there or has nothing to iterate.
    """
    check(shape=shape, classes=classes)
    if plan not in PLANS:
        raise ConfigError(f"residual network {plan!r} is unknown; known: {', '.join(PLANS)}")
    chosen = PLANS[plan]
    _check_folded(plan, chosen, folded)
    channels = [widened(size, width) for size in chosen.channels]
    modules = _stem(stem, shape[0], channels[0])
    inputs = channels[0]
    for number, (size, blocks) in enumerate(zip(channels, chosen.blocks, strict=True), 1):
        stride = 1 if number == 1 else 2
        first = _block(chosen, inputs, size, stride=stride)
        inputs = first.convolutions[-1].out_channels
        if number in folded:
            rest = [_block(chosen, inputs, size, iterations=blocks - 1)]
        else:
            rest = [_block(chosen, inputs, size) for _ in range(blocks - 1)]
        modules.append(nn.Sequential(first, *rest))
    head = nn.Linear(inputs, classes, bias=False)
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def _check_folded(name: str, plan: Plan, folded: Sequence[int]) -> None:
    for stage in folded:
        if not 1 <= stage <= len(plan.blocks):
            raise ConfigError(
                f"{name} has stages 1 to {len(plan.blocks)}; it cannot fold stage {stage}"
            )
        if plan.blocks[stage - 1] < 2:
            raise ConfigError(f"stage {stage} of {name} has one block; there is nothing to iterate")


def _stem(stem: str, inputs: int, outputs: int) -> list[nn.Module]:
    if stem not in STEMS:
        raise ConfigError(f"stem must be {' or '.join(STEMS)}, not {stem!r}")
    if stem == "cifar":
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    convolution = nn.Conv2d(inputs, outputs, 7, stride=2, padding=3, bias=False)
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), pool]


def _block(plan: Plan, inputs: int, size: int, *, stride: int = 1, iterations: int = 1) -> Block:
    convolutions = (bottleneck if plan.deep else basic)(inputs, size, stride=stride)
    outputs = convolutions[-1].out_channels
    if stride == 1 and inputs == outputs:
        shortcut: nn.Module = nn.Identity()
    elif plan.projected:
        shortcut = projection(inputs, outputs, stride=stride)
    else:
        shortcut = Subsample(stride=stride, more_channels=outputs - inputs)
    return Block(convolutions, shortcut=shortcut, iterations=iterations)
