"""The doctor with programs missing and too old."""

import json

import pytest

from tombola.cli import main as cli
from tombola.cli.checkup import checkup


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Nothing on PATH but what the test puts there, and an empty cache folder."""
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TOMBOLA_DATA", raising=False)
    return tmp_path


def by_name():
    return {check.name: check for check in checkup()}


def test_missing_compilers(bare, capsys):
    checks = by_name()
    for name in ("g++", "make", "perl"):
        assert not checks[name].ok
        assert checks[name].required
        assert f"apt-get install {name}" in checks[name].mend
    assert checks["yosys"].ok  # the wheel's
    assert checks["python"].ok
    assert checks["cache folder"].ok
    assert cli.main(["doctor", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert cli.main(["doctor"]) == 2
    assert "something is missing" in capsys.readouterr().out


def test_a_compiler_that_is_too_old(bare):
    program = bare / "g++"
    program.write_text("#!/bin/sh\necho 'g++ (GCC) 9.4.0'\n")
    program.chmod(0o755)
    check = by_name()["g++"]
    assert (check.ok, check.version, check.minimum) == (False, "9.4", "10")


def test_what_is_optional_is_not_required(bare):
    checks = by_name()
    assert not checks["openFPGALoader"].required
    assert not checks["data mnist"].ok
    assert not checks["data mnist"].required
    assert checks["data mnist"].mend == "run tombola data fetch mnist"
    assert checks["data digits"].ok


def test_a_cache_folder_that_cannot_be(bare, monkeypatch):
    (bare / "file").touch()
    monkeypatch.setenv("TOMBOLA_CACHE", str(bare / "file" / "below"))
    check = by_name()["cache folder"]
    assert not check.ok
    assert check.mend == "Not a directory: set TOMBOLA_CACHE to a folder that you can write"
