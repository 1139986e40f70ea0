"""From a PyTorch model to its plan: traced, run once for the shapes, and read."""

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from tombola.search.plan import Plan, Shape
from tombola.search.reader import Reader
from tombola.spec.errors import ConfigError


def plan(model: nn.Module, *, shape: Shape) -> Plan:
    """The plan of a model that takes images (batch, channels, height, width).

    A module called several times is one set of weights in several steps; norms count once a call.

    Parameters
    ----------
    model : Module
        Of convolutions (grouped too), linear layers, batch norms, ReLUs, max, average and adaptive
        poolings, flatten and additions. It is run once, at rest, to learn the shapes.
    shape : (int, int, int)
        Channels, height and width of an image.

    Raises
    ------
    ConfigError
        With the path of the module that cannot become part of a ticket.
    """
    nodes = _traced(model, shape)
    modules = dict(model.named_modules())
    return Reader(modules, shape).read(nodes)


def _traced(model: nn.Module, shape: Shape) -> list[fx.Node]:
    """Nodes of the model's graph, with the shape of each value."""
    was_training = [(module, module.training) for module in model.modules()]
    weights = next(model.parameters(), torch.empty(0))
    example = torch.zeros(1, *shape, device=weights.device, dtype=weights.dtype)
    try:
        traced = fx.symbolic_trace(model)
        model.eval()
        with torch.no_grad():
            ShapeProp(traced.eval()).propagate(example)
    except Exception as error:  # noqa: BLE001  (the user's model may raise whatever it likes)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(
            f"the model cannot be traced on images of {'x'.join(map(str, shape))}: {reason}; it "
            "must run on them, and branch on nothing that depends on values"
        ) from None
    finally:
        for module, training in was_training:
            module.training = training
    return list(traced.graph.nodes)
