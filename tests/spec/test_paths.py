"""Files appear whole or not at all."""

import errno
import os
import re
from pathlib import Path

import pytest

from tombola.spec.errors import TombolaError
from tombola.spec.paths import cache_dir, replace_dir_atomically, write_atomically


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "own"
    monkeypatch.delenv("TOMBOLA_CACHE")
    assert cache_dir() == tmp_path / "xdg" / "tombola"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "tombola"


def test_write_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"one")
    assert write_atomically(path, b"two", mode=0o755) == path
    assert path.read_bytes() == b"two"
    assert os.access(path, os.X_OK)
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_keeps_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"former")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = f"cannot write {path}: No space left on device"
    with pytest.raises(TombolaError, match=f"^{re.escape(message)}$"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "below"
    with pytest.raises(TombolaError, match=f"^{re.escape(f'cannot write {path}: ')}"):
        write_atomically(path, b"")


def test_a_folder_takes_the_place_of_another(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert replace_dir_atomically(tmp_path / "new", tmp_path / "old") == tmp_path / "old"
    assert [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*"))] == [
        Path("old"), Path("old/new"),
    ]


def test_a_folder_that_cannot_move_leaves_the_other(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "kept").touch()
    message = f"cannot write {tmp_path / 'old'}: No such file or directory"
    with pytest.raises(TombolaError, match=f"^{re.escape(message)}$"):
        replace_dir_atomically(tmp_path / "absent", tmp_path / "old")
    assert [path.name for path in tmp_path.rglob("*")] == ["old", "kept"]
