"""What the planner foretells of cells and block RAM, against what was built."""

import json
from pathlib import Path

import pytest

from tombola.compiler.block_ram import ECP5_RAM, Memory
from tombola.spec.engine import EngineConfig
from tombola_boards.parts import part_of, target_of
from tombola_boards.registry import BOARDS

RECORDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted(Path("docs/records/boards").glob("*.json"))
}
TOLERANCE = 0.15


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_estimates_are_near_what_was_built(name):
    record, target = RECORDS[name], target_of(BOARDS[name])
    estimate = target.model.estimate(EngineConfig(**record["config"])).to_json()
    for resource in ("lut4", "ff"):
        assert estimate[resource] == pytest.approx(record[resource], rel=TOLERANCE), resource
    for resource in ("block_ram", "dsp", "spram"):
        assert estimate[resource] == record[resource], resource


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_parts_have_what_the_tools_say(name):
    capacity = part_of(BOARDS[name]).capacity.to_json()
    # A Gowin's flip-flops are counted apart; its multipliers are out of the tools' reach.
    for resource in ("lut4", "block_ram", "spram"):
        assert capacity[resource] == RECORDS[name]["capacity"][resource], resource


@pytest.mark.parametrize(
    ("width", "depth", "part", "blocks"),
    [
        # As Yosys 0.70 maps them for an ECP5.
        (32, 23_040, 0, 48),
        (32, 22_528, 0, 44),
        (32, 1_536, 0, 3),
        (128, 5_120, 8, 40),
        (128, 2_560, 8, 20),
    ],
)
def test_memories_of_any_depth(width, depth, part, blocks):
    memory = Memory(name="ticket", width=width, depth=depth, part=part)
    assert ECP5_RAM.blocks(memory) == blocks
