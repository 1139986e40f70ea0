"""The ticket's description as canonical JSON, read strictly: unknown keys and kinds are refused."""

import json
from collections.abc import Callable
from typing import Any

from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError, TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import (
    FORMAT_VERSION,
    Aggregate,
    AveragePool,
    Conv,
    Layer,
    MaxPool,
    Rescale,
    Residual,
    Ticket,
    Window,
)
from tombola.spec.weight_stream import WeightSet

Json = dict[str, Any]
OPERATIONS: dict[str, type] = {
    "conv": Conv,
    "max_pool": MaxPool,
    "average_pool": AveragePool,
    "rescale": Rescale,
    "aggregate": Aggregate,
}
MAX_TEXT = 1 << 16


def canonical(document: Json) -> str:
    """Sorted keys, no blanks, ASCII only: one spelling for one document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def describe(ticket: Ticket) -> Json:
    """All of a ticket but its arrays, ready for `canonical`; the digest is not in it."""
    return {
        "format": FORMAT_VERSION,
        "generator": {"name": ticket.generator[0], "version": ticket.generator[1]},
        "seed": f"{ticket.seed:016x}",
        "input": {"shape": list(ticket.input.shape), "type": _type(ticket.input.type)},
        "classes": list(ticket.classes),
        "weight_sets": [
            {
                "id": x.id,
                "out_channels": x.out_channels,
                "in_channels": x.in_channels,
                "kernel": list(x.kernel),
                "prune": x.prune,
                "lock": x.lock,
            }
            for x in ticket.weight_sets
        ],
        "masks": [
            {"weight_set": x.weight_set, "bits": int(x.bits.size), **_coding(x.coding)}
            for x in ticket.masks
        ],
        "requantisations": [
            {
                "shift": x.shift,
                "type": _type(x.output),
                **({} if x.clamp is None else {"clamp": list(x.clamp)}),
            }
            for x in ticket.requantisations
        ],
        "layers": [_layer(x) for x in ticket.layers],
        "provenance": ticket.provenance,
    }


def _type(number: NumberType) -> Json:
    return {"bits": number.bits, "signed": number.signed}


def _coding(coding: Coding) -> Json:
    return {"coats": coding.coats} if coding.coats is not None else {"stored": coding.stored}


def _layer(layer: Layer) -> Json:
    name = next(name for name, kind in OPERATIONS.items() if isinstance(layer, kind))
    out: Json = {"op": name, "input": layer.input}
    if not isinstance(layer, MaxPool):
        out["requantisation"] = layer.requantisation
    if isinstance(layer, Conv):
        out |= {"mask": layer.mask, "groups": layer.groups}
    if isinstance(layer, MaxPool | AveragePool):
        out["kernel"] = list(layer.kernel)
    if isinstance(layer, Conv | MaxPool | AveragePool):
        out |= {"stride": list(layer.window.stride), "padding": list(layer.window.padding)}
    if isinstance(layer, Conv | Rescale) and layer.residual is not None:
        out["residual"] = {"tensor": layer.residual.tensor, "scale": layer.residual.scale}
    return out


class Reader:
    """One JSON object, whose keys are taken one by one and must all be taken.

    Parameters
    ----------
    document : Any
        What `json.loads` gave; anything but an object is refused.
    where : str
        Path of the object in the description, for messages.
    """

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise TicketError(f"{where} must be an object, not {type(document).__name__}")
        self._left = dict(document)
        self._where = where

    def has(self, key: str) -> bool:
        """True while `key` is there and not taken."""
        return key in self._left

    def _take(self, key: str, kind: type) -> Any:
        if key not in self._left:
            raise TicketError(f"{self._where} has no key {key}")
        value = self._left.pop(key)
        if type(value) is not kind:  # bool is an int to isinstance
            raise TicketError(
                f"{self._where}.{key} must be {kind.__name__}, not {type(value).__name__}"
            )
        return value

    def integer(self, key: str) -> int:
        """An integer of at most 64 bits."""
        value: int = self._take(key, int)
        if not -(1 << 63) <= value < 1 << 63:
            raise TicketError(f"{self._where}.{key} is an integer of more than 64 bits")
        return value

    def boolean(self, key: str) -> bool:
        """True or false."""
        return bool(self._take(key, bool))

    def text(self, key: str) -> str:
        """A string of at most 65,536 characters."""
        value: str = self._take(key, str)
        if len(value) > MAX_TEXT:
            raise TicketError(f"{self._where}.{key} is longer than {MAX_TEXT} characters")
        return value

    def integers(self, key: str, count: int) -> tuple[int, ...]:
        """Exactly `count` integers."""
        values: list = self._take(key, list)
        if len(values) != count or any(type(x) is not int or abs(x) >= 1 << 31 for x in values):
            raise TicketError(f"{self._where}.{key} must be {count} integers")
        return tuple(values)

    def object(self, key: str) -> "Reader":
        """A nested object."""
        return Reader(self._take(key, dict), f"{self._where}.{key}")

    def each(self, key: str, make: "Callable[[Reader], Any]") -> tuple[Any, ...]:
        """A list of objects, each read by `make` to its last key."""
        out = []
        for index, entry in enumerate(self._take(key, list)):
            reader = Reader(entry, f"{self._where}.{key}[{index}]")
            try:
                out.append(make(reader))
            except ConfigError as error:
                raise TicketError(f"{reader._where}: {error}") from None
            reader.done()
        return tuple(out)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values: list = self._take(key, list)
        if any(type(x) is not str or len(x) > MAX_TEXT for x in values):
            raise TicketError(f"{self._where}.{key} must be a list of strings")
        return tuple(values)

    def scalars(self, key: str) -> dict[str, str | int | float]:
        """An object of strings and finite numbers only."""
        values: dict = self._take(key, dict)
        for name, value in values.items():
            if type(value) not in (str, int, float) or value in (float("inf"), float("-inf")):
                raise TicketError(f"{self._where}.{key}.{name} must be a string or a number")
        return values

    def done(self) -> None:
        """Refuses what was not taken."""
        for key in self._left:
            raise TicketError(f"{self._where} has the unknown key {key}")


def read_type(reader: Reader) -> NumberType:
    """The object at key ``type``."""
    inner = reader.object("type")
    try:
        number = NumberType(bits=inner.integer("bits"), signed=inner.boolean("signed"))
    except ConfigError as error:
        raise TicketError(str(error)) from None
    inner.done()
    return number


def read_weight_set(reader: Reader) -> WeightSet:
    """One entry of ``weight_sets``."""
    height, width = reader.integers("kernel", 2)
    return WeightSet(
        id=reader.integer("id"),
        out_channels=reader.integer("out_channels"),
        in_channels=reader.integer("in_channels"),
        kernel=(height, width),
        prune=reader.integer("prune"),
        lock=reader.integer("lock"),
    )


def read_coding(reader: Reader) -> Coding:
    """The coding of one entry of ``masks``."""
    return Coding(
        coats=reader.integer("coats") if reader.has("coats") else None,
        stored=reader.integer("stored") if reader.has("stored") else None,
    )


def read_layer(reader: Reader) -> Layer:
    """One entry of ``layers``."""
    name = reader.text("op")
    if name not in OPERATIONS:
        raise TicketError(f"layer operation {name!r} is unknown; known: {', '.join(OPERATIONS)}")
    kind = OPERATIONS[name]
    fields: Json = {"input": reader.integer("input")}
    if kind is not MaxPool:
        fields["requantisation"] = reader.integer("requantisation")
    if kind is Conv:
        fields |= {"mask": reader.integer("mask"), "groups": reader.integer("groups")}
    if kind in (MaxPool, AveragePool):
        fields["kernel"] = reader.integers("kernel", 2)
    if kind in (Conv, MaxPool, AveragePool):
        stride, padding = reader.integers("stride", 2), reader.integers("padding", 4)
        fields["window"] = Window(stride=stride, padding=padding)  # type: ignore[arg-type]
    if kind in (Conv, Rescale) and reader.has("residual"):
        inner = reader.object("residual")
        fields["residual"] = Residual(tensor=inner.integer("tensor"), scale=inner.integer("scale"))
        inner.done()
    layer: Layer = kind(**fields)
    return layer
