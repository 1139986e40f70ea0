"""Whatever goes wrong in `tombola search` and `sweep`: one line with the way out, and status 2."""

import resource
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from tombola.cli.main import main
from tombola.data import catalog
from tombola.sweep.grid import Axis, trials

DIGITS = ("search", "--preset=digits-cnn", "--epochs=1", "--threads=1")
GRAPH = ("search", "--algorithm=gnn-multicoat", "--epochs=1")
SWEEP = ("sweep", "--preset=digits-cnn", "--grid=epochs=1")


def refuse(capsys, *arguments):
    """The line, without its beginning."""
    try:
        status = main(list(arguments))
    except SystemExit as end:  # argparse
        status = end.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[-1].startswith("tombola: error: ")
    assert sum("error" in line for line in lines) == 1
    return lines[-1].removeprefix("tombola: error: ")


REFUSED = {
    "--batch=1": "batch must be at least 2, not 1",
    "--validation=1": "validation 1 leaves 0 of 1437 training images and sets 1437 aside; choose a "
    "ratio at which both have some",
    "--validation=nan": "validation must be between 0 and 1, not nan",
    "--sparsity=nan": "sparsity must be between 0 and 1, not nan",
    "--sparsity=1": "layer 0 keeps no weight, so the logits do not depend on the image; lower "
    "sparsity",
    "--lock=0.6": "lock 0.6 leaves no room for sparsity 0.5; lower lock to 0.5 or lower sparsity",
    "--freeze=2": "freeze must be between 0 and 1, not 2",
    "--freeze=nan": "freeze must be between 0 and 1, not nan",
    "--width=nan": "width must be above 0 and finite, not nan",
    "--width=inf": "width must be above 0 and finite, not inf",
    "--width=1e9": "width 1e+09 makes 16000000000 of 16 channels, but a layer of a ticket has at "
    "most 65535; lower it",
    "--learning-rate=nan": "learning_rate must be above 0 and at most 1e+37, not nan",
    "--learning-rate=1e38": "learning_rate must be above 0 and at most 1e+37, not 1e+38",
    "--weight-decay=-1": "weight_decay must be between 0 and 1e+37, not -1",
    "--weight-decay=nan": "weight_decay must be between 0 and 1e+37, not nan",
    "--threads=0": "threads must be between 1 and 1024, not 0",
    "--threads=1000000": "threads must be between 1 and 1024, not 1000000",
    "--scope=threshold": "a threshold at 1/2 needs scores that are probabilities; choose algorithm "
    "gem-miner, or another scope",
    "--hidden=8": "--hidden is for graph networks alone; leave it out, or name an --algorithm of "
    "them, gnn-multicoat, gnn-ugt, gnn-nm",
    "--dataset=cora": "--dataset is for graph networks alone; leave it out, or name an --algorithm "
    "of them, gnn-multicoat, gnn-ugt, gnn-nm",
    "--seed=x": "argument --seed: invalid int value: 'x'; see tombola search --help",
}


@pytest.mark.parametrize("option", REFUSED)
def test_what_is_no_search_makes_no_folder(option, tmp_path, capsys):
    out = tmp_path / "out"
    assert refuse(capsys, *DIGITS, option, f"--out={out}") == REFUSED[option]
    assert not out.exists()


@pytest.mark.parametrize(
    "option", ["--width=2", "--freeze=0.5", "--device=cuda", "--precision=bfloat16", "--batch=4"]
)
def test_what_a_graph_has_not(option, tmp_path, capsys):
    said = refuse(capsys, *GRAPH, option, f"--out={tmp_path / 'out'}")
    assert said == f"{option.partition('=')[0]} is not for graph networks; leave it out"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rate", ["nan", "inf", "0", "1e38"])
def test_the_rate_of_a_graph_search(rate, tmp_path, capsys):
    said = refuse(capsys, *GRAPH, f"--learning-rate={rate}", f"--out={tmp_path / 'out'}")
    assert said == f"learning_rate must be above 0 and at most 1e+37, not {float(rate):g}"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (GRAPH, "cora is missing; put cora.npz into a folder and name it with --data-dir"),
        (
            ("search", "--preset=fmnist-mlp"),
            "fmnist is missing; run tombola data fetch fmnist",
        ),
    ],
)
def test_missing_data(command, said, tmp_path, capsys, monkeypatch):
    bare = tuple(replace(source, system_folders=()) for source in catalog.SOURCES)
    monkeypatch.setattr(catalog, "SOURCES", bare)
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path))
    monkeypatch.delenv("TOMBOLA_DATA", raising=False)
    assert refuse(capsys, *command, f"--out={tmp_path / 'out'}").startswith(said)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(tmp_path, capsys):
    said = refuse(capsys, *DIGITS, "--device=cuda", f"--out={tmp_path / 'out'}")
    assert said == "PyTorch sees no GPU; search with device cpu"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", [DIGITS, SWEEP])
@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_no_folder(verb, folder, tmp_path, capsys):
    (tmp_path / "file").write_text("kept")
    said = refuse(capsys, *verb, f"--out={tmp_path / folder}")
    assert said.startswith(f"cannot make folder {tmp_path / folder}")
    assert said.endswith("; name another")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_takes_no_files(capsys):
    # Not even root may write there.
    for verb in (DIGITS, SWEEP):
        said = refuse(capsys, *verb, "--out=/proc/self")
        assert said.startswith("cannot make folder /proc/self")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--learning-rate=1e37", "--norm=affine"), "the loss is no longer a number"),
        (("--learning-rate=1e37",), "the scores of layer 0 are no longer numbers"),
    ],
)
def test_numbers_that_run_away(options, said, tmp_path, capsys):
    line = refuse(capsys, *DIGITS, *options, f"--out={tmp_path}")
    assert line == f"{said}; lower the learning rate"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of a search of one epoch."""
    out = tmp_path_factory.mktemp("checkpoint")
    assert main([*DIGITS, f"--out={out}", "--json"]) == 0
    return (out / "checkpoint.pt").read_bytes()


DAMAGE = {
    "nothing": lambda content: b"",
    "a part": lambda content: content[: len(content) // 2],
    "text": lambda content: b"not a checkpoint",
    "other bytes": lambda content: content[:200] + bytes(200) + content[400:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint(damage, checkpoint, tmp_path, capsys):
    content = DAMAGE[damage](checkpoint)
    (tmp_path / "checkpoint.pt").write_bytes(content)
    line = refuse(capsys, *DIGITS, "--resume", f"--out={tmp_path}")
    assert line == (
        f"cannot resume from {tmp_path / 'checkpoint.pt'}: it is damaged, or of other use; search "
        "without --resume"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert (tmp_path / "checkpoint.pt").read_bytes() == content


@pytest.mark.parametrize("other", [{}, {"identity": 3}, [1], "text"])
def test_a_file_of_other_use(other, tmp_path, capsys):
    torch.save(other, tmp_path / "checkpoint.pt")
    line = refuse(capsys, *DIGITS, "--resume", f"--out={tmp_path}")
    assert "it is damaged, or of other use; search without --resume" in line


def test_the_checkpoint_of_another_search(checkpoint, tmp_path, capsys):
    (tmp_path / "checkpoint.pt").write_bytes(checkpoint)
    line = refuse(capsys, *DIGITS, "--resume", "--sparsity=0.25", f"--out={tmp_path}")
    assert line == (
        f"{tmp_path / 'checkpoint.pt'} is of a search with sparsity 0.5, not 0.25; give the same "
        "settings, or search without --resume"
    )
    assert (tmp_path / "checkpoint.pt").read_bytes() == checkpoint


def test_a_full_disk(checkpoint, tmp_path):
    """Files may not grow to the size of a checkpoint: the one that is there stays, whole."""
    (tmp_path / "checkpoint.pt").write_bytes(checkpoint)

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    command = [sys.executable, "-m", "tombola.cli.main", *DIGITS, f"--out={tmp_path}"]
    done = subprocess.run(
        command, preexec_fn=small_files, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"tombola: error: cannot write {tmp_path / 'checkpoint.pt'}: File too large\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert (tmp_path / "checkpoint.pt").read_bytes() == checkpoint


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("seed=-1,1", "seed must be between 0 and 18446744073709551615, not -1"),
        ("sparsity=0.5,2", "sparsity must be between 0 and 1, not 2"),
        ("algorithm=gnn-ugt", "algorithm 'gnn-ugt' is unknown; known: edge-popup, "),
        ("prune=0.2,0.7", "prune 0.7 exceeds sparsity 0.5, which counts pruned weights; lower "),
        ("hidden=3", "--hidden is for graph networks alone; "),
        ("colour=red", "unrecognized arguments: --colour=red; see tombola --help"),
    ],
)
def test_no_trial_runs_where_one_is_no_search(grid, said, tmp_path, capsys):
    out = tmp_path / "out"
    assert refuse(capsys, *SWEEP, f"--grid={grid}", f"--out={out}").startswith(said)
    assert not out.exists()


def test_a_damaged_result(tmp_path, capsys):
    (trial,) = trials(map(Axis.parse, ("preset=digits-cnn", "epochs=1")))
    path = tmp_path / "trials" / trial.name / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    line = refuse(capsys, *SWEEP, f"--out={tmp_path}")
    assert line == f"{path} is damaged; remove it, and the trial is made anew"
