"""Jackpots: masks for the weights of a network that was trained on digits."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from tombola.model.integer import IntegerModel
from tombola.search.algorithms import with_algorithm
from tombola.search.input_code import InputCode
from tombola.search.network import convert
from tombola.search.presets import Preset
from tombola.search.search import search
from tombola.search.settings import SearchSettings
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError

CLASSES = [str(digit) for digit in range(10)]
SHAPE = (1, 8, 8)


def model(*, shape=SHAPE, classes=10):
    return nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(24, classes),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(digits):
    """Right about some 92 % of the test images."""
    torch.manual_seed(7)
    train, _ = digits
    net = model()
    steps = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(12):
        for part in torch.randperm(len(train)).split(64):
            steps.zero_grad()
            loss = nn.functional.cross_entropy(net(train.images[part] / 16), train.labels[part])
            loss.backward()
            steps.step()
    return net.eval()


@pytest.fixture
def preset(trained):
    settings = with_algorithm(SearchSettings(epochs=4, seed=3), "jackpot")
    settings = replace(settings, epochs=4, batch=64, learning_rate=0.01, sparsity=0.8)
    return Preset(
        name="jackpot", dataset="digits", model=lambda **_: trained, settings=settings,
        code=InputCode.plain(1, step=1 / 16),
    )  # fmt: skip


@pytest.fixture
def run(digits, tmp_path):
    train, test = digits

    def run(preset, out="out", **options):
        return search(
            preset, train=train, test=test, classes=CLASSES, out=tmp_path / out, **options
        )

    return run


def changed(preset, **changes):
    return replace(preset, settings=replace(preset.settings, **changes))


def test_the_search_mends_what_pruning_breaks(preset, run, digits):
    whole = run(changed(preset, sparsity=0.0, epochs=0, norm="frozen"), "whole")
    pruned = run(changed(preset, epochs=0, norm="frozen"), "pruned")
    refreshed = run(changed(preset, epochs=0), "refreshed")
    found = run(preset, "found")
    assert whole.float_accuracy > 0.9
    assert pruned.float_accuracy < 0.3
    assert pruned.float_accuracy + 0.2 < refreshed.float_accuracy < found.float_accuracy - 0.1
    for each in (whole, pruned, refreshed, found):
        assert abs(each.integer_accuracy - each.float_accuracy) <= 0.01
    ticket = ticket_file.load(found.ticket)
    _, test = digits
    assert IntegerModel(ticket).accuracy(test.images, test.labels) == found.integer_accuracy
    assert ticket.provenance["algorithm"] == "jackpot"
    assert ticket.layers[0].window.padding == (0, 0, 1, 1)


def test_no_epochs_are_the_magnitude_mask(preset, run, trained):
    result = run(changed(preset, epochs=0))
    assert [metrics.epoch for metrics in result.history] == [0]
    again = run(changed(preset, epochs=0), resume=True)
    assert again.ticket.read_bytes() == result.ticket.read_bytes()
    weights = [x.weight.detach() for x in trained if isinstance(x, nn.Conv2d)]
    sizes = torch.cat([x.abs().flatten() for x in weights])
    total = sizes.numel() + 240
    threshold = sizes.sort().values[int(0.8 * total) - 1]
    ticket = ticket_file.load(result.ticket)
    kept = [int((ticket.weights(index) != 0).sum()) for index in range(3)]
    # A weight that is kept, but rounds to 0, is no weight of the ticket.
    for found, size in zip(kept, weights, strict=False):
        exact = int((size.abs() > threshold).sum())
        assert exact - 0.02 * size.numel() <= found <= exact
    assert kept[2] > 0.97 * 240


def test_every_step_keeps_as_many(preset, digits, trained):
    from tombola.search.trainer import Trainer

    counts, changes = set(), {}
    net = convert(trained, replace(preset.settings, epochs=3), shape=SHAPE, code=preset.code)
    last = [conv.mask.clone() for conv in net.convs]

    class Watch:
        def step(self, *, epoch, step, steps):
            counts.add(tuple(int(conv.mask.sum()) for conv in net.convs))
            moved = sum(int((conv.mask != mask).sum()) for conv, mask in zip(net.convs, last,
                                                                             strict=True))
            changes.setdefault(epoch, []).append(moved)
            last[:] = [conv.mask.clone() for conv in net.convs]

        def epoch(self, history):
            pass

    train, test = digits
    Trainer(net, train=train, test=test, observer=Watch()).run()
    assert len(counts) == 1
    assert sum(counts.pop()) == 16 * 9 + 24 * 144 + 240 - int(0.8 * (16 * 9 + 24 * 144 + 240))
    assert sum(changes[1]) > sum(changes[3])


def test_it_resumes_to_the_same_bytes(preset, run):
    class Stop:
        def step(self, *, epoch, step, steps):
            if epoch == 2 and step == 3:
                raise KeyboardInterrupt

        def epoch(self, history):
            pass

    few = changed(preset, epochs=2)
    whole = run(few, "whole")
    with pytest.raises(KeyboardInterrupt):
        run(few, "cut", observer=Stop())
    assert run(few, "cut", resume=True).ticket.read_bytes() == whole.ticket.read_bytes()


def test_a_checkpoint_of_other_weights_is_refused(preset, run):
    few = changed(preset, epochs=1)
    run(few)
    torch.manual_seed(1)
    other = replace(few, model=lambda **_: model())
    with pytest.raises(ConfigError, match=r"is of a search with trained [0-9a-f]{16}, not "):
        run(other, resume=True)


def test_first_samples_are_part_of_the_search(preset, run, digits):
    few = replace(changed(preset, epochs=1), train_samples=200, test_samples=50)
    result = run(few)
    said = ticket_file.load(result.ticket).provenance
    assert (said["training samples"], said["test samples"]) == (200, 50)
    assert result.float_accuracy * 50 == pytest.approx(round(result.float_accuracy * 50))
    with pytest.raises(ConfigError, match=r"is of a search with training samples 200, not 201"):
        run(replace(few, train_samples=201), resume=True)
    for count in (0, 5000):
        with pytest.raises(ConfigError) as error:
            run(replace(few, train_samples=count))
        assert str(error.value) == f"training samples must be between 1 and 1437, not {count}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scope": "network"}, "rates by magnitude need scope layer and a constant schedule; "
         "choose these, or uniform rates"),
        ({"epochs": -1}, "epochs must be at least 0, not -1"),
        ({"stored_bits": 9}, "stored_bits must be 2 to 8, not 9"),
        ({"prune": 0.1}, "stored weights cannot be frozen; choose no prune and lock"),
        ({"coats": 2}, "a limit on swaps needs 1 coat, and layer or network as scope"),
    ],
)  # fmt: skip
def test_combinations_that_are_refused(preset, changes, message):
    with pytest.raises(ConfigError) as error:
        changed(preset, **changes)
    assert str(error.value) == message
