"""A whole search: same seed, same bytes; stopped and resumed, same bytes; integers agree."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tombola.data import load
from tombola.model.integer import IntegerModel
from tombola.search.architecture import Convolution, Linear, chain
from tombola.search.export import export
from tombola.search.network import convert
from tombola.search.presets import preset
from tombola.search.samples import Samples
from tombola.search.search import search
from tombola.search.weight_source import WeightSource
from tombola.spec import reference, ticket_file
from tombola.spec.errors import ConfigError, DataError, TombolaError

CLASSES = [str(digit) for digit in range(10)]


def run(chosen, digits, out, **options):
    train, test = digits
    return search(chosen, train=train, test=test, classes=CLASSES, out=out, **options)


class StopAfter:
    """Leaves the search in the middle of an epoch, as a failure would."""

    def __init__(self, epochs):
        self._epochs = epochs

    def step(self, *, epoch, step, steps):
        if epoch > self._epochs and step > steps // 2:
            raise KeyboardInterrupt

    def epoch(self, history):
        pass


def test_writes_its_files(small, digits, tmp_path):
    result = run(small, digits, tmp_path / "new" / "folder")
    out = tmp_path / "new" / "folder"
    assert {path.name for path in out.iterdir()} == {
        "small.ticket",
        "metrics.jsonl",
        "curve.png",
        "checkpoint.pt",
    }
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[-1]["test_accuracy"] == result.float_accuracy
    assert result.ticket == out / "small.ticket"
    assert result.ticket_bytes == result.ticket.stat().st_size
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_ticket_says_how_it_was_found(small, digits, tmp_path):
    result = run(small, digits, tmp_path)
    ticket = ticket_file.load(result.ticket)
    assert ticket.seed == 5
    assert ticket.classes == tuple(CLASSES)
    said = ticket.provenance
    assert said["preset"] == "small"
    assert said["dataset"] == "digits"
    assert said["threads"] == 1
    assert said["float_accuracy"] == result.float_accuracy
    assert said["integer_accuracy"] == result.integer_accuracy
    assert str(tmp_path) not in json.dumps(said)


def test_same_seed_same_bytes_other_seed_other_bytes(small, digits, tmp_path):
    first = run(small, digits, tmp_path / "a").ticket.read_bytes()
    assert run(small, digits, tmp_path / "b").ticket.read_bytes() == first
    other = replace(small, settings=replace(small.settings, seed=6))
    assert run(other, digits, tmp_path / "c").ticket.read_bytes() != first


def test_stopped_and_resumed_same_bytes(small, digits, tmp_path):
    whole = run(small, digits, tmp_path / "whole").ticket.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(small, digits, tmp_path / "cut", observer=StopAfter(1))
    assert not (tmp_path / "cut" / "small.ticket").exists()
    assert len((tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()) == 1
    resumed = run(small, digits, tmp_path / "cut", resume=True)
    assert resumed.ticket.read_bytes() == whole
    assert [metrics.epoch for metrics in resumed.history] == [1, 2]


def test_resuming_a_finished_search_changes_nothing(small, digits, tmp_path):
    first = run(small, digits, tmp_path).ticket.read_bytes()
    assert run(small, digits, tmp_path, resume=True).ticket.read_bytes() == first


def test_resuming_without_a_checkpoint_starts(small, digits, tmp_path):
    assert len(run(small, digits, tmp_path, resume=True).history) == 2


def test_another_searchs_checkpoint_is_refused(small, digits, tmp_path):
    run(small, digits, tmp_path)
    other = replace(small, settings=replace(small.settings, sparsity=0.25))
    message = (
        r"checkpoint\.pt is of a search with sparsity 0\.5, not 0\.25; give the same settings, "
        "or search without --resume$"
    )
    with pytest.raises(ConfigError, match=message):
        run(other, digits, tmp_path, resume=True)


def test_a_damaged_checkpoint_is_refused(small, digits, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ConfigError, match=r"cannot resume from .*; search without --resume$"):
        run(small, digits, tmp_path, resume=True)


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from sklearn.datasets import load_digits
from tombola.search.presets import preset
from tombola.search.samples import Samples
from tombola.search.search import search

data = load_digits()
samples = Samples.of(data.images.astype(np.uint8)[:, None], data.target)
base = preset("digits-cnn")
chosen = replace(base, settings=replace(base.settings, epochs=3, threads=1))
classes = [str(digit) for digit in range(10)]
search(
    chosen, train=samples, test=samples, classes=classes, out=Path(sys.argv[1]),
    resume="resume" in sys.argv,
)
"""


def start(out, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out), *arguments], env={**os.environ}
    )


def test_killed_and_resumed_same_bytes(tmp_path):
    whole = start(tmp_path / "whole")
    cut = start(tmp_path / "cut")
    checkpoint = tmp_path / "cut" / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    cut.send_signal(signal.SIGKILL)
    assert cut.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut" / "digits-cnn.ticket").exists()
    assert start(tmp_path / "cut", "resume").wait() == 0
    assert whole.wait() == 0
    ours, theirs = (tmp_path / name / "digits-cnn.ticket" for name in ("cut", "whole"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_digits_integers_agree_with_the_float_network(digits, tmp_path):
    base = preset("digits-cnn")
    chosen = replace(base, settings=replace(base.settings, epochs=12, threads=1))
    result = run(chosen, digits, tmp_path)
    assert result.integer_accuracy >= 0.95
    assert abs(result.integer_accuracy - result.float_accuracy) <= 0.005
    ticket = ticket_file.load(result.ticket)
    images, labels = digits[1].images, digits[1].labels
    model = IntegerModel(ticket)
    assert model.accuracy(images, labels) == result.integer_accuracy
    few = images[:40].numpy()
    np.testing.assert_array_equal(model.logits(few).numpy(), reference.logits(ticket, few))


def test_frozen_digits(digits, tmp_path):
    base = preset("digits-cnn")
    settings = replace(base.settings, epochs=12, threads=1, prune=0.35, lock=0.35)
    result = run(replace(base, settings=settings), digits, tmp_path)
    assert result.integer_accuracy >= 0.85
    ticket = ticket_file.load(result.ticket)
    weights = sum(weight_set.weights for weight_set in ticket.weight_sets)
    assert sum(mask.bits.size for mask in ticket.masks) <= 0.31 * weights


def test_weights_of_pytorch_give_an_accuracy_but_no_ticket(small, digits, tmp_path):
    chosen = replace(small, settings=replace(small.settings, weights=WeightSource.TORCH))
    result = run(chosen, digits, tmp_path)
    assert result.ticket is None
    assert result.integer_accuracy is None
    assert 0 < result.float_accuracy <= 1
    assert not list(tmp_path.glob("*.ticket"))


def test_stored_weights_give_a_ticket(small, digits, tmp_path):
    """The parts of a search in a trained network; here it only learnt what a search teaches."""
    settings = replace(
        small.settings,
        weights=WeightSource.STORED,
        start="magnitude",
        ranking="raw",
        limit="quartic",
        sparsity=0.4,
    )
    result = run(replace(small, settings=settings), digits, tmp_path)
    assert result.history[-1].train_accuracy > 0.4
    assert abs(result.integer_accuracy - result.float_accuracy) <= 0.01
    ticket = ticket_file.load(result.ticket)
    assert [mask.coding.stored for mask in ticket.masks] == [8, 8, 8]
    assert ticket.provenance["weights"] == "stored"


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_the_folder_must_be_one(folder, small, digits, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^cannot make folder .*; name another$"):
        run(small, digits, tmp_path / folder)
    assert Path(tmp_path / "file").is_file()


def test_the_folder_must_be_writable(small, digits):
    # Not even root may write there.
    with pytest.raises(ConfigError, match=r"^cannot make folder /proc/self: .*; name another$"):
        run(small, digits, Path("/proc/self"))


def test_a_file_that_cannot_be_written_is_named(small, digits, tmp_path):
    (tmp_path / "checkpoint.pt").mkdir()
    with pytest.raises(TombolaError, match=r"^cannot write .*checkpoint\.pt: "):
        run(small, digits, tmp_path)


def test_scores_that_run_away_stop_the_search(small, digits, tmp_path):
    chosen = replace(small, settings=replace(small.settings, learning_rate=1e37))
    with pytest.raises(ConfigError) as error:
        run(chosen, digits, tmp_path)
    said = "the scores of layer 0 are no longer numbers; lower the learning rate"
    assert str(error.value) == said


def test_a_loss_that_runs_away_stops_the_search(small, digits, tmp_path):
    settings = replace(small.settings, learning_rate=1e37, norm="affine")
    with pytest.raises(ConfigError) as error:
        run(replace(small, settings=settings), digits, tmp_path)
    assert str(error.value) == "the loss is no longer a number; lower the learning rate"


@pytest.mark.parametrize("schedule", ["constant", "ramp"])
def test_a_collapsed_mask_stops_the_search(schedule, small, digits, tmp_path):
    """Whether it is empty from the start, or empties in the first epoch."""
    settings = replace(small.settings, sparsity=1.0, schedule=schedule)
    with pytest.raises(ConfigError) as error:
        run(replace(small, settings=settings), digits, tmp_path)
    assert str(error.value) == (
        "layer 0 keeps no weight, so the logits do not depend on the image; lower sparsity"
    )
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_checkpoint_of_another_network_is_refused(small, digits, tmp_path):
    run(small, digits, tmp_path)
    other = replace(small, model=chain(Convolution(out=4), Linear(out=10)))
    with pytest.raises(ConfigError) as error:
        run(other, digits, tmp_path, resume=True)
    said = str(error.value)
    assert said.startswith(f"{tmp_path / 'checkpoint.pt'} is not of this network: ")
    assert said.endswith("; search without --resume")
    assert "\n" not in said


# Of what a search starts from, which depends on no kernel: weights, scores, first masks, tables.
FIRST_TICKETS = {
    ("digits-cnn", 1): "af701379ab4f88b0",
    ("mnist-mlp", 2): "cbc3e99a63055aeb",
    ("fmnist-mlp", 7): "b47bbe08735a9f94",
    ("fmnist-cnn", 3): "bdda103e7694d913",
    ("fmnist-resnet-folded", 1): "271a208488fecee5",
}


@pytest.mark.parametrize(("name", "seed"), FIRST_TICKETS)
def test_first_tickets_are_the_same_bytes_everywhere(name, seed):
    chosen = preset(name)
    frozen = {"prune": 0.35, "lock": 0.35} if seed == 3 else {}
    settings = replace(chosen.settings, seed=seed, **frozen)
    shape = (1, 8, 8) if name.startswith("digits") else (1, 28, 28)
    network = convert(chosen.model(shape=shape, classes=10), settings, shape=shape)
    ticket = export(network, classes=CLASSES, provenance={})
    digest = hashlib.sha256(ticket_file.to_bytes(ticket)).hexdigest()
    assert digest[:16] == FIRST_TICKETS[name, seed]


def test_classes_are_checked_before_the_search(small, digits, tmp_path):
    train, test = digits
    with pytest.raises(ConfigError) as error:
        search(small, train=train, test=test, classes=["a", "b"], out=tmp_path)
    assert str(error.value) == "preset small ends in 10 logits, but the data have 2 classes"
    wrong = Samples(images=test.images, labels=test.labels + 1)
    with pytest.raises(ConfigError) as error:
        search(small, train=train, test=wrong, classes=CLASSES, out=tmp_path)
    assert str(error.value) == "labels must lie in 0..9, not in 1..10"
    empty = Samples(images=test.images[:0], labels=test.labels[:0])
    with pytest.raises(ConfigError, match="one of the two is empty"):
        search(small, train=empty, test=test, classes=CLASSES, out=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("fmnist-cnn", 0.87), ("fmnist-mlp", 0.86)])
def test_fashion_mnist(name, least, tmp_path):
    try:
        images = load("fmnist")
    except DataError as error:
        pytest.skip(str(error))
    base = preset(name)
    result = search(
        replace(base, settings=replace(base.settings, epochs=2)),
        train=Samples.of(images.train_images, images.train_labels),
        test=Samples.of(images.test_images, images.test_labels),
        classes=images.class_names,
        out=tmp_path,
    )
    assert result.integer_accuracy >= least
    assert abs(result.integer_accuracy - result.float_accuracy) <= 0.005
    ticket = ticket_file.load(result.ticket)
    parts = sum(-(-mask.bits.size // 8) for mask in ticket.masks)
    parts += sum(6 * table.scale.size for table in ticket.requantisations)
    assert result.ticket_bytes <= parts + 4096
