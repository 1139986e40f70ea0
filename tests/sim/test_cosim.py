"""Co-simulation of the stand-in engine: exact when it is right, precise about what is wrong."""

import json

import numpy as np
import pytest
from support.toy_engine import (
    CONFIG,
    Fault,
    ToyModel,
    ToyProgram,
    toy_images,
    write_engine,
)

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, ToolError
from tombola_sim import build, cxx, rtl
from tombola_sim.cosim import LOCATED, prove
from tombola_sim.report import Mismatch

SAMPLES = 6
IMAGES = toy_images(SAMPLES)


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    return rtl.load(write_engine(tmp_path_factory.mktemp("rtl")))


def run(design, program=None, **options):
    program = program or ToyProgram()
    return prove(program, ToyModel(), design, IMAGES, program.image_writes(IMAGES), **options)


def test_exact(design):
    report = run(design)
    assert report.exact
    assert report.to_json() == {
        "geometry": "4x4",
        "samples": SAMPLES,
        "values_compared": 4 * SAMPLES,
        "mismatches": 0,
        "wrong_samples": 0,
        "first_mismatches": [],
        "cycles_per_inference": 200,
        "macs_per_inference": 1600,
        "mac_utilisation": 0.5,
        "counters": {"busy_cycles": 190, "weight_stalls": 0, "output_stalls": 0},
        "simulated_cycles": report.simulated_cycles,
        "simulated_cycles_per_second": round(report.simulated_cycles_per_second),
        "seconds": round(report.simulation_seconds, 1),
        "processor_seconds": round(report.processor_seconds, 1),
    }
    assert report.simulated_cycles > SAMPLES * 200


def test_jobs_share_the_images(design):
    seen = []
    report = run(design, jobs=2, progress=seen.append)
    assert report.exact and report.samples == SAMPLES
    assert seen[-1] == SAMPLES and seen == sorted(seen)


def test_more_jobs_than_images(design):
    assert run(design, jobs=SAMPLES + 1).exact


def test_a_stopped_proof_goes_on_where_it_ended(design, tmp_path):
    kept, seen = tmp_path / "kept.npz", []

    def interrupt(done):
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(design, resume=kept, progress=interrupt)
    first = seen.pop()
    assert not seen
    assert 1 <= first < SAMPLES
    report = run(design, resume=kept, progress=seen.append)
    assert report.exact and report.samples == SAMPLES
    assert seen == list(range(first + 1, SAMPLES + 1))
    assert run(design, resume=kept, progress=seen.append).to_json() == report.to_json()
    assert seen[-1] == SAMPLES and len(seen) == SAMPLES - first  # nothing ran


def test_answers_that_are_kept_are_compared_like_new_ones(design, tmp_path):
    kept = tmp_path / "kept.npz"
    faulty = ToyProgram(fault=Fault.VALUE, target=3 << 8 | 2)
    before = run(design, faulty, resume=kept)
    assert before.wrong_samples == SAMPLES
    assert run(design, faulty, resume=kept).to_json() == before.to_json()


def test_answers_of_another_proof_are_refused(design, tmp_path):
    kept = tmp_path / "kept.npz"
    run(design, resume=kept)
    with pytest.raises(ConfigError) as caught:
        run(design, ToyProgram(fault=Fault.WINNER), resume=kept)
    assert str(caught.value) == (
        f"{kept} is of another co-simulation: its ticket, Verilog or images differ; name another "
        "file"
    )
    kept.write_bytes(b"PK")
    with pytest.raises(ConfigError) as caught:
        run(design, resume=kept)
    assert str(caught.value) == f"{kept} holds no answers of a co-simulation; name another"


def test_a_job_that_fails_ends_the_others(design):
    with pytest.raises(ToolError, match="engine hangs"):
        run(design, ToyProgram(fault=Fault.BUS_HANGS), jobs=2)


def test_dump(design, tmp_path):
    run(design, dump=tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        assert (file["images"] == IMAGES).all()
        assert (file["logits"] == ToyModel().logits(IMAGES)).all()
        assert (file["expected"] == file["logits"]).all()
        assert file["winners"].tolist() == [3] * SAMPLES


def test_wrong_value_is_traced_to_its_layer(design):
    byte = 41
    report = run(design, ToyProgram(fault=Fault.VALUE, target=1 << 8 | byte))
    assert not report.exact
    assert report.wrong_samples == SAMPLES
    assert report.wrong_values == 4 * SAMPLES
    assert len(report.mismatches) == LOCATED
    channel, y, x = np.unravel_index(byte, IMAGES.shape[1:])
    for image, mismatch in enumerate(report.mismatches):
        expected = int(ToyModel().tensors(IMAGES)[2][image, channel, y, x])
        assert mismatch == Mismatch(
            image=image, layer=1, channel=channel, y=y, x=x,
            expected=expected, got=(expected + 1) % 256,
        )  # fmt: skip
    assert str(report.mismatches[0]) == (
        "image 0, layer 1, channel 2, position (y 2, x 1): "
        f"expected {report.mismatches[0].expected}, got {report.mismatches[0].got}"
    )


def test_wrong_logit(design):
    report = run(design, ToyProgram(fault=Fault.VALUE, target=3 << 8 | 2))
    assert report.wrong_values == SAMPLES
    first = report.mismatches[0]
    assert (first.layer, first.channel, first.y, first.x) == (3, 2, 0, 0)
    assert first.got == first.expected + 1


def test_wrong_winner(design):
    report = run(design, ToyProgram(fault=Fault.WINNER))
    assert report.wrong_values == report.wrong_samples == SAMPLES
    assert str(report.mismatches[0]) == "image 0, winner: expected 3, got 1"


def test_wrong_once(design):
    report = run(design, ToyProgram(fault=Fault.ONCE, target=SAMPLES))
    assert report.wrong_samples == 1
    (mismatch,) = report.mismatches
    assert (mismatch.image, mismatch.layer, mismatch.reproduced) == (SAMPLES - 1, 3, False)
    assert str(mismatch).endswith("; right when the image runs again")


@pytest.mark.parametrize(
    "fault, target, message",
    [
        (Fault.RUN_HANGS, 0, "image 0: the engine did not finish within 22400 clocks"),
        (
            Fault.BUS_HANGS,
            0,
            "image 0: the engine hangs: its bus does not answer",
        ),
        (Fault.MUTE, 0, "image 0: the engine hangs: its bus does not answer"),
        (Fault.ERROR, 2, "image 0: the engine reports error 2 (operation)"),
        (Fault.ERROR, 99, "image 0: the engine reports error 99 (of no name)"),
        (Fault.NOT_DONE, 0, "image 0: the engine stopped without being done: status is 0x0"),
    ],
)
def test_faults_of_the_engine_are_one_line(design, fault, target, message):
    with pytest.raises(ToolError) as caught:
        run(design, ToyProgram(fault=fault, target=target))
    assert str(caught.value) == message


def test_edited_config_is_seen(tmp_path):
    folder = write_engine(tmp_path)
    edited = {**CONFIG.to_json(), "rows": 5}
    (folder / "design.json").write_text(json.dumps({"config": edited, "top": "tombola_engine"}))
    with pytest.raises(ToolError) as caught:
        run(rtl.load(folder), ToyProgram(config=EngineConfig(**edited)))
    assert str(caught.value) == (
        "the Verilog is not of the engine that design.json describes: register geometry must be "
        "0x40005, not 0x40004; generate it again: tombola rtl"
    )


@pytest.mark.parametrize("suffix, magic", [(".fst", b"\x00\x00"), (".vcd", b"$version")])
def test_waves(design, tmp_path, suffix, magic):
    headers = build.WAVE_HEADERS.get(suffix, ())
    if not cxx.has_headers(cxx.find(), headers):
        pytest.skip(f"headers {', '.join(headers)} are not installed")
    file = tmp_path / f"run{suffix}"
    assert run(design, waves=file).exact
    assert file.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"jobs": 0}, "jobs must be at least 1, not 0"),
        ({"jobs": 2, "waves": "x.vcd"}, "waves are of one simulation, so they want 1 job, not 2"),
        ({"resume": "x.npz", "waves": "x.vcd"},
         "waves are of a whole simulation, so they want none to resume"),
    ],
)  # fmt: skip
def test_wrong_options(design, options, message):
    with pytest.raises(ConfigError) as caught:
        run(design, **options)
    assert str(caught.value) == message


def test_no_images(design):
    with pytest.raises(ConfigError, match="co-simulation needs at least 1 image, not 0"):
        prove(ToyProgram(), ToyModel(), design, IMAGES[:0], [])
