"""Training images set aside by the seed choose the epoch whose masks become the ticket."""

from dataclasses import replace

import pytest
import torch

from tombola.search.algorithms import with_algorithm
from tombola.search.metrics import EpochMetrics, best
from tombola.search.network import convert
from tombola.search.samples import Samples
from tombola.search.search import search
from tombola.search.settings import SearchSettings
from tombola.search.trainer import Trainer
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError

CLASSES = [str(digit) for digit in range(10)]
EPOCHS = 6


@pytest.fixture
def restless(small):
    """Epochs so uneven that the last is not the best."""
    settings = replace(small.settings, epochs=EPOCHS, validation=0.25, learning_rate=20.0)
    return replace(small, settings=settings)


def metrics(*validation):
    return [
        EpochMetrics(
            epoch=epoch, loss=1, train_accuracy=0, test_accuracy=0, seconds=0,
            validation_accuracy=accuracy,
        )
        for epoch, accuracy in enumerate(validation, 1)
    ]  # fmt: skip


def test_the_first_of_the_best_is_chosen():
    assert best(metrics(0.1, 0.7, 0.7, 0.2)).epoch == 2
    assert best(metrics(None, None, None)).epoch == 3


def numbered(count):
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None]
    return Samples(images=images, labels=torch.arange(count))


def test_every_sample_is_on_one_side():
    left, aside = numbered(50).set_aside(0.2, seed=3)
    assert (len(left), len(aside)) == (40, 10)
    assert sorted([*left.labels.tolist(), *aside.labels.tolist()]) == list(range(50))
    for part in (left, aside):
        assert part.images.flatten().tolist() == part.labels.tolist()
    _, again = numbered(50).set_aside(0.2, seed=3)
    _, other = numbered(50).set_aside(0.2, seed=4)
    assert again.labels.tolist() == aside.labels.tolist() != other.labels.tolist()


@pytest.mark.parametrize(("ratio", "left", "aside"), [(0.01, 10, 0), (0.99, 0, 10), (1.0, 0, 10)])
def test_both_sides_need_some(ratio, left, aside):
    with pytest.raises(ConfigError) as error:
        numbered(10).set_aside(ratio, seed=1)
    assert str(error.value) == (
        f"validation {ratio:g} leaves {left} of 10 training images and sets {aside} aside; choose "
        "a ratio at which both have some"
    )


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_the_ratio_is_one(ratio):
    with pytest.raises(ConfigError, match=r"^validation must be between 0 and 1, not "):
        SearchSettings(validation=ratio)


class Snapshots:
    """The masks after each epoch."""

    def __init__(self, network):
        self._network, self.masks = network, []

    def step(self, *, epoch, step, steps):
        pass

    def epoch(self, history):
        self.masks.append([conv.mask.clone() for conv in self._network.convs])


def test_the_network_is_left_with_the_masks_of_the_best_epoch(restless, digits):
    train, test = digits
    left, aside = train.set_aside(0.25, seed=5)
    network = convert(
        restless.model(shape=(1, 8, 8), classes=10), restless.settings, shape=(1, 8, 8)
    )
    seen = Snapshots(network)
    history = Trainer(network, train=left, test=test, validation=aside, observer=seen).run()
    chosen = best(history).epoch
    assert chosen < EPOCHS, "choose settings with another best epoch"
    found = [conv.mask for conv in network.convs]
    assert all(map(torch.equal, found, seen.masks[chosen - 1]))
    assert not all(map(torch.equal, found, seen.masks[-1]))


def test_the_ticket_says_which_epoch_it_is_of(restless, digits, tmp_path):
    train, test = digits
    result = search(restless, train=train, test=test, classes=CLASSES, out=tmp_path)
    chosen = result.history[result.epoch - 1]
    assert result.epoch == best(result.history).epoch < EPOCHS
    assert result.float_accuracy == chosen.test_accuracy
    assert result.validation_accuracy == chosen.validation_accuracy
    # Of 359 images set aside; the others were searched with.
    right = result.validation_accuracy * 359
    assert right == pytest.approx(round(right))
    assert abs(result.integer_accuracy - result.float_accuracy) <= 0.01
    said = ticket_file.load(result.ticket).provenance
    assert said["validation"] == 0.25
    assert said["epoch"] == result.epoch
    assert said["validation_accuracy"] == result.validation_accuracy
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert all("validation_accuracy" in line for line in lines)


class StopAfter:
    """Leaves the search between two epochs, as a failure would."""

    def __init__(self, epochs):
        self._epochs = epochs

    def step(self, *, epoch, step, steps):
        if epoch > self._epochs:
            raise KeyboardInterrupt

    def epoch(self, history):
        pass


@pytest.mark.parametrize("epochs", [1, EPOCHS - 1])
def test_stopped_and_resumed_same_bytes(epochs, restless, digits, tmp_path):
    """Whether the best epoch comes before the stop or after it."""
    train, test = digits
    data = {"train": train, "test": test, "classes": CLASSES}
    whole = search(restless, **data, out=tmp_path / "whole").ticket.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        search(restless, **data, out=tmp_path / "cut", observer=StopAfter(epochs))
    for _ in range(2):  # resumed, then finished already
        resumed = search(restless, **data, out=tmp_path / "cut", resume=True)
        assert resumed.ticket.read_bytes() == whole


def test_test_labels_choose_nothing(restless, digits, tmp_path):
    train, test = digits
    other = Samples(images=test.images, labels=(test.labels + 1) % 10)
    masks = [
        ticket_file.load(
            search(
                restless, train=train, test=samples, classes=CLASSES, out=tmp_path / name
            ).ticket
        ).masks
        for name, samples in (("right", test), ("wrong", other))
    ]
    for ours, theirs in zip(*masks, strict=True):
        assert (ours.bits == theirs.bits).all()


def test_a_checkpoint_of_a_search_without_is_refused(small, restless, digits, tmp_path):
    train, test = digits
    data = {"train": train, "test": test, "classes": CLASSES, "out": tmp_path}
    settings = replace(restless.settings, validation=0.0, epochs=1)
    search(replace(small, settings=settings), **data)
    with pytest.raises(ConfigError, match=r"is of a search with .* None, not 0\.25; give the same"):
        search(replace(small, settings=replace(settings, validation=0.25)), **data, resume=True)


def test_the_authors_of_frozen_set_a_fifth_aside():
    """Otsuka et al. split 80/20 and take the best validation epoch."""
    settings = SearchSettings(epochs=3)
    assert with_algorithm(settings, "frozen", authors=True).validation == 0.2
    assert with_algorithm(settings, "frozen").validation == 0
