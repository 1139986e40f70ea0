"""A model under search: its plan with masked convolutions, and integers between the layers."""

import torch
from torch import Tensor, nn

from tombola.search.assembly import assemble
from tombola.search.input_code import InputCode
from tombola.search.layers import ConvLayer, Map
from tombola.search.masked_conv import MaskedConv
from tombola.search.masking import Masking
from tombola.search.plan import Plan
from tombola.search.settings import SearchSettings
from tombola.search.trace import plan
from tombola.spec.errors import ConfigError


def convert(
    model: nn.Module,
    settings: SearchSettings,
    *,
    shape: tuple[int, int, int],
    code: InputCode | None = None,
) -> "Network":
    """The searchable form of a model.

    Where weights are drawn, only the model's wiring and sizes count: its own weights are not used,
    and a layer with a bias is searched as the same layer without. The model is left as it was.

    Parameters
    ----------
    model : Module
        As `tombola.search.trace.plan` reads it.
    settings : SearchSettings
    shape : (int, int, int)
        Channels, height and width of an image.
    code : InputCode or None
        Of the image bytes; None for bytes as they are.

    Raises
    ------
    ConfigError
        With the path of the module that cannot become part of a ticket, or as `Network` raises.
    """
    return Network(plan(model, shape=shape), settings=settings, code=code)


class Network(nn.Module):
    """A network whose masks can be searched.

    Activations run through it as the very integers of the exported ticket, held in float32.

    Parameters
    ----------
    plan : Plan
    settings : SearchSettings
    code : InputCode or None

    Raises
    ------
    ConfigError
        If the drawn freezing leaves no room for the sparsity.
    """

    def __init__(
        self, plan: Plan, *, settings: SearchSettings, code: InputCode | None = None
    ) -> None:
        super().__init__()
        self.plan, self.settings = plan, settings
        self.code = InputCode.plain(plan.shape[0]) if code is None else code
        table = None if self.code.is_plain else torch.from_numpy(self.code.table).float()
        self.register_buffer("table", table, persistent=False)
        self.layers = nn.ModuleList(assemble(plan, settings, self.code))
        self._last_read = [
            max(plan.readers(tensor), default=-1) for tensor in range(len(plan.steps) + 1)
        ]
        self._masking = Masking(self.convs, settings)
        self.select()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.plan.shape

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.plan.steps[-1].shape[0]

    @property
    def convs(self) -> list[MaskedConv]:
        """Each set of weights once, in the order of the plan."""
        layers = [layer for layer in self.layers if isinstance(layer, ConvLayer)]
        return list(dict.fromkeys(layer.conv for layer in layers))

    def select(self, epoch: float = 0.0) -> None:
        """Sets every mask from the scores; to be called after each step of the optimiser.

        Parameters
        ----------
        epoch : float
            Epochs done, whole or not, for settings by which masks change with them.
        """
        for conv in self.convs:
            conv.hold()
        self._masking.select(epoch)

    def resume(self) -> None:
        """To be called after a state was loaded: what depends on the masks follows them."""
        self._masking.resume()

    def check(self) -> None:
        """Refuses scores that rank nothing, and masks that leave no way from image to logits.

        Raises
        ------
        ConfigError
            With the first layer whose scores are no numbers, or that keeps no weight.
        """
        alive, empty = [True], None
        for step, layer in zip(self.plan.steps, self.layers, strict=True):
            fed = alive[step.input]
            if isinstance(layer, ConvLayer):
                if not torch.isfinite(layer.conv.scores).all():
                    raise ConfigError(
                        f"the scores of layer {step.path} are no longer numbers; lower the "
                        "learning rate"
                    )
                if not layer.conv.mask.any():
                    fed, empty = False, empty or step.path
            residual = getattr(step, "residual", None)
            alive.append(fed or (residual is not None and alive[residual]))
        if not alive[-1]:
            way_out = "lower sparsity"
            if self.settings.scope == "network":
                way_out += ", or give each layer its own threshold with scope layer"
            raise ConfigError(
                f"layer {empty} keeps no weight, so the logits do not depend on the image; "
                f"{way_out}"
            )

    def forward(self, images: Tensor) -> Tensor:
        """Uint8 images (batch, channels, height, width) to logits (batch, classes)."""
        maps: list[Map | None] = [Map(self._encoded(images), self.code.step)]
        for index, (step, layer) in enumerate(zip(self.plan.steps, self.layers, strict=True)):
            residual = getattr(step, "residual", None)
            read = [step.input] if residual is None else [step.input, residual]
            maps.append(layer(*(maps[tensor] for tensor in read)))
            for tensor in read:
                if self._last_read[tensor] == index:
                    maps[tensor] = None  # at rest, memory is that of the maps still to be read
        return maps[-1].values.flatten(1)

    def _encoded(self, images: Tensor) -> Tensor:
        if self.table is None:
            values = images.float()
        else:
            channel = torch.arange(self.shape[0], device=images.device)[:, None, None]
            values = self.table[channel, images.long()]
        # Weights lie channels last, in stream order; images that do too spare a third of a step.
        return values.contiguous(memory_format=torch.channels_last)
