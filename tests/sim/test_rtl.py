"""Reading a folder of generated Verilog: whole, or one line that says what is damaged."""

import json

import pytest
from support.toy_engine import CONFIG, write_engine

from tombola.spec.errors import ToolError
from tombola_sim import rtl


@pytest.fixture
def folder(tmp_path):
    return write_engine(tmp_path / "rtl")


def design(folder, **changes):
    content = {"config": CONFIG.to_json(), "top": "tombola_engine", **changes}
    (folder / "design.json").write_text(json.dumps(content))


def refuse(folder):
    with pytest.raises(ToolError) as caught:
        rtl.load(folder)
    line = str(caught.value).replace(str(folder), "DIR")
    assert "\n" not in line
    return line


def test_whole(folder):
    loaded = rtl.load(folder)
    assert loaded.config == CONFIG
    assert loaded.sources == (folder / "tombola_engine.v",)


def test_no_design(folder):
    (folder / "design.json").unlink()
    assert refuse(folder) == (
        "cannot read DIR/design.json: No such file or directory; write the folder with "
        "tombola rtl --out DIR"
    )


def test_no_json(folder):
    (folder / "design.json").write_text("{")
    assert refuse(folder).startswith("DIR/design.json is not JSON: ")


def test_no_object(folder):
    (folder / "design.json").write_text("[]")
    assert refuse(folder) == (
        "DIR/design.json must hold an object; generate it again: tombola rtl"
    )


def test_other_top(folder):
    design(folder, top="other")
    assert refuse(folder) == "DIR/design.json: top must be tombola_engine, not other"


def test_no_config(folder):
    design(folder, config=None)
    assert refuse(folder) == "DIR/design.json has no config; generate it again: tombola rtl"


def test_config_of_no_engine(folder):
    design(folder, config={**CONFIG.to_json(), "lanes": 12})
    assert refuse(folder) == (
        "DIR/design.json: config is of no engine: lanes must be a power of two up to 32, not 12"
    )


def test_config_with_an_unknown_key(folder):
    design(folder, config={**CONFIG.to_json(), "colours": 2})
    assert refuse(folder).startswith("DIR/design.json: config is of no engine: ")


def test_missing_verilog(folder):
    (folder / "tombola_engine.v").unlink()
    assert refuse(folder) == (
        "DIR/files.f names tombola_engine.v, which is missing; generate it again"
    )


def test_no_list(folder):
    (folder / "files.f").unlink()
    assert refuse(folder) == "cannot read DIR/files.f; generate it again: tombola rtl"


def test_empty_list(folder):
    (folder / "files.f").write_text("\n")
    assert refuse(folder) == "DIR/files.f names no Verilog; generate it again: tombola rtl"
