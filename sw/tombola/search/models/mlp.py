"""A multi-layer perceptron: linear layers, batch norms and ReLUs over a flat image."""

from collections.abc import Sequence

from torch import nn

from tombola.search.models.parts import check, dense_stack, image_size, widened


def mlp(
    *,
    shape: tuple[int, int, int] = (1, 28, 28),
    classes: int = 10,
    hidden: Sequence[int] = (256, 256),
    width: float = 1.0,
    batch_norm: bool = True,
) -> nn.Module:
    """Linear layers without bias: the image, `hidden` values each, the logits.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of an image.
    classes : int
    hidden : sequence of int
        Values of each hidden layer, before `width` multiplies them.
    width : float
    batch_norm : bool
        Whether a batch norm stands before each ReLU.

    Raises
    ------
    ConfigError
        If a size is below 1.
    """
    check(shape=shape, classes=classes)
    sizes = [image_size(shape), *(widened(size, width) for size in hidden), classes]
    return nn.Sequential(nn.Flatten(), *dense_stack(sizes, batch_norm=batch_norm))
