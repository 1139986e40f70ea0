"""How scores start and rank."""

import torch

from tombola.search.scores import keys, mask_start, uniform_start, unit_start


def test_keys():
    scores = torch.tensor([-2.0, 1.0])
    assert keys(scores, "abs").tolist() == [2.0, 1.0]
    assert keys(scores, "raw").tolist() == [-2.0, 1.0]


def test_uniform_start_depends_on_seed_and_index_alone():
    first = uniform_start((4, 25), seed=1, index=0, fan_in=25)
    assert first.abs().max() <= 0.2
    assert torch.equal(uniform_start((4, 25), seed=1, index=0, fan_in=25), first)
    for seed, index in ((2, 0), (1, 1)):
        assert not torch.equal(uniform_start((4, 25), seed=seed, index=index, fan_in=25), first)


def test_unit_start():
    scores = unit_start((1000,), seed=1, index=0)
    assert 0 <= scores.min() < 0.05 < 0.95 < scores.max() <= 1


def test_a_start_from_a_mask_ranks_the_kept_first():
    kept = torch.tensor([True, False, True])
    assert torch.equal(mask_start(kept) > 0.995, kept)
