"""The ECP5 row with the vendor's cell model against the sums that the portable one is tested by."""

import json

import numpy as np
import pytest
from support.gates import Gates

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError
from tombola_boards import ecp5_netlist
from tombola_boards.board import Family
from tombola_hw.interfaces import step_layout
from tombola_hw.mac import MacArray
from tombola_hw.mac_row_ecp5 import Ecp5MacRow

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def engine(rows, lanes, **sizes):
    return EngineConfig(rows=rows, lanes=lanes, unsigned_sums=True, **sizes)


def test_init():
    row = Ecp5MacRow(engine(1, 16))
    assert row.latency == 8
    assert row.weight_delays == row.activation_delays == tuple(i // 2 for i in range(16))
    row = Ecp5MacRow(engine(1, 4), lanes_per_register=3, own_weights=True)
    assert row.latency == 3
    assert (row.weight_delays, row.activation_delays) == ((0, 0, 0, 1), (1, 1, 1, 2))
    assert Ecp5MacRow(engine(1, 1)).latency == 1
    assert MacArray(engine(2, 8), row=Ecp5MacRow, pipelined=True).latency == 5


def test_wrong_init():
    with pytest.raises(TypeError) as error:
        Ecp5MacRow("16x16")
    assert str(error.value) == "Ecp5MacRow config must be an EngineConfig, not '16x16'"
    with pytest.raises(ConfigError) as error:
        Ecp5MacRow(EngineConfig())
    assert str(error.value) == "Ecp5MacRow config must have unsigned_sums"
    with pytest.raises(ConfigError) as error:
        Ecp5MacRow(engine(1, 4), lanes_per_register=0)
    assert str(error.value) == "Ecp5MacRow lanes_per_register must be between 1 and 32, not 0"
    with pytest.raises(TypeError) as error:
        Ecp5MacRow(engine(1, 4), own_weights=1)
    assert str(error.value) == "Ecp5MacRow own_weights must be a bool, not 1"


RUNS, CLOCKS = 200, 60
CORNERS = [0, 1, 127, 128, 254, 255]


def bits_of(numbers, width):
    """Bool (runs, width of all) of ints (runs, ...), lowest bit of the first first."""
    return (numbers.reshape(len(numbers), -1, 1) >> np.arange(width) & 1).astype(bool).reshape(
        len(numbers), -1
    )


def draw(random, config):
    """Activations (runs, lanes) and signs (runs, rows, lanes) of a clock, many of them extreme."""
    activations = random.integers(0, 256, (RUNS, config.lanes))
    signs = random.integers(-1, 2, (RUNS, config.rows, config.lanes))
    extreme = random.random(RUNS) < 0.4
    activations[extreme] = random.choice(CORNERS, (extreme.sum(), 1))
    signs[extreme] = random.integers(-1, 2, (extreme.sum(), config.rows, 1))
    return activations, signs


@pytest.mark.parametrize(
    ("rows", "lanes", "options"),
    [
        (2, 16, {}),
        (1, 32, {"lanes_per_register": 3, "own_weights": True}),
        (2, 4, {"lanes_per_register": 4}),
        (1, 1, {}),
        (1, 8, {"planes": 3}),
        (1, 4, {"planes": 2, "own_weights": True}),
    ],
    ids=["2x16", "1x32", "2x4", "1x1", "3 planes", "2 planes"],
)
def test_equals_the_sums(tmp_path, rows, lanes, options):
    planes = options.pop("planes", 1)
    config = engine(rows, lanes, accumulator_bits=20, planes=planes)
    array = MacArray(config, row=lambda c: Ecp5MacRow(c, **options), pipelined=rows == 2)
    ports = [
        array.signed, array.clear, array.step.valid, array.step.payload.as_value(),
        array.activations.as_value(), array.weights.as_value(), array.sums.valid,
        array.sums.payload.as_value(),
    ]  # fmt: skip
    gates = Gates(tmp_path, array, ports=ports, family=Family.ECP5, runs=RUNS)
    random = np.random.default_rng(lanes)
    signed = random.integers(0, 2, RUNS)
    total, due = np.zeros((RUNS, rows), np.int64), []
    gathered, plane = np.zeros((RUNS, rows), np.int64), np.zeros(RUNS, int)
    flags = {"rst": np.zeros(RUNS, int), "clear": np.zeros(RUNS, int), "signed": signed}

    for clock in range(CLOCKS):
        activations, signs = draw(random, config)
        inside, last, valid = (random.random(RUNS) < part for part in (0.8, 0.3, 0.7))
        # Further planes of a line follow it until the last one, which alone may end a position.
        more = (random.random(RUNS) < 0.6) & (plane < planes - 1)
        last = last & ~more
        plane = np.where(valid, np.where(more, plane + 1, 0), plane)
        layout = step_layout(config)
        step = np.zeros((RUNS, layout.size), int)
        said = {"last": last, "inside": inside} | ({"more": more} if planes > 1 else {})
        for name, values in said.items():
            step[:, layout[name].offset] = values
        shown = gates.clock(
            step__valid=valid[:, None],
            step__payload=step.astype(bool),
            activations=bits_of(activations, 8),
            weights=np.concatenate([(signs > 0).reshape(RUNS, -1), (signs < 0).reshape(RUNS, -1)],
                                   axis=1),
            **{name: value[:, None].astype(bool) for name, value in flags.items()},
        )  # fmt: skip
        a = np.where(signed[:, None] * (activations > 127), activations - 256, activations)
        a = (a * inside[:, None] + 128 * signed[:, None])[:, None]
        line = np.where(signs > 0, a, np.where(signs < 0, 255 - a, 0)).sum(axis=2)
        gathered = np.where(valid[:, None], 2 * gathered + line, gathered)
        counts = (valid & ~more)[:, None]
        total, gathered = total + gathered * counts, np.where(counts, 0, gathered)
        due.append((valid & last, total))
        total = np.where((valid & last)[:, None], 0, total)
        if clock >= array.latency:
            assert (shown["sums__valid"][:, 0] == due[clock - array.latency][0]).all()
        if clock > array.latency:
            leaves, sums = due[clock - array.latency - 1]
            values = shown["sums__payload"][:, : 20 * rows]
            assert (values == bits_of(sums, 20))[leaves].all()


def chain(first_lut, *, carry_in="0", reads_sum=False):
    """A netlist of two chained cells, the carry out of the second unused."""
    names = "CIN", "COUT", "S0", "S1", "A0"
    ports = {name: "output" if name[0] in "S" or name == "COUT" else "input" for name in names}

    def cell(lut, *bits):
        return {
            "type": "CCU2C", "port_directions": ports,
            "parameters": {"INIT0": f"{lut:016b}", "INJECT1_0": "NO"},
            "connections": {name: [bit] for name, bit in zip(names, bits, strict=True)},
        }

    cells = {
        "first": cell(first_lut, carry_in, 10, 11, 12, 20),
        "second": cell(0x596A, 10, 13, 14, 15, 11 if reads_sum else 21),
    }
    return json.dumps({"modules": {"top": {"cells": cells}}})


def carries(netlist):
    cells = json.loads(ecp5_netlist.open_carries(netlist, top="top"))["modules"]["top"]["cells"]
    return cells["first"]["connections"]["CIN"], cells["second"]["connections"]["COUT"]


def test_a_chain_that_makes_its_own_carry_is_left_open():
    assert carries(chain(0)) == (["x"], ["x"])


@pytest.mark.parametrize(
    "netlist",
    [chain(0x596A), chain(0, carry_in=9), chain(0, reads_sum=True)],
    ids=["needs its carry", "carry of other logic", "shows its carry"],
)
def test_other_chains_stay_as_they_are(netlist):
    assert ecp5_netlist.open_carries(netlist, top="top") is netlist
