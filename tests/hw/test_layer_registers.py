"""The layer in force, wherever its registers are: in flip-flops, and in the vendor's cells."""

import numpy as np
import pytest
from support.gates import Gates

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Family
from tombola_hw.interfaces import layer_layout
from tombola_hw.layer_registers import MASKS, LayerRegisters, kept_bits

CONFIG = EngineConfig(
    rows=24, lanes=4, construction=2, accumulator_bits=16, activation_banks=2, count_bits=8,
    ticket_words=1024, short_totals=True, compact=True,
)  # fmt: skip
RUNS, CLOCKS = 50, 150


def bits(numbers, width):
    """Int array (runs,) to bool (runs, width)."""
    return (numbers[:, None] >> np.arange(width) & 1).astype(bool)


def numbers(columns):
    return (columns.astype(np.int64) << np.arange(columns.shape[1])).sum(axis=1)


@pytest.mark.parametrize("dsps", [0, 1, 5])
def test_holds_every_field(tmp_path, dsps):
    """Words come in any order, and the masks turn meanwhile."""
    form, layout = CONFIG.descriptor, layer_layout(CONFIG)
    unit = LayerRegisters(CONFIG, dsps=dsps)
    ports = [unit.write, unit.data, unit.turn, unit.layer.as_value()]
    gates = Gates(tmp_path, unit, ports=ports, family=Family.ICE40, runs=RUNS)
    random = np.random.default_rng(dsps)
    words = np.zeros((RUNS, form.words), np.int64)
    masks = [form.places[name][0] for name in MASKS]
    every = np.arange(RUNS)

    for clock in range(CLOCKS):
        write, turn = random.random(RUNS) < 0.8, random.random(RUNS) < 0.3
        word = random.integers(0, form.words, RUNS)
        data = random.integers(0, 1 << 32, RUNS)
        if clock < form.words:
            write, word = np.full(RUNS, True), np.full(RUNS, clock)
        turn &= ~(write & np.isin(word, masks))
        shown = gates.clock(
            rst=bits(np.zeros(RUNS, np.int64), 1), turn=bits(turn * 1, 1),
            write=bits(np.where(write, 1 << word, 0), form.words), data=bits(data, 32),
        )  # fmt: skip
        if clock >= form.words:
            for field in form.fields:
                at, low = form.places[field.name]
                kept = kept_bits(field, CONFIG)
                expected = words[:, at] >> low & ((1 << kept) - 1)
                if field.signed:
                    expected -= (expected >> (kept - 1) & 1) << kept
                    expected &= (1 << field.bits) - 1
                first = layout[field.name].offset
                found = numbers(shown["layer"][:, first : first + field.bits])
                np.testing.assert_array_equal(found, expected, err_msg=field.name)
        words[every, word] = np.where(write, data, words[every, word])
        for mask in masks:
            turned = words[:, mask] >> 2 | words[:, mask] << 30 & 0xFFFFFFFF
            words[:, mask] = np.where(turn, turned, words[:, mask])
