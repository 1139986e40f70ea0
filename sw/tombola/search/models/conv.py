"""Conv2, Conv4, Conv6 and Conv8: pairs of 3x3 convolutions, each followed by a max pooling."""

from torch import nn

from tombola.search.models.parts import check, dense_stack, widened
from tombola.spec.errors import ConfigError

FIRST_CHANNELS = 64
HIDDEN = 256


def conv_net(
    *,
    convolutions: int,
    shape: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    width: float = 1.0,
    batch_norm: bool = True,
) -> nn.Module:
    """The plain convolutional networks that tickets are often searched in.

    Pairs of 3x3 convolutions of 64, 128, 256, 512 channels, a 2x2 max pooling after each pair, then
    256, 256 and the logits; no bias. The literature has no batch norm in them (Frankle and Carbin,
    "The lottery ticket hypothesis", 2019; Ramanujan et al., 2020); with one, activations have a
    range that is known before the search.

    Parameters
    ----------
    convolutions : int
        2, 4, 6 or 8.
    shape : (int, int, int)
        Channels, height and width of an image; each pair halves height and width, rounded down.
    classes : int
    width : float
        Multiplies all channels and hidden values.
    batch_norm : bool
        Whether a batch norm stands before each ReLU.

    Raises
    ------
    ConfigError
        If nothing is left of the image after the last pooling.
    """
    check(shape=shape, classes=classes)
    if convolutions not in (2, 4, 6, 8):
        raise ConfigError(f"convolutions must be 2, 4, 6 or 8, not {convolutions}")
    channels, height, width_left = shape
    modules: list[nn.Module] = []
    for pair in range(convolutions // 2):
        outputs = widened(FIRST_CHANNELS << pair, width)
        for inputs in (channels, outputs):
            modules.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
            if batch_norm:
                modules.append(nn.BatchNorm2d(outputs))
            modules.append(nn.ReLU())
        modules.append(nn.MaxPool2d(2))
        channels, height, width_left = outputs, height // 2, width_left // 2
    if min(height, width_left) < 1:
        raise ConfigError(
            f"conv{convolutions} halves an image {convolutions // 2} times, so it must be at least "
            f"{1 << convolutions // 2} pixels wide and high, not {shape[1]}x{shape[2]}"
        )
    hidden = widened(HIDDEN, width)
    sizes = [channels * height * width_left, hidden, hidden, classes]
    return nn.Sequential(*modules, nn.Flatten(), *dense_stack(sizes, batch_norm=batch_norm))
