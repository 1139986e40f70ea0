"""Synthesis is told of reads that never meet a write, and only of those that have a clock."""

import subprocess

import pytest
from amaranth import Elaboratable, Module, Signal
from amaranth.back import rtlil
from amaranth.lib.memory import Memory

from tombola_boards.flow import without_collisions
from tombola_boards.tools import find_tool


class Words(Elaboratable):
    """A memory that is read with and without a clock."""

    def __init__(self):
        self.address, self.word, self.write = Signal(3), Signal(8), Signal()
        self.early, self.late = Signal(8), Signal(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=8, init=[])
        early, late = memory.read_port(domain="comb"), memory.read_port()
        writer = memory.write_port()
        m.d.comb += [port.addr.eq(self.address) for port in (early, late, writer)]
        m.d.comb += [
            writer.data.eq(self.word),
            writer.en.eq(self.write),
            self.early.eq(early.data),
            self.late.eq(late.data),
        ]
        return m


@pytest.fixture(scope="module")
def netlist():
    words = Words()
    ports = [words.address, words.word, words.write, words.early, words.late]
    return without_collisions(rtlil.convert(words, ports=ports, name="top", emit_src=False))


def test_only_reads_with_a_clock(netlist):
    reads = [part.partition("connect")[0] for part in netlist.split("cell $memrd_v2")[1:]]
    assert len(reads) == 2
    for read in reads:
        assert (r"\COLLISION_X_MASK 1'1" in read) == (r"\CLK_ENABLE 1" in read)
    assert sum(r"\COLLISION_X_MASK 1'1" in read for read in reads) == 1


def test_synthesis_takes_it(netlist, tmp_path):
    (tmp_path / "top.il").write_text(netlist)
    yosys = find_tool("yosys").argv
    script = "read_rtlil top.il; synth_ecp5 -top top -noabc9"
    subprocess.run([*yosys, "-q", "-p", script], cwd=tmp_path, check=True)
