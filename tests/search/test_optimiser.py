"""What learns, at which rate, and what decays."""

import pytest
import torch

from tombola.search import SearchSettings, convert
from tombola.search.models import resnet
from tombola.search.optimiser import optimiser

SHAPE = (3, 8, 8)


def network(**settings):
    model = resnet(plan="resnet20", shape=SHAPE, width=1 / 4, folded=(1, 2, 3))
    return convert(model, SearchSettings(weight_decay=0.01, **settings), shape=SHAPE)


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_scores_decay_and_factors_do_not(name, kind):
    net = network(norm="affine", optimiser=name)
    found = optimiser(net, net.settings)
    assert type(found) is kind
    scores, factors = found.param_groups
    assert [id(x) for x in scores["params"]] == [id(conv.scores) for conv in net.convs]
    assert (scores["weight_decay"], factors["weight_decay"]) == (0.01, 0.0)
    # 19 convolutions run, each with two factors a channel of its own norm.
    assert len(factors["params"]) == 2 * 19


def test_folded_layers_learn_once_and_plain_norms_not_at_all():
    net = network()
    (scores,) = optimiser(net, net.settings).param_groups
    # A stem, three blocks of two that run once, three that run again, and the logits.
    assert len(scores["params"]) == 1 + 3 * 2 + 3 * 2 + 1


def test_affine_where_folded():
    net = network(norm="folded")
    _, factors = optimiser(net, net.settings).param_groups
    # Three stages run their folded block of two convolutions twice.
    assert len(factors["params"]) == 2 * 3 * 2 * 2
