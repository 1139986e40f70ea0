"""From the scores of all layers to their masks, by the parts that the settings name."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tombola.search import selection
from tombola.search.coats import Keep, count_coats
from tombola.search.freezing import check_bounds
from tombola.search.limiter import LIMITS, limit_swaps
from tombola.search.masked_conv import MaskedConv
from tombola.search.schedule import SCHEDULES
from tombola.search.settings import SearchSettings


class Masking:
    """Chooses the masks of all layers of a network.

    Parameters
    ----------
    convs : sequence of MaskedConv
        Each set of weights once, in stream order.
    settings : SearchSettings

    Raises
    ------
    ConfigError
        If the drawn freezing leaves no room for the sparsity.
    """

    def __init__(self, convs: Sequence[MaskedConv], settings: SearchSettings) -> None:
        self._convs, self._settings = tuple(convs), settings
        if settings.prune + settings.lock > 0:
            for sparsity in (settings.sparsities[0], settings.sparsities[-1]):
                check_bounds(
                    [conv.counts for conv in convs],
                    sparsity=sparsity,
                    layerwise=settings.scope == "layer",
                )
        self._started = False

    @torch.no_grad()
    def select(self, epoch: float) -> None:
        """Sets every mask from the scores.

        Parameters
        ----------
        epoch : float
            Epochs done, whole or not.
        """
        settings = self._settings
        targets = [
            SCHEDULES[settings.schedule](
                target, epoch=epoch, epochs=settings.epochs, period=settings.period
            )
            for target in settings.sparsities
        ]
        keys = [conv.keys() for conv in self._convs]
        if settings.scope == "threshold":
            masks = self._above_threshold(keys, targets[0])
        elif settings.coats == 1:
            masks = self._keep(0)(keys, targets[0])
        else:
            keeps = [self._keep(coat) for coat in range(settings.coats)]
            masks = count_coats(keys, sparsities=targets, keeps=keeps)
        if settings.schedule != "constant":
            # Below the target there may be less room for frozen weights than at it.
            masks = [conv.force(mask) for conv, mask in zip(self._convs, masks, strict=True)]
        if settings.limit != "none" and self._started:
            masks = self._limited(masks, keys, epoch)
        for conv, mask in zip(self._convs, masks, strict=True):
            conv.keep(mask)
        self._started = True

    def resume(self) -> None:
        """Takes the masks for chosen that a checkpoint has put back."""
        self._started = True
        for conv in self._convs:
            conv.keep(conv.mask)

    def _keep(self, coat: int) -> Keep:
        """The selection of one coat; after groups, each layer thins what they left."""
        settings = self._settings
        if settings.rates == "magnitude":
            drops = [conv.drop for conv in self._convs]
            return lambda keys, _: selection.keep_counted(keys, drops=drops)
        if settings.scope == "network":
            return lambda keys, sparsity: selection.keep_networkwide(keys, sparsity=sparsity)
        if settings.scope == "group" and coat == 0:
            return lambda keys, sparsity: selection.keep_groups(
                keys, sparsity=sparsity, group=settings.group
            )
        return lambda keys, sparsity: selection.keep_layerwise(keys, sparsity=sparsity)

    def _above_threshold(self, keys: Sequence[Tensor], sparsity: float) -> list[Tensor]:
        """Rules the smallest keys of the network out for good; of the others, keeps those above."""
        open_ = [
            key.masked_fill(conv.ruled_out, -torch.inf)
            for conv, key in zip(self._convs, keys, strict=True)
        ]
        chosen = selection.keep_networkwide(open_, sparsity=sparsity)
        for conv, kept in zip(self._convs, chosen, strict=True):
            conv.ruled_out.copy_(~kept)
        return [
            above & kept for above, kept in zip(selection.keep_above(keys), chosen, strict=True)
        ]

    def _limited(
        self, masks: Sequence[Tensor], keys: Sequence[Tensor], epoch: float
    ) -> list[Tensor]:
        fraction = LIMITS[self._settings.limit](int(epoch), self._settings.epochs)
        return [
            limit_swaps(conv.mask != 0, mask.bool(), key, fraction=fraction)
            for conv, mask, key in zip(self._convs, masks, keys, strict=True)
        ]
