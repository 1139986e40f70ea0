"""What several processes of one search do together, run by torchrun on this machine."""

import json
import subprocess
import sys

import pytest
import torch

from tombola.search.distributed import Ranks, joined

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
