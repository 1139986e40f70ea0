"""Data folders that hold nothing but what a test puts there."""

import pytest


@pytest.fixture
def empty_places(tmp_path, monkeypatch):
    """No data set anywhere except the built-in one; the value is the cache folder."""
    from dataclasses import replace

    from tombola.data import catalog

    monkeypatch.delenv("TOMBOLA_DATA", raising=False)
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))
    bare = tuple(replace(source, system_folders=()) for source in catalog.SOURCES)
    monkeypatch.setattr(catalog, "SOURCES", bare)
    return tmp_path / "cache"
