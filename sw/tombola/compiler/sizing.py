"""The smallest memories with which an engine of a given geometry runs a ticket."""

from typing import Any

from tombola.compiler import fit, layers
from tombola.compiler.program import compile_ticket
from tombola.spec import arithmetic
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Conv, Ticket

LARGEST = 1 << 20


def engine_for(ticket: Ticket, geometry: str, *, batch: int = 1) -> EngineConfig:
    """An engine of a geometry with the usual memories, each enlarged where the ticket needs it.

    Parameters
    ----------
    ticket : Ticket
    geometry : str
        As `EngineConfig.for_geometry` takes it.
    batch : int
        Images of one run.

    Raises
    ------
    ConfigError
        If the geometry is none.
    FitError
        If the ticket needs what no engine has.
    """
    features = _features(ticket)
    usual = EngineConfig.for_geometry(geometry, **features)
    boundless = EngineConfig.for_geometry(
        geometry,
        accumulator_bits=32,
        weight_lines=LARGEST,
        activation_words=LARGEST,
        ticket_words=LARGEST,
        table_entries=LARGEST,
        result_words=LARGEST,
        **features,
    )
    program = compile_ticket(ticket, boundless, batch=batch)
    several_positions = [
        fields["lines"]
        for step, fields in zip(program.plan.steps, program.descriptors, strict=True)
        if fields["operation"] == Operation.CONVOLVE
        and (layers.positions(fields) > 1 or step.groups > 1)
    ]
    needs = {
        "weight_lines": max(several_positions, default=1),
        "activation_words": max(place.base + place.words for place in program.placements.values()),
        "ticket_words": program.ticket_image.size,
        "table_entries": program.table_image.size,
        "result_words": program.result_words[1],
    }
    sizes = {name: max(getattr(usual, name), _power_of_two(need)) for name, need in needs.items()}
    bits = max(usual.accumulator_bits, accumulator_bits(ticket, usual))
    return EngineConfig.for_geometry(geometry, accumulator_bits=bits, **features, **sizes)


def _features(ticket: Ticket) -> dict[str, Any]:
    codings = [mask.coding for mask in ticket.masks]
    return {
        "planes": max((coding.planes for coding in codings), default=1),
        "stored": any(coding.stored is not None for coding in codings),
        "residual": any(getattr(layer, "residual", None) for layer in ticket.layers),
        "grouped": any(getattr(layer, "groups", 1) > 1 for layer in ticket.layers),
    }


def _power_of_two(need: int) -> int:
    return 1 << (need - 1).bit_length()


def accumulator_bits(ticket: Ticket, config: EngineConfig) -> int:
    """Width of the largest sum that a layer of the ticket can reach in such an array."""
    widths = [1]
    for layer in ticket.layers:
        if isinstance(layer, Conv):
            widths.append(fit.sum_bits(ticket, layer, config))
        elif hasattr(layer, "kernel"):
            widths.append(arithmetic.raw_accumulator_bits(layer.kernel[0] * layer.kernel[1], 1))
    return max(widths)
