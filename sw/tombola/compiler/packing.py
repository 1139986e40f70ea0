"""First layers: kernel positions side by side in the lanes that few channels leave free."""

from dataclasses import replace

from tombola.compiler import estimate, layers, memory_plan, strips
from tombola.compiler.layers import StepPlaces
from tombola.compiler.memory_plan import Placement
from tombola.compiler.steps import Buffer, Plan, Step
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.ticket import Conv, Ticket


def pack(ticket: Ticket, plan: Plan, config: EngineConfig) -> Plan:
    """The plan with convolutions over few channels packed, where that saves clocks and fits.

    Each kernel position is copied, shifted, to lanes of its own of an unfolded tensor, in the order
    of the weight stream; the convolution is then one of 1x1 over that.
    """
    if not config.packing:
        return plan
    for step in plan.steps:
        packed = _packed(ticket, plan, step, config)
        if packed is None:
            continue
        try:
            cut = strips.cut(packed, config)
            memory_plan.place(cut, config)
        except FitError:
            continue
        if saves(ticket, strips.cut(plan, config), cut, step.layer, config):
            plan = packed
    return plan


def _packed(ticket: Ticket, plan: Plan, step: Step, config: EngineConfig) -> Plan | None:
    """The plan with this step packed, if it is a convolution that can be."""
    work = ticket.layers[step.layer]
    if step.operation is not Operation.CONVOLVE or step.kernel == (1, 1):
        return None
    assert isinstance(work, Conv)
    row = ticket.weight_sets[ticket.masks[work.mask].weight_set].layout
    if work.groups != 1 or row.padded_channels >= config.lanes:
        return None
    places = [(ky, kx) for ky in range(step.kernel[0]) for kx in range(step.kernel[1])]
    words = -(-len(places) * row.padded_channels // config.lanes)
    _, height, width = plan.buffers[step.target].shape
    unfolded = Buffer(
        # All positions that are computed, also those pooled away.
        shape=(words * config.lanes, height * step.pool[0], width * step.pool[1]),
        type=plan.buffers[step.source].type,
    )
    copies = [
        Step(
            layer=step.layer,
            operation=Operation.AVERAGE_POOL,
            source=step.source,
            target=len(plan.buffers),
            kernel=(1, 1),
            stride=step.stride,
            first=(step.first[0] + ky, step.first[1] + kx),
            channel=index * row.padded_channels,
        )
        for index, (ky, kx) in enumerate(places)
    ]
    convolution = replace(
        step, source=len(plan.buffers), kernel=(1, 1), stride=(1, 1), first=(0, 0), packed=True
    )
    at = plan.steps.index(step)
    steps = (*plan.steps[:at], *copies, convolution, *plan.steps[at + 1 :])
    return replace(plan, steps=steps, buffers=(*plan.buffers, unfolded))


def saves(ticket: Ticket, plan: Plan, packed: Plan, layer: int, config: EngineConfig) -> bool:
    """Whether a layer takes fewer clocks packed, copies and all."""
    return _cycles(ticket, packed, layer, config) < _cycles(ticket, plan, layer, config)


def _cycles(ticket: Ticket, plan: Plan, layer: int, config: EngineConfig) -> int:
    """Clocks of all steps of a layer, wherever its buffers may lie."""

    def lies(buffer: int) -> Placement:
        return Placement(base=0, words=0, groups=-(-plan.buffers[buffer].shape[0] // config.lanes))

    total = 0
    for step in plan.steps:
        if step.layer == layer:
            places = StepPlaces(
                source=lies(step.source),
                target=lies(step.target),
                table=0,
                residual=None if step.residual is None else lies(step.residual),
            )
            fields = layers.fields(ticket, plan, step, places, config)
            total += estimate.layer_cycles(fields, config)
    return total
