"""The operations of a traced model, read one after the other into the steps of a plan."""

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as functional
from torch import fx, nn

from tombola.search import operations
from tombola.search.plan import (
    Add,
    Convolve,
    Output,
    Plan,
    PoolAverage,
    PoolMax,
    Shape,
    Step,
    Subsample,
)
from tombola.search.values import Made, Padded, Value, kind_name, map_shape, place
from tombola.spec.errors import ConfigError

KNOWN = (
    "convolutions, linear layers, batch norms, ReLUs, max, average and adaptive poolings, flatten "
    "and additions"
)


class Reader:
    """Reads nodes in order into steps.

    Parameters
    ----------
    modules : dict of Module
        Of the model, by path.
    shape : (int, int, int)
        Channels, height and width of an image.
    """

    def __init__(self, modules: dict[str, nn.Module], shape: Shape) -> None:
        self._modules, self._shape = modules, shape
        self._steps: list[Step] = []
        self._values: dict[fx.Node, Value] = {}

    def read(self, nodes: list[fx.Node]) -> Plan:
        """The plan that the nodes make up; each knows the shape of its value.

        Raises
        ------
        ConfigError
            With the path of a module, and why it cannot become part of a ticket.
        """
        for node in nodes:
            if node.op == "placeholder":
                if self._values:
                    raise ConfigError(f"the model takes {node.name} besides an image; it must not")
                self._values[node] = Made(0, self._shape)
            elif node.op == "output":
                self._finish(node)
            elif "tensor_meta" in node.meta and node.op != "get_attr":
                value = self._read(node)
                if not isinstance(value, Made | Padded) and len(node.users) > 1:
                    value = self._made(value)
                self._values[node] = value
        return Plan(shape=self._shape, steps=tuple(self._steps))

    def _made(self, value: Value, output: Output = Output.LINEAR) -> Made:
        """The tensor of a value, made now if it was not."""
        if isinstance(value, Made):
            return value
        if isinstance(value, Padded):
            raise ConfigError("a map between zeros may only be read by a convolution")
        self._steps.append(replace(value, output=output) if hasattr(value, "output") else value)
        return Made(len(self._steps), value.shape)

    def _finish(self, node: fx.Node) -> None:
        value = self._values.get(node.args[0]) if isinstance(node.args[0], fx.Node) else None
        if value is None:
            raise ConfigError("the model must return one tensor of logits")
        if value.shape[1:] != (1, 1):
            raise ConfigError(
                f"the model must return logits (batch, classes), not a map of {value.shape}"
            )
        if isinstance(value, Made | Subsample):
            value = Add(input=self._made(value).index, shape=value.shape)
        self._made(value, Output.LOGITS)

    def _read(self, node: fx.Node) -> Value:
        if node.op == "call_module":
            module = self._modules[node.target]
            kind: Any = type(module)
        else:
            module, kind = None, node.target
        reader = READERS.get(kind)
        try:
            if reader is None:
                name = kind_name(kind)
                raise ConfigError(f"{name} has no place in a ticket, which knows {KNOWN}")
            return reader(self, node, module)
        except ConfigError as error:
            raise ConfigError(f"{place(node)} cannot be searched: {error}") from None

    def _operand(self, node: fx.Node, index: int = 0) -> Value:
        """The value of an argument."""
        argument = node.args[index] if index < len(node.args) else None
        value = self._values.get(argument) if isinstance(argument, fx.Node) else None
        if value is None:
            raise ConfigError("it must be given tensors that come from the image")
        return value

    def _conv(self, node: fx.Node, module: nn.Conv2d | nn.Linear) -> Value:
        value = self._operand(node)
        padded = isinstance(value, Padded) and isinstance(module, nn.Conv2d)
        source = value.source if padded else self._made(value)
        if not isinstance(module, nn.Linear):
            zeros = value.sides if padded else (0, 0, 0, 0)
            geometry = operations.convolution(module, source.shape, zeros)
        elif source.flat or source.shape[1:] == (1, 1):
            geometry = operations.linear(module, source.shape)
        else:
            raise ConfigError("a linear layer reads a flat tensor; flatten the map before it")
        shape = map_shape(node)
        return Convolve(
            input=source.index, path=node.target, module=module, shape=shape, **geometry
        )

    def _norm(self, node: fx.Node, module: nn.BatchNorm1d | nn.BatchNorm2d) -> Value:
        value = self._operand(node)
        if (
            not isinstance(value, Convolve)
            or value.norm is not None
            or value.residual is not None
            or value.shape[0] != module.num_features
        ):
            raise ConfigError(
                "a batch norm must follow a convolution or linear layer that nothing else reads, "
                "so that the engine can make the two in one"
            )
        return replace(value, norm=module)

    def _relu(self, node: fx.Node, _: nn.Module | None) -> Value:
        value = self._operand(node)
        if isinstance(value, Convolve | Add):
            return self._made(value, Output.ACTIVATION)
        made = self._made(value)
        step = self._steps[made.index - 1] if made.index else None
        if getattr(step, "output", None) is Output.ACTIVATION or self._ahead_of_pool(node, step):
            return made
        return self._made(Add(input=made.index, shape=made.shape), Output.ACTIVATION)

    def _ahead_of_pool(self, node: fx.Node, step: Step | None) -> bool:
        """Moves a ReLU ahead of the max pooling it follows, which does not change the result."""
        if not isinstance(step, PoolMax) or step.input == 0:
            return False
        pool_node, source = node.args[0], self._steps[step.input - 1]
        alone = len(pool_node.users) == 1 and len(pool_node.args[0].users) == 1
        if not alone or not isinstance(source, Convolve | Add):
            return False
        self._steps[step.input - 1] = replace(source, output=Output.ACTIVATION)
        return True

    def _pool(self, node: fx.Node, module: nn.Module | None) -> Value:
        source = self._made(self._operand(node))
        step = operations.pooling(node, module, source.index, source.shape, map_shape(node))
        return step if isinstance(step, PoolAverage) else self._made(step)

    def _add(self, node: fx.Node, _: nn.Module | None) -> Value:
        if node.kwargs.get("alpha", 1) != 1:
            raise ConfigError("an addition has no factor in a ticket; leave alpha out")
        first, second = self._operand(node, 0), self._operand(node, 1)
        if first.shape != second.shape:
            raise ConfigError(f"it adds {first.shape} and {second.shape}, which must be one shape")
        if not _takes_residual(first) and _takes_residual(second):
            first, second = second, first
        other = self._made(second).index
        if not _takes_residual(first):
            made = self._made(first)
            return Add(input=made.index, shape=made.shape, residual=other)
        return replace(first, residual=other)

    def _flatten(self, node: fx.Node, _: nn.Module | None) -> Value:
        value = self._operand(node)
        if tuple(node.meta["tensor_meta"].shape) != (1, math.prod(value.shape)):
            raise ConfigError("a tensor may only be flattened to (batch, values)")
        if value.shape[1:] == (1, 1):
            return value
        source = self._made(value)
        return Made(source.index, source.shape, flat=True)

    def _index(self, node: fx.Node, _: nn.Module | None) -> Value:
        source = self._made(self._operand(node))
        return operations.subsampling(node.args[1], source.index, map_shape(node))

    def _pad(self, node: fx.Node, module: nn.ZeroPad2d | None) -> Value:
        value, sides = self._operand(node), operations.surrounded(node, module)
        if sides is None:
            return operations.padded(node, value, map_shape(node))
        return Padded(self._made(value), sides, map_shape(node))

    def _same(self, node: fx.Node, _: nn.Module | None) -> Value:
        return self._operand(node)


def _takes_residual(value: Value) -> bool:
    return isinstance(value, Convolve) and value.residual is None


_POOLS = (
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, functional.max_pool2d,
    functional.avg_pool2d, functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d,
    torch.mean, "mean",
)  # fmt: skip
READERS: dict[Any, Callable[..., Value]] = {
    **dict.fromkeys((nn.Conv2d, nn.Linear), Reader._conv),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d), Reader._norm),
    **dict.fromkeys((nn.ReLU, functional.relu, torch.relu, "relu", "relu_"), Reader._relu),
    **dict.fromkeys(_POOLS, Reader._pool),
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), Reader._add),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten", "view", "reshape"), Reader._flatten),
    **dict.fromkeys((nn.Identity, "contiguous"), Reader._same),
    operator.getitem: Reader._index,
    **dict.fromkeys((nn.ZeroPad2d, functional.pad), Reader._pad),
}
"""How each operation is read, by module class, function or name of a method."""
