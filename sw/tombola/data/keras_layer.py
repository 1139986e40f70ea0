"""What a Keras 2 model_config says of a network, layer by layer, with every word checked."""

import re
from typing import Any

from ..spec.errors import DataError

__all__ = ["Description", "Layer"]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MOST = 1 << 16
"""Larger than any count that a layer has."""


class Layer:
    """One layer of the description.

    Attributes
    ----------
    name, kind : str
    inputs : tuple of str
        Names of the layers read.
    """

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
            raise DataError("its model_config lists a layer without a config")
        self._config = document["config"]
        name, kind = document.get("name"), document.get("class_name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise DataError(f"a layer must be named by letters, digits and _, not {name!a:.40}")
        if not isinstance(kind, str) or not NAME.fullmatch(kind):
            raise DataError(f"layer {name} has no class_name")
        self.name, self.kind = name, kind
        self.inputs = self._inputs(document.get("inbound_nodes"))

    def _inputs(self, nodes: Any) -> tuple[str, ...]:
        if nodes == []:
            return ()
        try:
            (node,) = nodes
            names = tuple(name for name, index, tensor, _ in node if (index, tensor) == (0, 0))
            if len(names) == len(node) and all(isinstance(name, str) for name in names):
                return names
        except (TypeError, ValueError):
            pass
        raise DataError(
            f"layer {self.name} must run once, on tensors that Keras 2 lists in inbound_nodes"
        )

    def _value(self, key: str) -> Any:
        if key not in self._config:
            raise DataError(f"layer {self.name} has no {key}")
        return self._config[key]

    def text(self, key: str) -> str:
        """A word."""
        value = self._value(key)
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise DataError(f"{key} of layer {self.name} must be a word, not {value!a:.40}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._value(key)
        if not isinstance(value, bool):
            raise DataError(f"{key} of layer {self.name} must be true or false, not {value!a:.40}")
        return value

    def count(self, key: str, default: int | None = None) -> int:
        """A number of things, at least 1."""
        value = default if default is not None and key not in self._config else self._value(key)
        if not _is_count(value):
            raise DataError(f"{key} of layer {self.name} must be 1 to {MOST}, not {value!a:.40}")
        return value

    def pair(self, key: str) -> tuple[int, int]:
        """Two counts, vertical and horizontal."""
        value = self._value(key)
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_count, value)):
            raise DataError(
                f"{key} of layer {self.name} must be two counts of 1 to {MOST}, not {value!a:.40}"
            )
        return value[0], value[1]

    def number(self, key: str) -> float:
        """A number between 0 and 1."""
        value = self._value(key)
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise DataError(f"{key} of layer {self.name} must be 0 to 1, not {value!a:.40}")
        return float(value)

    def channels_last(self) -> bool:
        """Whether a map's channels come last, as they do unless it says otherwise."""
        return self._config.get("data_format", "channels_last") == "channels_last"

    def axis(self) -> int:
        """The one axis of a norm."""
        value = self._value("axis")
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        if type(value) is not int:
            raise DataError(f"axis of layer {self.name} must be one axis, not {value!a:.40}")
        return value

    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width that an input layer states."""
        value = self._value("batch_input_shape")
        if not isinstance(value, list) or len(value) != 4 or not all(map(_is_count, value[1:])):
            raise DataError(
                f"{self.name} must take images of a stated height, width and channels, "
                f"not {value!a:.40}"
            )
        return value[3], value[1], value[2]


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST


class Description:
    """The layers of a functional model with one image in and one tensor out.

    Attributes
    ----------
    image, output : str
        Names of the first and of the last layer.
    shape : (int, int, int)
        Channels, height and width of an image.
    layers : tuple of Layer
        All but the first, in the order of the file.
    """

    def __init__(self, document: Any) -> None:
        kind = document.get("class_name") if isinstance(document, dict) else None
        config = document.get("config") if kind in ("Functional", "Model") else None
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            raise DataError("it must hold a functional model of Keras 2")
        layers = tuple(Layer(entry) for entry in config["layers"])
        names = [layer.name for layer in layers]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"two of its layers are named {twice}")
        images = [layer for layer in layers if layer.kind == "InputLayer"]
        if len(images) != 1:
            raise DataError(f"it must take one image, not {len(images)} inputs")
        self.image, self.shape = images[0].name, images[0].image_shape()
        for layer in layers:
            if not layer.channels_last():
                raise DataError(f"layer {layer.name} must have its channels last")
        self.layers = tuple(layer for layer in layers if layer.kind != "InputLayer")
        self.output = _output(config.get("output_layers"))


def _output(listed: Any) -> str:
    if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], list) and listed[0]:
        name = listed[0][0]
        if isinstance(name, str) and NAME.fullmatch(name):
            return name
    raise DataError("it must make one tensor, named in output_layers")
