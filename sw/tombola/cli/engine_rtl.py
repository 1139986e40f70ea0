"""Verilog of an engine for verbs that need it, generated once per set of parameters."""

import hashlib
import json
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ..spec.engine import EngineConfig
from ..spec.paths import cache_dir, replace_dir_atomically

__all__ = ["cached_rtl"]

# What decides the Verilog besides the parameters.
GENERATORS = ("tombola_hw", "tombola.spec")


def cached_rtl(config: EngineConfig) -> Path:
    """The folder with an engine's Verilog, in the cache; generated where it is not there yet."""
    folder = cache_dir() / "rtl" / _key(config)
    if (folder / "design.json").is_file():
        return folder
    from tombola_hw.generate import write_rtl

    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    write_rtl(config, beside)
    return replace_dir_atomically(beside, folder)


def _key(config: EngineConfig) -> str:
    digest = hashlib.sha256(json.dumps([config.to_json(), version("amaranth")]).encode())
    for package in GENERATORS:
        for folder in find_spec(package).submodule_search_locations:
            for source in sorted(Path(folder).glob("*.py")):
                digest.update(source.read_bytes())
    return digest.hexdigest()[:24]
