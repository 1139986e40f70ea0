"""The network under search: masks, folding, and that it computes the ticket's integers."""

import numpy as np
import pytest
import torch

from tombola.search.graph.network import GraphNetwork
from tombola.search.graph.settings import algorithm
from tombola.search.weight_source import WeightSource, signs
from tombola.spec.errors import ConfigError


def network(problem, name="gnn-multicoat", **changes):
    return GraphNetwork(problem, algorithm(name, **{"hidden": 32, "epochs": 10, **changes}))


def counts(net):
    return torch.cat([layer.counts.flatten() for layer in net.unique_layers()])


def test_one_threshold_a_coat_over_all_layers(problem):
    net = network(problem)
    keys = torch.cat([layer.scores.detach().abs().flatten() for layer in net.layers])
    found, total = counts(net), len(keys)
    for coat, sparsity in enumerate((1 / 2, 2 / 3, 5 / 6), 1):
        kept = found >= coat
        assert int(kept.sum()) == total - int(sparsity * total)
        assert keys[kept].min() > keys[~kept].max()  # one threshold: so coats are nested too
    # Adaptive: wider layers have smaller scores, so they lose more.
    assert (net.layers[0].counts > 0).float().mean() > (net.layers[1].counts > 0).float().mean()


def test_raw_scores_keep_the_largest_not_the_strongest(problem):
    net = network(problem, "gnn-ugt")
    scores = torch.cat([layer.scores.detach().flatten() for layer in net.layers])
    found = counts(net)
    assert set(found.tolist()) == {0, 1}
    assert scores[found == 1].min() > scores[found == 0].max()


@pytest.mark.parametrize(
    ("epoch", "part"), [(0, 0.0), (1, 0.2), (2.5, 0.5), (5, 1.0), (7, 1.0), (10, 1.0)]
)
def test_the_sparsity_grows_over_the_first_half(problem, epoch, part):
    net = network(problem)
    net.select(epoch)
    found = counts(net)
    for coat, sparsity in enumerate((1 / 2, 2 / 3, 5 / 6), 1):
        assert int((found < coat).sum()) == int(part * sparsity * len(found))


def test_groups_and_terciles(problem):
    net = network(problem, "gnn-nm", keep_of_16=4)
    for layer in net.layers[:-1]:
        groups = layer.counts.view(-1, 16, layer.counts.shape[1])
        assert ((groups > 0).sum(dim=1) == 4).all()
        keys = layer.scores.detach().abs()
        for group, strength in zip(groups, keys.view(-1, 16, keys.shape[1]), strict=True):
            assert (strength.masked_fill(group == 0, 9).amin(0) > strength.masked_fill(
                group > 0, 0
            ).amax(0)).all()
        # Of what is left of a layer each value has a third, and the strongest have the highest.
        each = [keys[layer.counts == value] for value in (1, 2, 3)]
        assert max(map(len, each)) - min(map(len, each)) <= 2
        assert each[0].max() < each[1].min()
        assert each[1].max() < each[2].min()


def test_fewer_outputs_than_a_group(problem):
    last = network(problem, "gnn-nm", keep_of_16=4).layers[-1]
    assert ((last.counts > 0).sum(dim=0) == 1).all()  # of 3 outputs int(0.75 * 3) = 2 go


def test_ties_drop_the_first_in_stream_order(problem):
    net = network(problem)
    for layer in net.layers:
        layer.scores.data.fill_(0.25)
    net.select(10)
    found, total = counts(net), len(counts(net))
    expected = torch.zeros(total)
    for sparsity in (1 / 2, 2 / 3, 5 / 6):
        expected[int(sparsity * total) :] += 1
    assert torch.equal(found, expected)


def test_folded_layers_share_weights_and_not_masks(problem):
    net = network(problem, layers=5, stages=1)
    first, *folded, last = net.layers
    assert [layer.weight_set.id for layer in net.layers] == [0, 1, 1, 1, 2]
    assert torch.equal(folded[0].signs, folded[1].signs)
    assert torch.equal(folded[0].signs, folded[2].signs)
    assert not torch.equal(folded[0].scores, folded[1].scores)
    assert not torch.equal(folded[0].counts, folded[1].counts)
    assert len(net.unique_layers()) == 5
    net().logits.square().sum().backward()
    assert not torch.equal(folded[0].scores.grad, folded[1].scores.grad)
    assert first.weight_set != last.weight_set


def test_unfolded_layers_have_weights_of_their_own(problem):
    net = network(problem, layers=5)
    assert not torch.equal(net.layers[1].signs, net.layers[2].signs)


def test_folded_layers_with_one_mask_are_one_layer(problem):
    net = network(problem, layers=6, stages=2, fold_masks="shared")
    assert net.layers[1] is net.layers[2]
    assert net.layers[3] is net.layers[4]
    assert net.layers[1] is not net.layers[3]
    assert len(net.unique_layers()) == 4 == len(list(net.parameters()))
    kept = [int(x.counts.count_nonzero()) for x in net.layers]
    assert net.kept() == sum(kept) / sum(x.counts.numel() for x in net.layers)


def test_weights_are_those_of_the_seed(problem):
    net = network(problem, seed=9)
    for layer in net.layers:
        drawn = signs(WeightSource.STREAM, 9, layer.weight_set)
        assert np.array_equal(layer.signs.numpy(), drawn[:, 0, 0, :])
    assert not torch.equal(net.layers[0].signs, network(problem, seed=8).layers[0].signs)


def test_scores_start_within_kaimings_bound(problem):
    for layer in network(problem).layers:
        bound = (6 / layer.weight_set.in_channels) ** 0.5
        assert 0.9 * bound < layer.scores.abs().max() <= bound


@pytest.mark.parametrize("model", ["gcn", "gin"])
def test_values_are_whole_numbers_that_fill_8_bits(problem, model):
    net = network(problem, model=model)
    run = net()
    assert torch.equal(run.sums, run.sums.round())
    assert [factor.type.signed for factor in run.factors] == [True, False] * 2 + [True]
    assert [factor.low for factor in run.factors] == [-128, 0] * 2 + [-128]
    assert run.unit > 0


def test_the_gradient_is_the_multicoated_one(problem):
    """At scores of one sign flipped, the gradient flips, and it has the size of N coats."""
    net = network(problem)
    net().logits[:, 0].sum().backward()
    layer = net.layers[-1]
    before = layer.scores.grad.clone()
    layer.scores.data.neg_()
    layer.scores.grad = None
    net().logits[:, 0].sum().backward()
    torch.testing.assert_close(layer.scores.grad, -before)
    assert torch.equal(layer.slope, 3 * layer.signs)


def test_dropout(problem):
    net = network(problem, dropout=0.5)
    whole = net()
    draws = [net(torch.Generator().manual_seed(seed)).logits for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], whole.logits)
    assert torch.equal(net().sums, whole.sums)
    # What is left is scaled up for what is dropped, so the size stays about the same.
    spread = torch.stack([
        net(torch.Generator().manual_seed(seed)).logits.std() for seed in range(20)
    ]).mean()
    assert 0.5 < spread / whole.logits.std() < 3


def test_without_dropout_nothing_is_drawn(problem):
    net = network(problem)
    draws = torch.Generator().manual_seed(1)
    before = draws.get_state()
    assert torch.equal(net(draws).sums, net().sums)
    assert torch.equal(draws.get_state(), before)


def test_sums_that_float32_could_not_hold(problem):
    with pytest.raises(ConfigError, match=r"^sums could reach \d+, more than the 16777216 that "):
        network(problem, hidden=1100, coats=60)
