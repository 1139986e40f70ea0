"""What several processes of one search do together, run by torchrun on this machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tombola.data import load
from tombola.search.distributed import Ranks, joined
from tombola.search.network import convert
from tombola.search.presets import preset
from tombola.search.trainer import Trainer
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError, DataError

TOGETHER = """
import json, sys
from pathlib import Path
import torch
from torch import nn
from tombola.search.distributed import joined

torch.manual_seed(0)
model = nn.Linear(6, 3)
images, labels = torch.randn(7, 6), torch.randint(3, (7,))
with joined() as ranks:
    part = ranks.part(torch.arange(7))
    loss = nn.functional.cross_entropy(model(images[part]), labels[part])
    (loss * len(part) / 7).backward()
    ranks.sum_gradients(model.parameters())
    mean = torch.tensor([float(ranks.rank)])
    ranks.average([mean])
    ranks.check_same([x.grad for x in model.parameters()], what="gradients")
    try:
        ranks.check_same([torch.tensor(ranks.rank)], what="ranks")
        refused = ""
    except RuntimeError as error:
        refused = str(error)
    ranks.wait()
    found = {
        "rank": ranks.rank, "size": ranks.size, "part": part.tolist(), "mean": mean.item(),
        "total": ranks.total([1, ranks.rank]), "refused": refused,
        "gradients": [x.grad.tolist() for x in model.parameters()],
    }
    Path(sys.argv[1], f"{ranks.rank}.json").write_text(json.dumps(found))
"""


def torchrun(processes: int, *command: str) -> subprocess.CompletedProcess:
    """Runs a Python command line in so many processes."""
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*run, f"--nproc-per-node={processes}", *command],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> list[dict]:
    """What two processes found."""
    out = tmp_path_factory.mktemp("two")
    (out / "together.py").write_text(TOGETHER)
    done = torchrun(2, str(out / "together.py"), str(out))
    assert done.returncode == 0, done.stderr
    return [json.loads((out / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_parts_make_the_batch(two):
    assert [found["part"] for found in two] == [[0, 1, 2, 3], [4, 5, 6]]
    assert [(found["rank"], found["size"]) for found in two] == [(0, 2), (1, 2)]


def test_gradients_are_those_of_the_whole_batch(two):
    torch.manual_seed(0)
    model = torch.nn.Linear(6, 3)
    images, labels = torch.randn(7, 6), torch.randint(3, (7,))
    torch.nn.functional.cross_entropy(model(images), labels).backward()
    assert two[0]["gradients"] == two[1]["gradients"]
    for ours, alone in zip(two[0]["gradients"], model.parameters(), strict=True):
        torch.testing.assert_close(torch.tensor(ours), alone.grad)


def test_means_and_totals(two):
    assert [found["mean"] for found in two] == [0.5, 0.5]
    assert [found["total"] for found in two] == [[2, 1], [2, 1]]


def test_a_difference_between_processes_is_noticed(two):
    for found in two:
        assert found["refused"].startswith("processes of one search have different ranks: ")


def test_one_process_alone_changes_nothing():
    with joined() as ranks:
        assert ranks == Ranks(rank=0, size=1)
        assert ranks.first
        batch, value = torch.arange(5), torch.tensor([2.0])
        assert torch.equal(ranks.part(batch), batch)
        ranks.average([value])
        assert value.item() == 2
        assert ranks.total([1, 2]) == [1, 2]
        ranks.check_same([value], what="values")
        ranks.wait()


SEARCH = """
import hashlib, json, sys
from dataclasses import replace
from pathlib import Path
from tombola.data import load
from tombola.search.distributed import joined
from tombola.search.network import convert
from tombola.search.presets import preset
from tombola.search.samples import Samples
from tombola.search.trainer import Trainer

chosen = preset(sys.argv[2])
data = load(chosen.dataset)
shape = data.train_images.shape[1:]
settings = replace(chosen.settings, epochs=int(sys.argv[3]))
with joined() as ranks:
    network = convert(chosen.model(shape=shape, classes=10), settings, shape=shape)
    history = Trainer(
        network,
        train=Samples.of(data.train_images, data.train_labels),
        test=Samples.of(data.test_images, data.test_labels),
        ranks=ranks,
    ).run()
    digest = hashlib.sha256()
    for conv in network.convs:
        digest.update(conv.mask.numpy().tobytes())
    found = {"mask": digest.hexdigest(), "accuracy": history[-1].test_accuracy}
    found["metrics"] = [[x.loss, x.train_accuracy, x.test_accuracy] for x in history]
# What is left of the connections by now could take the process down while it ends.
tasks = Path("/proc/self/task")
found["threads"] = [x.read_text().strip() for x in tasks.glob("*/comm") if "gloo" in x.read_text()]
Path(sys.argv[1], f"{ranks.size}-{ranks.rank}.json").write_text(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("name", "epochs", "least", "noise"),
    [
        # 360 test images: a point of accuracy is 3.6 of them, and seeds differ by as much.
        ("digits-cnn", 5, 0.9, 0.03),
        pytest.param("fmnist-cnn", 2, 0.86, 0.015, marks=pytest.mark.slow),
    ],
)
def test_two_processes_find_one_mask_as_good_as_one_process_does(
    name, epochs, least, noise, tmp_path
):
    try:
        load(preset(name).dataset)
    except DataError as error:
        pytest.skip(str(error))
    (tmp_path / "search.py").write_text(SEARCH)
    command = (str(tmp_path / "search.py"), str(tmp_path), name, str(epochs))
    subprocess.run([sys.executable, *command], check=True)
    done = torchrun(2, *command)
    assert done.returncode == 0, done.stderr
    alone, first, second = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("1-0", "2-0", "2-1")
    )
    assert first == second
    assert first["threads"] == []
    assert first["mask"] != alone["mask"]
    assert abs(first["accuracy"] - alone["accuracy"]) <= noise
    assert first["accuracy"] >= least


def test_the_verb_under_torchrun_speaks_once_and_resumes(tmp_path):
    verb = ("-m", "tombola.cli.main", "search", "--preset=digits-cnn", f"--out={tmp_path}")
    verb += ("--epochs=1", "--validation=0.2")
    for options in ((), ("--resume",)):
        done = torchrun(2, *verb, *options, "--json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        ticket = ticket_file.load(Path(document["ticket"]))
        assert ticket.provenance["processes"] == 2
        assert ticket.provenance["float_accuracy"] == document["float_accuracy"]
        assert 0.1 < ticket.provenance["validation_accuracy"] == document["validation_accuracy"]
        assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1


def test_a_batch_must_have_images_for_all(small, digits):
    network = convert(small.model(shape=(1, 8, 8), classes=10), small.settings, shape=(1, 8, 8))
    train, test = digits
    with pytest.raises(ConfigError) as error:
        Trainer(network, train=train, test=test, ranks=Ranks(rank=0, size=40))
    assert str(error.value) == "batch must be at least 80 for 40 processes, not 64"
