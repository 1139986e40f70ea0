"""The description of a ticket: every key of its JSON, written and read."""

from tombola.spec.arithmetic import NumberType
from tombola.spec.errors import ConfigError, TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.strict_json import Json, Reader, shown
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

OPERATIONS: dict[str, type] = {
    "conv": Conv,
    "max_pool": MaxPool,
    "average_pool": AveragePool,
    "rescale": Rescale,
    "aggregate": Aggregate,
}


def describe(ticket: Ticket) -> Json:
    """All of a ticket but its arrays and its digest, ready for `strict_json.canonical`."""
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


def read_type(reader: Reader) -> NumberType:
    """The object at key ``type``."""
    inner = reader.object("type")
    try:
        number = NumberType(bits=inner.integer("bits"), signed=inner.boolean("signed"))
    except ConfigError as error:
        raise TicketError(f"{inner.where}: {error}") from None
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
        raise TicketError(
            f"{reader.where}.op {shown(name)} is unknown; known: {', '.join(OPERATIONS)}"
        )
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
