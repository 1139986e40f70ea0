"""Verilog of an engine, with its file list, table of ports and parameters."""

import hashlib
import json
from pathlib import Path

from amaranth.back import verilog

from tombola.spec.engine import EngineConfig
from tombola.spec.paths import write_atomically
from tombola_hw.engine import Engine

TOP = "tombola_engine"
PORTS = (
    ("clk", "in", 1, "clock; everything happens at its rising edge"),
    ("rst", "in", 1, "synchronous reset"),
    ("requests__valid", "in", 1, "a request is offered"),
    ("requests__ready", "out", 1, "and taken"),
    ("requests__payload", "in", 57, "address in bits 23..0, data in 55..24, write in 56"),
    ("responses__valid", "out", 1, "an answer to a read is offered"),
    ("responses__ready", "in", 1, "and taken"),
    ("responses__payload", "out", 32, "the word read"),
    ("busy", "out", 1, "a run is under way"),
    ("done", "out", 1, "the last run has ended"),
    ("error", "out", 8, "error code"),
)


def engine_verilog(config: EngineConfig, **options) -> str:
    """Verilog text of an engine; the same parameters give the same text."""
    # Source attributes would hold the paths of this installation.
    return verilog.convert(Engine(config, **options), name=TOP, strip_internal_attrs=True)


def write_rtl(config: EngineConfig, out_dir: Path) -> dict:
    """Writes ``tombola_engine.v``, ``files.f``, ``design.json`` and ``ports.md``.

    Returns
    -------
    dict
        The content of ``design.json``: top, files, config, ports and the Verilog's SHA-256.
    """
    text = engine_verilog(config)
    design = {
        "top": TOP,
        "files": [f"{TOP}.v"],
        "config": config.to_json(),
        "ports": [
            {"name": name, "direction": direction, "width": width, "meaning": meaning}
            for name, direction, width, meaning in PORTS
        ],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    rows = [f"| `{name}` | {way} | {width} | {what} |" for name, way, width, what in PORTS]
    header = ["| port | direction | width | meaning |", "|---|---|---|---|"]
    table = "\n".join([f"# Ports of {TOP}", "", *header, *rows])
    out_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(out_dir / f"{TOP}.v", text.encode())
    write_atomically(out_dir / "files.f", f"{TOP}.v\n".encode())
    write_atomically(out_dir / "ports.md", f"{table}\n".encode())
    write_atomically(out_dir / "design.json", f"{json.dumps(design, indent=2)}\n".encode())
    return design
