"""A graph network under search: linear layer, sum over the edges, and again."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from tombola.search.coats import count_coats
from tombola.search.graph import edges as edge_weights
from tombola.search.graph.layer import GraphLinear
from tombola.search.graph.problem import FEATURE_STEPS, GraphProblem
from tombola.search.graph.requantise import Factor, factor_of, requantise
from tombola.search.graph.settings import GROUP, GraphSettings
from tombola.search.graph.sparse import SparseMatrix
from tombola.search.schedule import ramp
from tombola.search.selection import keep_groups, keep_layerwise, keep_networkwide
from tombola.search.weight_scale import layer_scale
from tombola.spec.errors import ConfigError
from tombola.spec.weight_stream import WeightSet

EXACT = 1 << 24
"""Whole numbers up to here have no neighbour that binary32 leaves out."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one pass through the network came to.

    Attributes
    ----------
    sums : float tensor (nodes, classes) of whole numbers
        The ticket's logits.
    unit : float
        Real value of a logit of 1.
    factors : list of Factor
        Of every activation in turn: after a layer, after its sum over the edges, and so on.
    """

    sums: Tensor
    unit: float
    factors: list[Factor]

    @property
    def logits(self) -> Tensor:
        """Float (nodes, classes), of the size that the layers' scales give them."""
        return self.sums * self.unit


class GraphNetwork(nn.Module):
    """A network over one graph whose masks can be searched.

    It computes in the integers of its ticket, held in float32, over all nodes at once: each layer's
    sums become 8 signed bits, their sums over the edges 8 unsigned ones after ReLU; the last sums
    are the logits. The step of an activation comes from the largest one over all nodes.

    Parameters
    ----------
    problem : GraphProblem
    settings : GraphSettings

    Raises
    ------
    ConfigError
        If a sum could exceed what float32 holds exactly.
    """

    def __init__(self, problem: GraphProblem, settings: GraphSettings) -> None:
        super().__init__()
        self.settings = settings
        self.edges = edge_weights.of_model(settings.model, problem.edges, problem.nodes)
        self._features = SparseMatrix(
            problem.rows,
            problem.columns,
            problem.values,
            shape=(problem.nodes, problem.features),
        )
        self._neighbours = SparseMatrix(
            self.edges.targets,
            self.edges.sources,
            self.edges.weights,
            shape=(problem.nodes, problem.nodes),
        )
        widths = [
            problem.features,
            *[settings.hidden] * (settings.layers - 1),
            len(problem.class_names),
        ]
        self.layers = nn.ModuleList(self._make_layers(widths))
        self._check_exactness(widths)
        self.select(settings.epochs)

    def _make_layers(self, widths: list[int]) -> list[GraphLinear]:
        settings = self.settings
        layers: list[GraphLinear] = []
        for index, (inputs, outputs) in enumerate(pairwise(widths)):
            weight_set = WeightSet(
                id=settings.weight_sets()[index], out_channels=outputs, in_channels=inputs
            )
            folded = layers and layers[-1].weight_set == weight_set
            if folded and settings.fold_masks == "shared":
                layers.append(layers[-1])
                continue
            layers.append(
                GraphLinear(
                    weight_set,
                    seed=settings.seed,
                    index=index,
                    coats=settings.coats,
                    ranking=settings.ranking,
                )
            )
        return layers

    def _check_exactness(self, widths: list[int]) -> None:
        incoming = torch.bincount(torch.from_numpy(self.edges.targets)).max()
        most = max(
            max(widths[:-1]) * FEATURE_STEPS * self.settings.coats,
            int(incoming) * edge_weights.FULL * edge_weights.FULL,
        )
        if most >= EXACT:
            raise ConfigError(
                f"sums could reach {most}, more than the {EXACT} that float32 holds exactly; use "
                "fewer coats, or fewer features or neighbours"
            )

    def unique_layers(self) -> list[GraphLinear]:
        """Layers with scores; a shared one is there once."""
        return list(dict.fromkeys(self.layers))

    def kept(self) -> float:
        """Part of the layers' weights that is in a coat; a shared layer counts at each use."""
        total = sum(layer.counts.numel() for layer in self.layers)
        return sum(int(layer.counts.count_nonzero()) for layer in self.layers) / total

    @torch.no_grad()
    def select(self, epoch: float) -> None:
        """Sets every mask from the scores, at the sparsities of so many epochs done."""
        settings, layers = self.settings, self.unique_layers()
        keeps = [lambda keys, sparsity: keep_networkwide(keys, sparsity=sparsity)] * settings.coats
        if settings.keep_of_16:
            groups = partial(keep_groups, group=GROUP)
            keeps = [lambda keys, sparsity: groups(keys, sparsity=sparsity)]
            keeps += [lambda keys, sparsity: keep_layerwise(keys, sparsity=sparsity)] * (
                settings.coats - 1
            )
        sparsities = [
            ramp(target, epoch=epoch, epochs=settings.epochs, period=1)
            for target in settings.sparsities
        ]
        counts = count_coats([x.keys() for x in layers], sparsities=sparsities, keeps=keeps)
        for layer, count in zip(layers, counts, strict=True):
            layer.counts.copy_(count)

    def forward(self, draws: torch.Generator | None = None) -> Pass:
        """One pass over the whole graph.

        Parameters
        ----------
        draws : Generator or None
            What drops features and activations while searching; None drops nothing.
        """
        settings = self.settings
        factors: list[Factor] = []
        values: Tensor | SparseMatrix = self._features
        unit = 1 / FEATURE_STEPS
        for index, layer in enumerate(self.layers):
            if index:
                values, unit = self._activate(values, unit, factors, signed=False)
            if settings.dropout and draws is not None:
                values, unit = self._thinned(values, draws), unit / (1 - settings.dropout)
            sums = layer(values)
            unit *= layer_scale(layer.weight_set.in_channels, settings.sparsities[0])
            sent, unit = self._activate(sums, unit, factors, signed=True)
            values = self._neighbours.product(sent)
            unit /= edge_weights.FULL
        return Pass(sums=values, unit=unit, factors=factors)

    def _thinned(
        self, values: Tensor | SparseMatrix, draws: torch.Generator
    ) -> Tensor | SparseMatrix:
        """Values with a part of them set to 0."""
        if isinstance(values, SparseMatrix):
            chance = torch.rand(values.entries, generator=draws)
            return values.thinned(chance >= self.settings.dropout)
        return values * (torch.rand(values.shape, generator=draws) >= self.settings.dropout)

    def _activate(
        self, sums: Tensor, unit: float, factors: list[Factor], *, signed: bool
    ) -> tuple[Tensor, float]:
        """Activations and their real unit; notes the factor."""
        factor = factor_of(sums.detach(), signed=signed)
        factors.append(factor)
        return requantise(sums, factor), unit / factor.real
