"""The sizes of one operation of a traced model, checked against what a ticket can hold."""

from dataclasses import replace
from typing import Any

import torch.nn.functional as functional
from torch import fx, nn

from tombola.search.allocation import LayerSize
from tombola.search.plan import Pair, PoolAverage, PoolMax, Shape, Sides, Subsample
from tombola.spec.errors import ConfigError


def linear(module: nn.Linear, source: Shape) -> dict[str, Any]:
    """Sizes of a linear layer on a flattened map: a convolution whose kernel is the map."""
    size = LayerSize(
        out_channels=module.out_features, in_channels=source[0], kernel=(source[1], source[2])
    )
    return {
        "size": size, "stride": (1, 1), "padding": (0,) * 4, "groups": 1, "whole_map": True,
    }  # fmt: skip


def convolution(module: nn.Conv2d, source: Shape, zeros: Sides) -> dict[str, Any]:
    """Sizes of a convolution of a map that stands between zeros already.

    Raises
    ------
    ConfigError
        If it is dilated, or padded with anything but a few zeros.
    """
    if _pair(module.dilation) != (1, 1):
        raise ConfigError(f"dilation must be 1, not {module.dilation}")
    if module.padding_mode != "zeros":
        raise ConfigError(f"padding must be of zeros, not {module.padding_mode!r}")
    kernel = _pair(module.kernel_size)
    own = _padding(module.padding, kernel)
    padding = tuple(x + y for x, y in zip(zeros, (*own, *own), strict=True))
    if max(padding[::2]) >= kernel[0] or max(padding[1::2]) >= kernel[1]:
        said = own if not any(zeros) else padding
        raise ConfigError(f"padding {said} must be smaller than the kernel {kernel}")
    size = LayerSize(
        out_channels=module.out_channels,
        in_channels=module.in_channels // module.groups,
        kernel=kernel,
    )
    whole_map = kernel == source[1:] and not any(padding) and module.groups == 1
    return {
        "size": size, "stride": _pair(module.stride), "padding": padding,
        "groups": module.groups, "whole_map": whole_map,
    }  # fmt: skip


def pooling(
    node: fx.Node, module: nn.Module | None, tensor: int, source: Shape, made: Shape
) -> PoolMax | PoolAverage:
    """The pooling of a module or function call on a tensor.

    Raises
    ------
    ConfigError
        If its windows are dilated, reach over the edge, or differ in size.
    """
    kind = type(module) if module is not None else node.target
    options = _pool_options(node, module)
    largest = kind in (nn.MaxPool2d, nn.AdaptiveMaxPool2d) or kind in (
        functional.max_pool2d, functional.adaptive_max_pool2d,
    )  # fmt: skip
    kernel, stride, padding = _window(kind, options, source, made)
    if largest:
        return PoolMax(input=tensor, kernel=kernel, stride=stride, padding=padding, shape=made)
    if padding != (0, 0) and not options.get("count_include_pad", True):
        raise ConfigError("its mean must count the padding; leave count_include_pad as it is")
    if options.get("divisor_override") is not None:
        raise ConfigError("its mean must be over the window; leave divisor_override out")
    return PoolAverage(input=tensor, kernel=kernel, stride=stride, padding=padding, shape=made)


def subsampling(index: Any, tensor: int, made: Shape) -> Subsample:
    """What an index such as ``[:, :, ::2, ::2]`` takes of a tensor.

    Raises
    ------
    ConfigError
        If it takes anything but every so many-th row and column.
    """
    parts = index if isinstance(index, tuple) and len(index) == 4 else ()
    strides = [
        part.step or 1
        for part in parts
        if isinstance(part, slice) and (part.start, part.stop) == (None, None)
    ]
    if strides[:2] != [1, 1] or len(strides) != 4:
        raise ConfigError("an index may only take every n-th row and column, [:, :, ::n, ::n]")
    return Subsample(input=tensor, stride=(strides[2], strides[3]), shape=made)


def padded(node: fx.Node, source: Any, made: Shape) -> Subsample:
    """A subsampling with the channels of zeros that a padding puts behind it.

    Raises
    ------
    ConfigError
        If it pads anything else.
    """
    options = _pad_options(node)
    sides = tuple(options["pad"])
    behind = sides[:5] == (0,) * 5 and len(sides) == 6 and options.get("mode") != "circular"
    if not isinstance(source, Subsample) or not behind or options.get("value"):
        raise ConfigError(
            "a padding may only put zeros around a map ahead of a convolution, or channels of "
            "zeros behind a subsampled map"
        )
    return replace(source, shape=made)


def surrounded(node: fx.Node, module: nn.ZeroPad2d | None) -> Sides | None:
    """The zeros that a padding puts around a map; None if it does anything else."""
    options = {"pad": module.padding} if module is not None else _pad_options(node)
    sides = tuple(options["pad"])
    of_zeros = options.get("mode", "constant") == "constant" and not options.get("value")
    if len(sides) != 4 or min(sides) < 0 or not of_zeros:
        return None
    left, right, above, below = sides
    return above, left, below, right


def _pad_options(node: fx.Node) -> dict[str, Any]:
    names = ("pad", "mode", "value")
    return {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}


_MEAN_AXES = ({2, 3}, {-1, -2})


def _window(
    kind: Any, options: dict[str, Any], source: Shape, made: Shape
) -> tuple[Pair, Pair, Pair]:
    """Kernel, stride and padding."""
    if "kernel_size" in options:
        kernel = _pair(options["kernel_size"])
        stride = options.get("stride")
        if _pair(options.get("dilation", 1)) != (1, 1):
            raise ConfigError(f"dilation must be 1, not {options['dilation']}")
        if options.get("return_indices"):
            raise ConfigError("it must return values only; leave return_indices out")
        window = kernel, kernel if stride in (None, ()) else _pair(stride)
        padding = _pair(options.get("padding", 0))
        for side in (0, 1):
            full = (source[side + 1] + 2 * padding[side] - kernel[side]) // window[1][side] + 1
            if made[side + 1] != full:
                raise ConfigError("its windows must lie within the map; leave ceil_mode out")
        return (*window, padding)
    if "dim" in options:
        axes = options["dim"]
        if set(axes if isinstance(axes, tuple | list) else (axes,)) not in _MEAN_AXES:
            raise ConfigError("a mean must be over height and width, dim=(2, 3)")
        return source[1:], source[1:], (0, 0)
    if source[1] % made[1] or source[2] % made[2]:
        raise ConfigError(
            f"its windows must all be of one size, but {source[1]}x{source[2]} does not divide "
            f"into {made[1]}x{made[2]}"
        )
    kernel = source[1] // made[1], source[2] // made[2]
    return kernel, kernel, (0, 0)


_SIGNATURES = {
    functional.max_pool2d: (
        "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices",
    ),
    functional.avg_pool2d: (
        "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override",
    ),
}  # fmt: skip


def _pool_options(node: fx.Node, module: nn.Module | None) -> dict[str, Any]:
    if module is not None:
        return {name: value for name, value in vars(module).items() if not name.startswith("_")}
    if node.target in _SIGNATURES:
        names = _SIGNATURES[node.target]
        return {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}
    if node.target in (functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d):
        return {}
    return {"dim": node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else ())}


def _pair(value: Any) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def _padding(padding: Any, kernel: Pair) -> Pair:
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if kernel[0] % 2 == 0 or kernel[1] % 2 == 0:
            raise ConfigError(f"padding 'same' needs odd kernels, not {kernel}")
        return kernel[0] // 2, kernel[1] // 2
    return _pair(padding)
