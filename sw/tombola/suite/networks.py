"""The networks of the suite: layers and shapes, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that the command's help need not load numpy
    from tombola.suite.draft import Draft, Tensor

AFTER = (0, 0, 1, 1)
"""Padding of a 3x3 convolution with stride 2 as TensorFlow's "same" has it."""
ROUND = (1, 1, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of an image.
    classes : int
    layers : callable
        Adds all layers to a `Draft`.
    about : str
        For people.
    dataset : str
        Whose images fit; empty if none's do.
    """

    shape: tuple[int, int, int]
    classes: int
    layers: Callable[["Draft", int], None]
    about: str
    dataset: str = ""


def _mlp(draft: "Draft", classes: int, *, hidden: tuple[int, ...]) -> None:
    tensor = draft.input
    for values in hidden:
        tensor = _linear(draft, tensor, values)
    draft.logits(tensor, classes)


def _linear(draft: "Draft", tensor: "Tensor", values: int) -> "Tensor":
    return draft.conv(tensor, values, kernel=tensor.shape[1:], padding=(0, 0, 0, 0))


def _conv_net(
    draft: "Draft",
    classes: int,
    *,
    stages: tuple[tuple[int, ...], ...],
    hidden: tuple[int, ...] = (),
) -> None:
    """3x3 convolutions, a 2x2 max pooling after each stage, then linear layers."""
    tensor = draft.input
    for stage in stages:
        for channels in stage:
            tensor = draft.conv(tensor, channels)
        tensor = draft.max_pool(tensor)
    for values in hidden:
        tensor = _linear(draft, tensor, values)
    draft.logits(tensor, classes)


def _digits_cnn(draft: "Draft", classes: int) -> None:
    tensor = draft.conv(draft.input, 16)
    tensor = draft.max_pool(draft.conv(tensor, 32))
    tensor = draft.max_pool(draft.conv(tensor, 64))
    draft.logits(tensor, classes)


def _conv_alone(draft: "Draft", classes: int) -> None:
    draft.global_sum(draft.conv(draft.input, classes))


def _resnet(
    draft: "Draft",
    classes: int,
    *,
    blocks: int,
    projected: bool = False,
    folded: bool = False,
    padding: tuple[int, int, int, int] = ROUND,
) -> None:
    """16, 32 and 64 channels; the second and third stage halve the map.

    `projected`: shortcuts that change shape are 1x1 convolutions, else every second pixel and
    zeros. `folded`: a stage's blocks after its first are one block, iterated.
    """
    tensor = draft.conv(draft.input, 16)
    for channels in (16, 32, 64):
        stride = 1 if channels == 16 else 2
        shortcut = tensor
        inner = draft.conv(
            tensor, channels, stride=stride, padding=padding if stride == 2 else ROUND
        )
        if stride == 2:
            shortcut = (
                draft.conv(
                    tensor,
                    channels,
                    kernel=(1, 1),
                    stride=2,
                    padding=(0, 0, 0, 0),
                    rectified=False,
                )
                if projected
                else draft.subsample(tensor, channels, stride=2)
            )
        tensor = draft.conv(inner, channels, residual=shortcut)
        shared = [draft.weights(tensor, channels, (3, 3)) for _ in range(2 * folded)]
        for _ in range(blocks - 1):
            first, second = shared or (None, None)
            inner = draft.conv(tensor, channels, weights=first)
            tensor = draft.conv(inner, channels, residual=tensor, weights=second)
    draft.logits(draft.global_average(tensor), classes)



def _of_cifar(layers: Callable[["Draft", int], None], about: str) -> Network:
    return Network(shape=(3, 32, 32), classes=10, layers=layers, about=about, dataset="cifar10")


NETWORKS = {
    "fmnist-mlp": Network(
        shape=(784, 1, 1),
        classes=10,
        layers=partial(_mlp, hidden=(256, 256)),
        about="784-256-256-10",
        dataset="fmnist",
    ),
    "fmnist-cnn": Network(
        shape=(1, 28, 28),
        classes=10,
        layers=partial(_conv_net, stages=((16, 16), (32, 32))),
        about="four 3x3 convolutions of 16 and 32 channels, two poolings, a linear layer",
        dataset="fmnist",
    ),
    "digits-cnn": Network(
        shape=(1, 8, 8),
        classes=10,
        layers=_digits_cnn,
        about="three 3x3 convolutions of 16, 32, 64 channels, two poolings, a linear layer",
        dataset="digits",
    ),
    "conv64": Network(
        shape=(64, 16, 16),
        classes=64,
        layers=_conv_alone,
        about="one 3x3 convolution of 64 to 64 channels on 16x16, then each channel's sum",
    ),
    "conv6": _of_cifar(
        partial(_conv_net, stages=((64, 64), (128, 128), (256, 256)), hidden=(256, 256)),
        "six 3x3 convolutions of 64, 128, 256 channels, three linear layers",
    ),
    "resnet8": _of_cifar(
        partial(_resnet, blocks=1, projected=True, padding=AFTER),
        "three residual blocks, the shapes of MLPerf Tiny",
    ),
    "resnet20": _of_cifar(
        partial(_resnet, blocks=3), "nine residual blocks, shortcuts without weights"
    ),
    "folded-resnet": _of_cifar(
        partial(_resnet, blocks=5, folded=True),
        "three stages of a residual block and a second one that is iterated 4 times",
    ),
}
