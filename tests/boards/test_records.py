"""docs/boards-table.md is what the boards and their records say, and a record is of its board."""

import importlib.util
import json
from pathlib import Path

import pytest

from tombola.spec.errors import ConfigError
from tombola_boards.registry import BOARDS, board_named

DOCS = Path(__file__).resolve().parents[2] / "docs"
PATHS = sorted((DOCS / "records" / "boards").glob("*.json"))


@pytest.fixture
def boards():
    path = DOCS / "records" / "boards.py"
    spec = importlib.util.spec_from_file_location("boards", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def record():
    """What a build of the iCEBreaker's own engine might write."""
    board = board_named("icebreaker")
    used = {"lut4": 5253, "ff": 2400, "block_ram": 27, "dsp": 8, "spram": 4}
    return {
        "board": board.name,
        "geometry": board.config.geometry,
        "macs": board.config.macs,
        "config": board.config.to_json(),
        **used,
        "capacity": {"lut4": 5280, "ff": 5280, "block_ram": 30, "dsp": 8, "spram": 4},
        "fmax_mhz": 24.1,
        "clock_mhz": board.clock_mhz,
        "baud": board.baud,
        "seed": 3,
        "bitstream_sha256": "ab" * 32,
        "tools": {"yosys": "0.70"},
        "seconds": {"synthesis": 60.0, "place_route": 300.0},
    }


def test_the_page_is_generated(boards):
    assert (DOCS / "boards-table.md").read_text() == boards.page(), (
        "run: python docs/records/boards.py"
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_records_are_of_their_boards(boards, path):
    record = json.loads(path.read_text())
    assert record["board"] == path.stem
    boards.check(record, BOARDS[path.stem])
    assert len(record["bitstream_sha256"]) == 64
    assert all(record[name] <= record["capacity"][name] for name in boards.RESOURCES)


def test_a_build_is_kept_and_shown(boards, record, tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "RECORDS", tmp_path / "records")
    (tmp_path / "build.json").write_text(json.dumps(record))
    boards.keep(tmp_path)
    lines = [line for line in boards.page().splitlines() if line.startswith("| icebreaker |")]
    assert lines == [
        "| icebreaker | iCEBreaker, Lattice iCE40 UP5K | 16x4 | 64 | 5,253 of 5,280 (99%) | "
        "27 of 30 (90%) | 8 of 8 (100%) | 4 of 4 (100%) | 24.1 MHz | 24 MHz | 3 | 6 min | "
        "`abababababababab` |"
    ]
    assert "| ulx3s-25f |" in boards.page()


@pytest.mark.parametrize("change, message", [
    ({"clock_mhz": 12.0}, "must have clock_mhz 24.0, not 12.0; build and keep it again"),
    ({"baud": 9600}, "must have baud 1000000, not 9600; build and keep it again"),
    ({"fmax_mhz": 23.9}, "must meet the clock, not 23.9"),
    ({"ticket_sha256": "00"}, "must be of a build without a ticket"),
])
def test_stale_records(boards, record, change, message):
    board = board_named("icebreaker")
    boards.check(record, board)
    with pytest.raises(ConfigError, match=f"^record of icebreaker {message}$"):
        boards.check({**record, **change}, board)


def test_a_record_of_another_engine(boards, record, tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "RECORDS", tmp_path)
    record["config"] |= {"rows": 8, "ticket_words": 2048}
    (tmp_path / "icebreaker.json").write_text(json.dumps(record))
    message = (
        "^record of icebreaker must have rows 16, not 8, ticket_words 1024, not 2048; "
        "build and keep it again$"
    )
    with pytest.raises(ConfigError, match=message):
        boards.page()


def test_a_folder_without_a_build(boards, tmp_path):
    with pytest.raises(ConfigError, match=r"must hold the build\.json of a build; run tombola"):
        boards.keep(tmp_path)
