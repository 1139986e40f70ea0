"""The values of a traced model while it is read, and where in the model they come from."""

from typing import Any

from torch import fx

from tombola.search.plan import Shape, Sides, Step


class Made:
    """A value that a step has made; flat where the model has flattened it."""

    def __init__(self, index: int, shape: Shape, *, flat: bool = False) -> None:
        self.index, self.shape, self.flat = index, shape, flat


class Padded:
    """A map between zeros, which a convolution is to read."""

    def __init__(self, source: Made, sides: Sides, shape: Shape) -> None:
        self.source, self.sides, self.shape = source, sides, shape


Value = Made | Padded | Step
"""A step that is not yet made may still take a norm, a residual and an activation."""


def map_shape(node: fx.Node) -> Shape:
    """Of a node's value; flat ones are maps of one position."""
    shape = tuple(node.meta["tensor_meta"].shape[1:])
    return (*shape, *(1,) * (3 - len(shape)))


def kind_name(kind: Any) -> str:
    """What a message calls a module class, a function or a method."""
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


def place(node: fx.Node) -> str:
    """The module in which an operation stands."""
    if node.op == "call_module":
        return str(node.target)
    stack = list(node.meta.get("nn_module_stack") or {})
    return f"{node.name} in {stack[-1]}" if stack and stack[-1] else node.name
