"""Clocks that a layer takes, from its descriptor alone."""

from collections.abc import Mapping

from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.lfsr import WORD
from tombola.spec.start_state import ROUNDS

LAYER_OVERHEAD = 50
"""Reading the descriptor and draining the pipeline."""
CHANNEL_OVERHEAD = 8
"""Fetching a channel's start and filling the mask window."""


def group_construction_cycles(fields: Mapping[str, int], config: EngineConfig, rows: int) -> int:
    """Clocks to build the weights of one channel group of `rows` channels."""
    mixing = ROUNDS * (2 if fields["frozen"] else 1)
    return rows * (mixing + CHANNEL_OVERHEAD + fields["row_words"] * WORD // config.construction)


def layer_cycles(fields: Mapping[str, int], config: EngineConfig) -> int:
    """Clocks of one layer: each group computes while the next one is built."""
    convolves = fields["operation"] == Operation.CONVOLVE
    size = config.rows if convolves else config.lanes
    left, total, building = fields["channels"], LAYER_OVERHEAD, 0
    computing = 0
    while left > 0:
        rows = min(size, left)
        building = group_construction_cycles(fields, config, rows) if convolves else 0
        total += max(building, computing)
        positions = fields["out_height"] * fields["out_width"]
        computing = positions * max(fields["lines"], rows)
        left -= rows
    return total + computing
