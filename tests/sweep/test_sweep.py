"""Sweeps of real searches: killed, resumed, failed, on a cluster of this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tombola.cli.main import main
from tombola.spec import ticket_file
from tombola.spec.errors import ConfigError, ToolError
from tombola.sweep import runners, trial
from tombola.sweep.grid import Axis, trials
from tombola.sweep.sweep import sweep


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_finds_tickets_and_does_not_search_twice(two, tmp_path):
    told = []
    first = sweep(
        two, out=tmp_path, runner=runners.local(2), finished=lambda x, found: told.append(x)
    )
    assert set(told) == set(two)
    for one in two:
        result = first[one]
        log = tmp_path / "trials" / one.name / "search" / "metrics.jsonl"
        assert result["float_accuracy"] == json.loads(log.read_text())["test_accuracy"]
        ticket = tmp_path / "trials" / one.name / result["ticket"]
        assert ticket_file.load(ticket).seed == int(dict(one.options)["seed"])
        assert result["ticket_bytes"] == ticket.stat().st_size
        assert result["model_bytes"] > result["seed_and_mask_bytes"] > result["mask_bits"] / 8
    assert (tmp_path / "pareto.png").exists()

    def refuse(trials, out):
        assert not trials
        return iter(())

    assert sweep(two, out=tmp_path, runner=refuse) == first


def test_a_failed_trial_does_not_stop_the_others(tmp_path):
    grid = ("preset=digits-cnn", "epochs=1", "prune=0.7,0.25")
    found = trials(Axis.parse(text) for text in grid)
    results = sweep(found, out=tmp_path, runner=runners.local(2))
    assert results[found[0]]["error"].startswith("prune 0.7 exceeds sparsity 0.5")
    assert results[found[1]]["searchable_weights"] < results[found[1]]["weights"]
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [row["state"] for row in rows] == ["failed", "done"]
    # What failed is tried again.
    assert trial.load(tmp_path / "trials" / found[0].name) is None


ARGUMENTS = ("--preset=digits-cnn", "--grid=epochs=3", "--grid=seed=1,2", "--processes=1")


def start(out: Path, *arguments: str) -> subprocess.Popen:
    """A sweep in a process group of its own, as a shell starts it."""
    command = [sys.executable, "-m", "tombola.cli.main", "sweep", *(arguments or ARGUMENTS)]
    command.append(f"--out={out}")
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


def files_of(out: Path, name: str) -> dict[str, Path]:
    """The file of that name of each trial that has it."""
    return {path.relative_to(out).parts[1]: path for path in out.glob(f"trials/*/{name}")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The sweep that nothing happened to."""
    out = tmp_path_factory.mktemp("whole")
    assert start(out, *ARGUMENTS[:-1], "--processes=2").wait(timeout=300) == 0
    return out


@pytest.mark.parametrize("all_of_it", [True, False])
def test_killed_and_resumed_same_tickets(all_of_it, whole, tmp_path):
    """`all_of_it`: searches are killed too; otherwise one goes on, and the next sweep waits."""
    cut = start(tmp_path)
    # In the middle of the second trial, with an epoch of it done.
    wait_for(lambda: len(files_of(tmp_path, "search/checkpoint.pt")) == 2)
    before = {x: path.stat().st_mtime for x, path in files_of(tmp_path, "result.json").items()}
    assert len(before) == 1
    (os.killpg if all_of_it else os.kill)(cut.pid, signal.SIGKILL)
    cut.wait()
    assert start(tmp_path).wait(timeout=300) == 0
    after = files_of(tmp_path, "result.json")
    assert len(after) == 2
    assert {name: after[name].stat().st_mtime for name in before} == before
    tickets = files_of(tmp_path, "search/digits-cnn.ticket")
    for name, ticket in files_of(whole, "search/digits-cnn.ticket").items():
        assert tickets[name].read_bytes() == ticket.read_bytes()
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 3


TWELVE = (
    "--preset=digits-cnn", "--grid=epochs=3", "--grid=seed=1,2,3,4,5,6",
    "--grid=sparsity=0.5,0.7", "--processes=2",
)  # fmt: skip
KILLS = ((0, 2.0), (1, 0.0), (3, 0.7), (5, 1.4), (8, 2.1), (11, 0.3))
"""Trials that are done, and seconds after that."""


@pytest.mark.slow
def test_twelve_trials_killed_again_and_again(tmp_path):
    """No trial that is done is lost, at most the two that run go on, and all end as if unharmed."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    unharmed = start(whole, *TWELVE)
    kept: dict[str, float] = {}
    for done, later in KILLS:
        sweep_ = start(cut, *TWELVE)
        wait_for(lambda done=done: len(files_of(cut, "result.json")) >= done)
        time.sleep(later)
        os.killpg(sweep_.pid, signal.SIGKILL)
        assert sweep_.wait() == -signal.SIGKILL
        results = {x: path.stat().st_mtime for x, path in files_of(cut, "result.json").items()}
        assert results.items() >= kept.items()
        assert len(files_of(cut, "lock")) <= len(results) + 2
        kept = results
    assert start(cut, *TWELVE).wait(timeout=600) == 0
    results = files_of(cut, "result.json")
    assert len(results) == 12
    assert {x: results[x].stat().st_mtime for x in kept} == kept
    assert unharmed.wait(timeout=600) == 0
    tickets = files_of(cut, "search/digits-cnn.ticket")
    for name, ticket in files_of(whole, "search/digits-cnn.ticket").items():
        assert tickets[name].read_bytes() == ticket.read_bytes()
    rows = json.loads((cut / "results.json").read_text())["rows"]
    assert [row["state"] for row in rows] == ["done"] * 12


HOLD = """
import fcntl, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with (folder / "lock").open("w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(1)
    (folder / "result.json").write_text('{"found": "by the other"}')
"""


def test_a_trial_that_still_runs_is_waited_for(two, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        assert trial.run(tmp_path, two[0].arguments) == {"found": "by the other"}


def test_a_ray_cluster_finds_the_same(two, whole, tmp_path):
    grid = [text.removeprefix("--grid=").removeprefix("--") for text in ARGUMENTS[:-1]]
    first, _ = trials(Axis.parse(text) for text in grid)
    results = sweep([first], out=tmp_path, runner=runners.cluster(None, cores=1))
    ours = trial.load(whole / "trials" / first.name)
    assert {**results[first], "seconds": ours["seconds"]} == ours


def test_no_cluster_at_an_address(two, tmp_path):
    runner = runners.cluster("127.0.0.1:1", cores=1)
    with pytest.raises(ToolError, match=r"^no Ray cluster answers at 127\.0\.0\.1:1: "):
        sweep(two, out=tmp_path, runner=runner)


def test_without_ray_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolError) as error:
        runners.cluster(None, cores=1)
    assert str(error.value) == (
        "a cluster needs Ray, which is not installed; run pip install 'tombola[cluster]'"
    )


def test_more_cores_than_any_node_has():
    nodes = [
        {"Alive": True, "Resources": {"CPU": 2.0}},
        {"Alive": True, "Resources": {}},
        {"Alive": False, "Resources": {"CPU": 64.0}},
    ]
    runners.check_cores(nodes, 2)
    with pytest.raises(ToolError) as error:
        runners.check_cores(nodes, 3)
    said = "no node of the cluster has 3 cores, the largest has 2; lower --cores"
    assert str(error.value) == said


def test_a_search_that_is_killed_says_so(two, tmp_path, monkeypatch):
    """As by a machine that is out of memory; what it said last is no reason."""
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\necho epoch 1 >&2\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))
    found = trial.run(tmp_path / "trial", two[0].arguments)
    assert found == {"error": "the search was ended by signal 9; run it again"}
    assert trial.load(tmp_path / "trial") is None


def test_a_folder_that_cannot_be_made_is_the_trials_error(two, tmp_path):
    (tmp_path / "file").touch()
    found = trial.run(tmp_path / "file" / "trial", two[0].arguments)
    assert "Not a directory" in found["error"]


def test_an_empty_grid_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="^the grid has no trial$"):
        sweep([], out=tmp_path, runner=runners.local(1))


def test_the_verb(whole, capsys):
    """On trials that are done, so that it runs none."""
    arguments = ["sweep", *ARGUMENTS, f"--out={whole}"]
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["trials"] == len(document["rows"]) == 2
    assert document["failed"] == 0
    assert [entry["seeds"] for entry in document["summary"]] == [2]
    assert document["front"] == [0]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "±" in said.out
    assert "2/2" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid=out=a,b",), "a grid cannot vary out; it is an option of the sweep itself"),
        (("--processes=0",), "processes must be at least 1, not 0"),
        (("--grid=seed",), "a grid must be written NAME=VALUE,VALUE, not 'seed'"),
    ],
)
def test_the_verb_refuses(arguments, message, tmp_path, capsys):
    command = ["sweep", "--preset=digits-cnn", f"--out={tmp_path / 'no'}", *arguments]
    assert main(command) == 2
    assert capsys.readouterr().err == f"tombola: error: {message}\n"
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("grid", ["colour=red", "epochs=many", "scope=layer,galaxy"])
def test_what_search_would_refuse_is_refused_before_anything_runs(grid, tmp_path, capsys):
    with pytest.raises(SystemExit) as status:
        main(["sweep", "--preset=digits-cnn", f"--out={tmp_path / 'no'}", f"--grid={grid}"])
    assert status.value.code == 2
    assert capsys.readouterr().err.startswith("tombola: error: ")
    assert not (tmp_path / "no").exists()
