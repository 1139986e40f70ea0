"""Random networks as plain descriptions: hypothesis draws and shrinks them, JSON keeps them.

A description is a dict with ``seed``, ``input`` (channels, height, width), ``signed`` and
``layers``; the last layer is always a linear one that makes ``classes`` logits. What a layer leaves
out is at its usual value.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tombola.spec import mask_code, rules, weight_stream
from tombola.spec.arithmetic import LOGITS
from tombola.spec.engine import EngineConfig
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    AveragePool,
    Conv,
    Input,
    Mask,
    MaxPool,
    Requantisation,
    Rescale,
    Residual,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import FreezeClass, WeightSet

from .tickets import SIGNED, UNSIGNED

Description = dict[str, Any]
MOST_VALUES = 900
"""Of a tensor: a network simulates in a second or two."""
MOST_WEIGHTS = 4000


class _Maker:
    """Makes the ticket of a description; everything random comes from its seed."""

    def __init__(self, description: Description) -> None:
        self.rng = np.random.default_rng(description["seed"])
        self.seed = description["seed"]
        self.weight_sets: list[WeightSet] = []
        self.masks: list[Mask] = []
        self.tables: list[Requantisation] = []
        self.layers: list[Any] = []
        type = SIGNED if description["signed"] else UNSIGNED
        low, _ = type.range
        table = (np.arange(256) + low).astype(np.int16)[None, :]
        self.input = Input(shape=tuple(description["input"]), type=type, table=table)
        self.shapes = [self.input.shape]

    def mask(self, layer: dict[str, Any], in_channels: int, out: int) -> int:
        if "same_mask_as" in layer:
            return self.layers[layer["same_mask_as"]].mask
        freeze = layer.get("freeze", (0, 0))
        weight_set = WeightSet(
            id=len(self.weight_sets), out_channels=out, in_channels=in_channels,
            kernel=tuple(layer["kernel"]), prune=freeze[0], lock=freeze[1],
        )  # fmt: skip
        stored = layer.get("stored")
        coding = Coding(stored=stored) if stored else Coding(coats=layer.get("coats", 1))
        classes = weight_stream.freeze_classes(self.seed, weight_set)
        low = 0 if coding.coats is not None else -coding.magnitude
        values = self.rng.integers(low, coding.magnitude + 1, classes.shape)
        values[(classes == FreezeClass.PRUNED) | (classes == FreezeClass.PADDING)] = 0
        values[classes == FreezeClass.LOCKED] = coding.magnitude
        self.weight_sets.append(weight_set)
        self.masks.append(
            Mask(
                weight_set=len(self.weight_sets) - 1,
                coding=coding,
                bits=mask_code.encode(values, classes, coding),
            )
        )
        return len(self.masks) - 1

    def table(self, channels: int, spread: float, *, signed: bool = False) -> int:
        output = SIGNED if signed else UNSIGNED
        shift = int(self.rng.integers(5, 14))
        # A typical sum comes out between a tenth of the range and beyond it.
        top = max(2, min(32000, int((1 << shift) / max(1.0, spread) * 2)))
        self.tables.append(
            Requantisation(
                scale=self.rng.integers(-top // 4 - 1, top, channels).astype(np.int16),
                bias=self.rng.integers(-50 << shift, 90 << shift, channels).astype(np.int32),
                shift=shift, output=output, clamp=output.range,
            )
        )  # fmt: skip
        return len(self.tables) - 1

    def residual(self, layer: dict[str, Any], table: int) -> Residual | None:
        if "residual" not in layer:
            return None
        scale = int(layer["residual_scale"] * (1 << self.tables[table].shift) / 64)
        return Residual(tensor=layer["residual"], scale=max(-32768, min(32767, scale)))

    def add(self, layer: dict[str, Any]) -> None:
        source = layer.get("input", len(self.layers))
        shape = self.shapes[source]
        window = Window(
            stride=tuple(layer.get("stride", (1, 1))),
            padding=tuple(layer.get("padding", (0, 0, 0, 0))),
        )
        kind, signed = layer["kind"], layer.get("signed", False)
        if kind == "conv":
            groups = layer.get("groups", 1)
            mask = self.mask(layer, shape[0] // groups, layer["out"])
            spread = (self.weight_sets[self.masks[mask].weight_set].layout.weights) ** 0.5
            spread *= self.masks[mask].coding.magnitude
            table = self.table(layer["out"], spread, signed=signed)
            made: Any = Conv(
                input=source, mask=mask, requantisation=table, window=window, groups=groups,
                residual=self.residual(layer, table),
            )  # fmt: skip
        elif kind == "max":
            made = MaxPool(input=source, kernel=tuple(layer["kernel"]), window=window)
        elif kind == "average":
            table = self.table(shape[0], layer["kernel"][0] * layer["kernel"][1], signed=signed)
            made = AveragePool(
                input=source, kernel=tuple(layer["kernel"]), window=window, requantisation=table
            )
        else:
            table = self.table(shape[0], 1, signed=signed)
            made = Rescale(
                input=source, requantisation=table, residual=self.residual(layer, table)
            )
        self.layers.append(made)
        self.shapes.append(_shape(layer, shape))

    def logits(self, classes: int, last: dict[str, Any]) -> None:
        channels, height, width = self.shapes[-1]
        mask = self.mask({**last, "kernel": (height, width)}, channels, classes)
        self.tables.append(
            Requantisation(
                scale=self.rng.integers(-300, 300, classes).astype(np.int16),
                bias=self.rng.integers(-9999, 9999, classes).astype(np.int32),
                shift=2, output=LOGITS, clamp=None,
            )
        )  # fmt: skip
        self.layers.append(
            Conv(input=len(self.layers), mask=mask, requantisation=len(self.tables) - 1)
        )


def _shape(layer: dict[str, Any], shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if layer["kind"] == "rescale":
        return shape
    stride, padding = layer.get("stride", (1, 1)), layer.get("padding", (0, 0, 0, 0))
    height, width = (
        (shape[1 + axis] + padding[axis] + padding[axis + 2] - layer["kernel"][axis])
        // stride[axis]
        + 1
        for axis in range(2)
    )
    return layer.get("out", shape[0]), height, width


def ticket(description: Description) -> Ticket:
    """The ticket that is described."""
    maker = _Maker(description)
    for layer in description["layers"]:
        maker.add(layer)
    maker.logits(description["classes"], description.get("last", {}))
    made = Ticket(
        seed=description["seed"], input=maker.input, classes=(),
        weight_sets=tuple(maker.weight_sets), masks=tuple(maker.masks),
        requantisations=tuple(maker.tables), layers=tuple(maker.layers), provenance={},
    )  # fmt: skip
    rules.check(made)
    return made


def images(description: Description, count: int) -> np.ndarray:
    """Random bytes (count, channels, height, width)."""
    rng = np.random.default_rng(description["seed"] + 1)
    return rng.integers(0, 256, (count, *description["input"])).astype(np.uint8)


def _window(draw: st.DrawFn, shape: tuple[int, int, int], largest: int) -> dict[str, Any] | None:
    """Kernel, stride and padding of a window that stands in a map somewhere."""
    kernel = [draw(st.integers(1, largest)) for _ in range(2)]
    stride = [draw(st.integers(1, 3)) for _ in range(2)]
    padding = [draw(st.integers(0, kernel[side % 2] - 1)) for side in range(4)]
    fits = all(
        shape[1 + axis] + padding[axis] + padding[axis + 2] >= kernel[axis] for axis in range(2)
    )
    window = {"kernel": kernel, "stride": stride, "padding": padding}
    return window if fits else None


def _weights(draw: st.DrawFn, config: EngineConfig) -> dict[str, Any]:
    """How the weights of a layer are coded and frozen."""
    if config.stored and draw(st.booleans()):
        return {"stored": draw(st.integers(2, config.planes + 1))}
    made: dict[str, Any] = {}
    if config.planes > 1:
        made["coats"] = draw(st.integers(1, (1 << config.planes) - 1))
    if draw(st.booleans()):
        prune = draw(st.integers(0, 256))
        made["freeze"] = [prune, draw(st.integers(0, 256 - prune))]
    return made


def _conv(
    draw: st.DrawFn, config: EngineConfig, layers: list, shapes: list, source: int
) -> dict[str, Any] | None:
    shape = shapes[source]
    twins = [
        index
        for index, layer in enumerate(layers)
        if layer["kind"] == "conv" and shapes[layer["input"]][0] == shape[0]
    ]
    if twins and draw(st.integers(0, 3)) == 0:
        twin = layers[draw(st.sampled_from(twins))]
        keys = ("kind", "out", "kernel", "stride", "padding", "groups")
        layer = {key: twin[key] for key in keys if key in twin}
        layer["same_mask_as"] = layers.index(twin)
        return layer if _fits(layer, shape) else None
    window = _window(draw, shape, 4)
    if window is None:
        return None
    groups = 1
    if config.grouped and draw(st.booleans()):
        groups = draw(st.sampled_from([g for g in range(1, shape[0] + 1) if shape[0] % g == 0]))
    out = groups * draw(st.integers(1, max(1, 24 // groups)))
    if out * window["kernel"][0] * window["kernel"][1] * shape[0] // groups > MOST_WEIGHTS:
        return None
    layer = {"kind": "conv", "out": out, **window, **_weights(draw, config)}
    return layer | ({"groups": groups} if groups > 1 else {})


def _fits(layer: dict[str, Any], shape: tuple[int, int, int]) -> bool:
    return min(_shape(layer, shape)) >= 1


@st.composite
def descriptions(draw: st.DrawFn, config: EngineConfig) -> Description:
    """Networks of one to seven layers of the kinds that an engine runs."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 11)), draw(st.integers(1, 11)))
    layers: list[dict[str, Any]] = []
    shapes = [shape]
    for _ in range(draw(st.integers(0, 6))):
        source = draw(st.integers(max(0, len(layers) - 2), len(layers)))
        kinds = ["conv", "conv", "conv", "max", "average"]
        kinds += ["rescale"] if config.residual else []
        kind = draw(st.sampled_from(kinds))
        if kind == "conv":
            layer = _conv(draw, config, layers, shapes, source)
        elif kind == "rescale":
            layer = {"kind": "rescale"}
        else:
            window = _window(draw, shapes[source], 4)
            layer = None if window is None else {"kind": kind, **window}
            if layer and kind == "max" and config.fused_pooling and draw(st.booleans()):
                layer |= {"stride": layer["kernel"], "padding": [0, 0, 0, 0]}  # side by side
        if layer is None or not _fits(layer, shapes[source]):
            continue
        layer["input"] = source
        if kind != "max" and draw(st.booleans()):
            layer["signed"] = True
        made = _shape(layer, shapes[source])
        if made[0] * made[1] * made[2] > MOST_VALUES:
            continue
        others = [index for index, other in enumerate(shapes) if other == made]
        if config.residual and kind in ("conv", "rescale") and others and draw(st.booleans()):
            layer["residual"] = draw(st.sampled_from(others))
            layer["residual_scale"] = draw(st.integers(-64, 64))
        layers.append(layer)
        shapes.append(made)
    return {
        "seed": draw(st.integers(0, (1 << 32) - 1)),
        "input": list(shape),
        "signed": draw(st.booleans()),
        "layers": layers,
        "classes": draw(st.integers(1, 11)),
        "last": _weights(draw, config),
    }
