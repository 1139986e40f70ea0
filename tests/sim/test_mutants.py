"""Faults built into the engine or its loader on purpose: co-simulation catches every one."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.tickets import TicketBuilder, mixed_network

import tombola_hw
from tombola.compiler import images
from tombola.spec import arithmetic, reference
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ToolError
from tombola.spec.ticket import Conv, Ticket
from tombola_sim.cosim import cosimulate

HARDWARE = Path(tombola_hw.__file__).parent
CONFIG = EngineConfig(
    rows=3,
    lanes=2,
    construction=4,
    accumulator_bits=18,
    weight_lines=128,
    activation_words=2048,
    ticket_words=1024,
    table_entries=128,
)
NARROW = EngineConfig(
    rows=4,
    lanes=2,
    construction=4,
    accumulator_bits=15,
    weight_lines=64,
    activation_words=256,
    ticket_words=256,
    table_entries=16,
)

# name: (file, what stands there, what stands there in the faulty engine)
FAULTS = {
    "sign flipped": (
        "mac_row.py",
        "Mux(positive, value, 0) | Mux(negative, ~value, 0)",
        "Mux(negative, value, 0) | Mux(positive, ~value, 0)",
    ),
    "mask shifted by one": (
        "mask_reader.py",
        "Cat(near, far) >> offset",
        "Cat(near, far) >> (offset + 1)",
    ),
    "freeze thresholds swapped": (
        "class_drawer.py",
        "freeze.prune.eq(self.layer.prune)",
        "freeze.prune.eq(self.layer.frozen - self.layer.prune)",
    ),
    "pool border taken for input": (
        "max_pool.py",
        "valid & step.inside[pixel] & (",
        "valid & (",
    ),
    "padding value not zero": (
        "mac_row.py",
        "Mux(port.inside, activation, 0)",
        "Mux(port.inside, activation, 255)",
    ),
    "LFSR tap": (
        "lfsr.py",
        "(STATE_BITS - tap) for tap in RECURRENCE)",
        "(STATE_BITS - tap) for tap in (0, 1, 3, 5))",
    ),
    "leap one step short": (
        "lfsr.py",
        "state.eq(Cat(window[self._count :]))",
        "state.eq(Cat(window[self._count - 1 : -1]))",
    ),
    "last partial group one channel short": (
        "fetch.py",
        "Mux(fewer, left, size) - 1",
        "Mux(fewer, left - 1, size) - 1",
    ),
    "stale weight buffer": (
        "weight_buffer.py",
        "m.d.sync += self.available.eq(read != commit)",
        "m.d.sync += self.available.eq(1)",
    ),
    "stride one column short": (
        "window_position.py",
        "by_x.eq(layer.stride_x)",
        "by_x.eq(layer.stride_x - 1)",
    ),
}


def faulty_rtl(folder: Path, config: EngineConfig, edits: list[tuple[str, str, str]]) -> Path:
    """Verilog of an engine whose hardware sources were edited; each text must be found once."""
    copy = folder / "sources" / "tombola_hw"
    shutil.copytree(HARDWARE, copy)
    for name, text, fault in edits:
        source = (copy / name).read_text()
        assert source.count(text) == 1, f"{name} no longer holds {text!r} once"
        (copy / name).write_text(source.replace(text, fault))
    script = (
        f"import sys; sys.path.insert(0, {str(copy.parent)!r})\n"
        "from pathlib import Path\n"
        "from tombola.spec.engine import EngineConfig\n"
        "from tombola_hw import generate\n"
        f"assert generate.__file__.startswith({str(copy)!r})\n"
        f"generate.write_rtl(EngineConfig(**{config.to_json()!r}), Path({str(folder / 'rtl')!r}))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    return folder / "rtl"


def caught(ticket: Ticket, rtl: Path, images: np.ndarray) -> bool:
    """Whether co-simulation finds a wrong value, or an engine that does not come to an end."""
    try:
        return cosimulate(ticket, rtl, images).wrong_values > 0
    except ToolError as error:
        return "cycles" in str(error) or "clocks" in str(error)


@pytest.fixture(scope="module")
def network():
    """A ticket that uses every path of the engine, and images for it."""
    builder = mixed_network()
    return builder.build(), builder.images(2)


@pytest.fixture(scope="module")
def sound_rtl(tmp_path_factory):
    """The engine as it is."""
    return faulty_rtl(tmp_path_factory.mktemp("sound"), CONFIG, [])


def test_the_sound_engine_is_exact(network, sound_rtl):
    assert not caught(network[0], sound_rtl, network[1])


@pytest.mark.parametrize("name", FAULTS)
def test_fault_in_the_engine_is_caught(name, network, tmp_path):
    assert caught(network[0], faulty_rtl(tmp_path, CONFIG, [FAULTS[name]]), network[1])


def test_accumulator_one_bit_short_is_caught(tmp_path):
    """The widest sums a ticket reaches need every bit of the accumulator."""
    ticket, images = widest_sums()
    sound = faulty_rtl(tmp_path / "sound", NARROW, [])
    assert not caught(ticket, sound, images)
    edit = (
        "mac_row.py",
        "following.eq(kept + line)",
        f"following.eq((kept + line)[:{NARROW.accumulator_bits - 1}].as_signed())",
    )
    assert caught(ticket, faulty_rtl(tmp_path / "short", NARROW, [edit]), images)


def widest_sums() -> tuple[Ticket, np.ndarray]:
    """A linear layer with a channel of many positive weights, and the image that drives it most."""
    for seed in range(50):
        builder = TicketBuilder((64, 1, 1), seed=seed)
        ticket = builder.conv(12, (1, 1), freeze=(0, 256), in_channels=64, logits=True).build()
        weights = ticket.weights(0)[:, :, 0, 0]
        channel = int((weights > 0).sum(axis=1).argmax())
        image = np.where(weights[channel] > 0, 255, 0).astype(np.uint8)[None]
        raw = int(255 * (weights[channel] > 0).sum() - (weights[channel] < 0).sum())
        if arithmetic.signed_bits(0, raw) == NARROW.accumulator_bits:
            return ticket, image
    raise AssertionError("no seed gives a sum wide enough")


def _edited_tables(change):
    """`images.table` with each layer's biases changed by what `change(ticket, layer)` says."""
    original = images.table

    def tables(ticket, tensors, config):
        bases, image = original(ticket, tensors, config)
        for base, layer in zip(bases, ticket.layers, strict=True):
            if isinstance(layer, Conv):
                delta = change(ticket, layer)
                entries = image[base : base + delta.size].astype(np.uint64)
                bias = (entries.astype(np.int64) + delta) & ((1 << 48) - 1)
                scale = (entries >> np.uint64(48)) << np.uint64(48)
                image[base : base + delta.size] = scale | bias.astype(np.uint64)
        return bases, image

    return tables


def _without_complement(ticket, layer):
    weights = ticket.decoded[layer.mask][0].astype(np.int64)
    scale = ticket.requantisations[layer.requantisation].scale.astype(np.int64)
    return -scale * np.where(weights < 0, -weights, 0).sum(axis=1)


def _without_half(ticket, layer):
    table = ticket.requantisations[layer.requantisation]
    return np.full(table.scale.size, -arithmetic.half(table.shift))


@pytest.mark.parametrize("fault", [_without_complement, _without_half])
def test_fault_in_the_loader_is_caught(fault, network, sound_rtl, monkeypatch):
    monkeypatch.setattr(images, "table", _edited_tables(fault))
    assert caught(network[0], sound_rtl, network[1])


def test_reference_and_expectation_do_not_move_with_the_loader(network, monkeypatch):
    before = reference.logits(*network)
    monkeypatch.setattr(images, "table", _edited_tables(_without_half))
    assert (reference.logits(*network) == before).all()
