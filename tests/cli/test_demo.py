"""The demo's own work: order of stages, one summary, a failed stage in one line."""

import json
import threading

import pytest

from tombola.cli import demo
from tombola.cli.main import main
from tombola.cli.stages import Stage, run_chains
from tombola.spec.errors import ToolError

DOCUMENTS = {
    "search": {"ticket": "d.ticket", "float_accuracy": 0.97, "integer_accuracy": 0.96},
    "inspect": {"ticket_bytes": 4000, "seed_and_mask_bytes": 3000, "dense_bytes": 60000},
    "eval": {"integer_accuracy": 0.96},
    "rtl": {"files": ["tombola_engine.v"]},
    "sim": {"samples": 5, "values_compared": 50, "mismatches": 0, "cycles_per_inference": 7000.0},
    "infer": {"device": "virtual:icebreaker", "samples": 5, "agreement": 1.0, "accuracy": 0.8},
}
BUILD = {"geometry": "16x4", "macs": 64, "lut4": 5000, "ff": 3000, "block_ram": 20,
         "fmax_mhz": 25.0, "clock_mhz": 24.0, "bitstream": "top.bin"}


@pytest.fixture
def canned(monkeypatch):
    """Stages that say what DOCUMENTS holds, without running anything; records their order."""
    ran = []

    def run(stage, logs):
        ran.append(stage.name)
        stage.started, stage.seconds = 0.0, 0.5
        if stage.name.startswith("build-"):
            stage.document = {"board": stage.name.removeprefix("build-"), **BUILD}
        else:
            stage.document = dict(DOCUMENTS[stage.name])

    monkeypatch.setattr(demo.Stage, "run", run)
    return ran


def test_one_document_with_all_stages(canned, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "demo.json").read_text())
    assert set(document["stages"]) == {*DOCUMENTS, "build-icebreaker", "build-ulx3s-25f"}
    assert document["summary"]["integer_accuracy"] == 0.96
    assert document["summary"]["boards"]["ulx3s-25f"]["fmax_mhz"] == 25.0
    assert [name for name in canned if name in DOCUMENTS and name != "infer"] == [
        "search", "inspect", "eval", "rtl", "sim"
    ]  # fmt: skip
    assert canned.index("infer") > canned.index("search")


def test_table_for_people_names_what_was_measured(canned, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--no-build"]) == 0
    shown = capsys.readouterr().out
    for figure in ("96.00%", "4,000 bytes", "60,000 bytes", "50 logits, 0 mismatches", "7,000",
                   "5 of 5 images, every logit as the integer model; 80.00% right"):
        assert figure in shown


def test_mismatches_end_with_status_1(canned, tmp_path, monkeypatch):
    monkeypatch.setitem(DOCUMENTS, "sim", {**DOCUMENTS["sim"], "mismatches": 3})
    assert main(["demo", "--out", str(tmp_path), "--no-build", "--json"]) == 1


def test_a_wrong_answer_of_the_board_ends_with_status_1(canned, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(DOCUMENTS, "infer", {**DOCUMENTS["infer"], "agreement": 0.6})
    assert main(["demo", "--out", str(tmp_path), "--no-build"]) == 1
    assert "3 of 5 images, every logit as the integer model" in capsys.readouterr().out


def test_a_stage_waits_for_one_of_the_other_chain(monkeypatch, tmp_path):
    began, may_end = [], threading.Event()

    def run(stage, logs):
        began.append(stage.name)
        if stage.name == "slow":
            assert may_end.wait(10)
        stage.seconds = 1.0

    monkeypatch.setattr(Stage, "run", run)
    slow = Stage("slow", [])
    chains = [[slow, Stage("next", [])], [Stage("other", []), Stage("last", [], needs=slow)]]
    threading.Timer(0.2, may_end.set).start()
    run_chains(chains, tmp_path)
    assert sorted(began[:2]) == ["other", "slow"] and sorted(began[2:]) == ["last", "next"]


@pytest.mark.parametrize("failing", ["first", "second"])
def test_what_needs_a_failed_stage_does_not_begin(monkeypatch, tmp_path, failing):
    began = []

    def run(stage, logs):
        began.append(stage.name)
        stage.seconds = 1.0
        stage.failure = f"{stage.name} failed" if stage.name == failing else None

    monkeypatch.setattr(Stage, "run", run)
    second = Stage("second", [])
    with pytest.raises(ToolError, match=f"^{failing} failed "):
        run_chains([[Stage("first", []), second], [Stage("last", [], needs=second)]], tmp_path)
    assert "last" not in began


def test_failed_stage_is_one_line_that_names_its_log(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--no-build", "--epochs", "0"]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("tombola: error: search failed: epochs must be")
    assert message.endswith("search.log)")


def test_nothing_runs_where_nothing_can_be_written(canned, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 2
    assert canned == []
    assert capsys.readouterr().err.startswith("tombola: error: cannot write ")
