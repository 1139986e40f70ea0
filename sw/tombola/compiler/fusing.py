"""Pooling before the write: a convolution and the pooling behind it as one step."""

from dataclasses import replace

from tombola.compiler.steps import Plan, Step
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.ticket import MaxPool, Ticket


def fuse(ticket: Ticket, plan: Plan, config: EngineConfig) -> Plan:
    """The plan in which a convolution writes the maxima of windows of its output, where it can.

    The windows lie side by side, without padding, and nothing else reads what they pool. Several
    pixels would compute rows in vain where strips of whole windows are higher than strips need be.
    """
    if not config.fused_pooling:
        return plan
    steps: list[Step] = []
    for step in plan.steps:
        if steps and _fit(ticket, plan, steps[-1], step) and _alike(plan, step, config):
            steps[-1] = replace(steps[-1], target=step.target, pool=step.kernel)
        else:
            steps.append(step)
    return replace(plan, steps=tuple(steps))


def _alike(plan: Plan, step: Step, config: EngineConfig) -> bool:
    before, behind = (
        -(-plan.buffers[index].shape[1] // config.pixels) for index in (step.source, step.target)
    )
    return config.pixels == 1 or before == step.stride[0] * behind


def _fit(ticket: Ticket, plan: Plan, before: Step, step: Step) -> bool:
    work = ticket.layers[step.layer]
    return (
        before.operation is Operation.CONVOLVE
        and before.residual is None
        and before.pool == (1, 1)
        and isinstance(work, MaxPool)
        and step.channel is None
        and step.source == before.target
        and step.kernel == step.stride
        and work.window.padding == (0, 0, 0, 0)
        and [x for x in plan.steps if before.target in x.sources] == [step]
    )
