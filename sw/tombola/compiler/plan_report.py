"""A planned engine for people and programs: layer by layer, memory by memory."""

from typing import Any

from tombola.compiler import estimate
from tombola.compiler.needs import measure
from tombola.compiler.program import Program
from tombola.compiler.room import MEMORY_FIELDS, Target
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import Conv, Ticket
from tombola.spec.ticket_json import OPERATIONS


def layer_table(program: Program) -> list[dict[str, Any]]:
    """Of each descriptor: what it does, its cycles, what they are spent on and what binds.

    `utilisation` is the part of the array's masked additions that the layer has use for; None for
    a layer without weights.
    """
    return [_layer(program, index) for index in range(len(program.descriptors))]


def _layer(program: Program, index: int) -> dict[str, Any]:
    fields, config = program.descriptors[index], program.config
    number = program.plan.steps[index].layer
    layer = program.ticket.layers[number]
    time = estimate.layer_time(fields, config)
    operation = next(name for name, kind in OPERATIONS.items() if isinstance(layer, kind))
    utilisation = None
    if isinstance(layer, Conv) and fields["operation"] == Operation.CONVOLVE:
        mask = program.ticket.masks[layer.mask]
        weights = program.ticket.weight_sets[mask.weight_set].weights
        _, height, width = program.tensors[number + 1].shape
        macs = weights * height * width * mask.coding.planes
        utilisation = macs / (config.macs * time.total)
    return {
        "layer": number,
        "op": operation,
        "shape": list(program.tensors[number + 1].shape),
        "cycles": time.total,
        "utilisation": utilisation,
        "bound": time.bound,
        "spent": time.parts,
    }


def memory_table(ticket: Ticket, config: EngineConfig, target: Target) -> list[dict[str, Any]]:
    """Of each memory: bits that the ticket needs of it, bits that it has, and what takes them."""
    _, needs = measure(ticket, config)
    depths = config.to_json()
    return [
        {
            **need.to_json(),
            "have_bits": depths[MEMORY_FIELDS[name]] * need.width,
            "block_ram": target.blocks(config, name),
        }
        for name, need in needs.items()
    ]
