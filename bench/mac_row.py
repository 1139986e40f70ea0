"""Cells a MAC and the clock of rows alone, placed and routed on an ECP5 between shift registers."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from amaranth import Cat, Elaboratable, Module, Signal
from amaranth.back import rtlil

from tombola.spec.engine import EngineConfig
from tombola_boards.board import Family
from tombola_boards.ecp5_netlist import open_carries
from tombola_boards.report import parse_report
from tombola_boards.tools import find_tool
from tombola_hw.mac_row import MacRow
from tombola_hw.mac_row_ecp5 import Ecp5MacRow
from tombola_hw.stagger import Stagger

PACKAGES = {"25k": "CABGA381", "45k": "CABGA381", "85k": "CABGA756"}


class Harness(Elaboratable):
    """Rows whose inputs come from one pin each and whose sums are folded into one.

    `cells` are those that it takes itself, once elaborated.
    """

    def __init__(self, config: EngineConfig, row):
        self._config, self._row = config, row
        self.pins, self.pin, self.cells = Signal(8), Signal(), 0

    def elaborate(self, platform):
        m = Module()
        config, sums = self._config, []
        rows = [[self._row(config) for _ in range(config.rows)] for _ in range(config.pixels)]
        first = rows[0][0]
        activations = [
            self._late(m, self._shifted(m, 8 * config.lanes), first.activation_delays, 8)
            for _ in rows
        ]
        weights = [
            [
                self._late(m, self._shifted(m, config.lanes), first.weight_delays, 1)
                for _ in ("positive", "negative")
            ]
            for _ in range(config.rows)
        ]
        for pixel, word in zip(rows, activations, strict=True):
            for row, (positive, negative) in zip(pixel, weights, strict=True):
                m.submodules += row
                sums.append(Signal(config.accumulator_bits, reset_less=True))
                m.d.comb += [
                    row.port.activations.eq(word),
                    row.port.positive.eq(positive),
                    row.port.negative.eq(negative),
                    row.port.accumulate.eq(self.pins[1]),
                    row.port.clear.eq(self.pins[2]),
                    row.port.inside.eq(self.pins[3]),
                    row.port.extend.eq(self.pins[4]),
                ]
                m.d.sync += sums[-1].eq(row.port.total)
        bits = list(Cat(sums))
        while len(bits) > 1:
            level = []
            for at in range(0, len(bits), 4):
                level.append(Signal(reset_less=True))
                m.d.sync += level[-1].eq(Cat(bits[at : at + 4]).xor())
                self.cells += len(bits[at : at + 4]) > 1
            bits = level
        m.d.comb += self.pin.eq(bits[0])
        return m

    def _shifted(self, m, bits):
        # What comes from a pin of its own is not taken for the same as another one.
        self._pin = getattr(self, "_pin", None)
        source = self.pins[0] if self._pin is None else self._pin
        register = Signal(bits, reset_less=True)
        m.d.sync += register.eq(Cat(source, register))
        self._pin = register[-1]
        return register

    def _late(self, m, word, delays, lane_bits):
        m.submodules += (stagger := Stagger(delays, lane_bits=lane_bits))
        m.d.comb += stagger.word.eq(word)
        return stagger.staggered.as_value()


def measure(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Cells a MAC, flip-flops and the fastest clock."""
    rows, lanes, *pixels = (int(part) for part in options.geometry.split("x"))
    config = EngineConfig(
        rows=rows, lanes=lanes, pixels=(pixels or [1])[0], unsigned_sums=not options.portable
    )

    def row(config):
        if options.portable:
            return MacRow(config)
        return Ecp5MacRow(
            config, lanes_per_register=options.lanes, own_weights=config.pixels > 1
        )

    harness = Harness(config, row)
    design = rtlil.convert(harness, ports=[harness.pins, harness.pin], name="top")
    (folder / "top.il").write_text(design)
    script = "read_rtlil top.il; synth_ecp5 -top top; write_json top.json"
    yosys, nextpnr = find_tool("yosys").argv, find_tool("nextpnr-ecp5").argv
    subprocess.run([*yosys, "-q", "-p", script], cwd=folder, check=True)
    netlist = folder / "top.json"
    netlist.write_text(open_carries(netlist.read_text(), top="top"))
    subprocess.run(
        [*nextpnr, f"--{options.part}", "--speed", "6", "--package", PACKAGES[options.part],
         "--json", "top.json", "--report", "report.json", "--quiet", "--freq", "150",
         "--timing-allow-fail", "--lpf-allow-unconstrained", "--router", options.router],
        cwd=folder, check=True,
    )  # fmt: skip
    report = parse_report((folder / "report.json").read_text(), family=Family.ECP5)
    return {
        "cells_a_mac": round((report.used["lut4"] - harness.cells) / config.macs, 2),
        "flip_flops": report.used["ff"],
        "fmax_mhz": report.fmax_mhz,
    }


def main() -> None:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("geometry", help="ROWSxLANES or ROWSxLANESxPIXELS")
    parser.add_argument("--lanes", type=int, default=2, help="lanes a clock")
    parser.add_argument("--portable", action="store_true", help="the portable row")
    parser.add_argument("--part", choices=PACKAGES, default="25k")
    parser.add_argument("--router", default="router1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        json.dump({**vars(options), **measure(Path(folder), options)}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
