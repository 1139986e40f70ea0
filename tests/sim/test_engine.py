"""Whole networks on the Verilog of real engines, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from support.tickets import TicketBuilder, mixed_network

from tombola.compiler.program import compile_ticket
from tombola.model.integer import IntegerModel
from tombola.spec.engine import EngineConfig
from tombola_hw.generate import write_rtl
from tombola_sim import rtl
from tombola_sim.cosim import cosimulate, prove

SIZES = {"weight_lines": 64, "activation_words": 1024, "ticket_words": 2048, "table_entries": 128}
SAMPLES = 4


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """Folder of an engine by geometry, written once."""
    written = {}

    def folder(geometry):
        if geometry not in written:
            written[geometry] = tmp_path_factory.mktemp(geometry)
            write_rtl(EngineConfig.for_geometry(geometry, **SIZES), written[geometry])
        return written[geometry]

    return folder


@pytest.mark.parametrize("geometry", ["4x4", "3x8", "2x4x2"])
def test_every_feature(engines, geometry):
    network = mixed_network(seed=3)
    report = cosimulate(network.build(), engines(geometry), network.images(SAMPLES))
    assert report.exact, report.mismatches
    assert report.values_compared == SAMPLES * 11
    assert 0 < report.mac_utilisation < 1


def test_every_feature_on_a_compact_engine(tmp_path):
    config = EngineConfig(
        rows=5, lanes=4, construction=2, accumulator_bits=20, activation_banks=2, count_bits=9,
        layer_rams=3, compact=True, **SIZES,
    )
    write_rtl(config, tmp_path)
    network = mixed_network(seed=3)
    report = cosimulate(network.build(), tmp_path, network.images(SAMPLES))
    assert report.exact, report.mismatches


@pytest.mark.parametrize("layer, channel", [(0, 6), (1, 0), (4, 36), (6, 10)])
def test_first_wrong_layer_is_named(engines, layer, channel):
    network = mixed_network(seed=3)
    ticket, images = network.build(), network.images(SAMPLES)
    design = rtl.load(engines("4x4"))
    program = compile_ticket(ticket, design.config)

    # The model gets another bias in one channel of one layer: one that changes values.
    index = ticket.layers[layer].requantisation
    table = ticket.requantisations[index]
    bias = table.bias.copy()
    bias[channel] += np.int32(-1 if bias[channel] > 0 else 1) << min(table.shift + 6, 29)
    tables = list(ticket.requantisations)
    tables[index] = replace(table, bias=bias)
    other = IntegerModel(replace(ticket, requantisations=tuple(tables)))

    report = prove(program, other, design, images, list(program.image_writes(images)))
    assert not report.exact
    first = report.mismatches[0]
    expected = np.asarray(other.tensors(images)[layer + 1][first.image])
    got = np.asarray(IntegerModel(ticket).tensors(images)[layer + 1][first.image])
    wrong = np.argwhere(expected != got)[0].tolist()
    assert (first.layer, first.channel) == (layer, channel)
    assert [first.channel, first.y, first.x] == wrong
    assert (first.expected, first.got) == (expected[tuple(wrong)], got[tuple(wrong)])


def test_a_batch_on_an_engine_of_two_pixels(engines):
    builder = (
        TicketBuilder((1, 5, 4), seed=11)
        .conv(7, (5, 4), freeze=(50, 60), in_channels=1)
        .conv(5, (1, 1), in_channels=7, logits=True)
    )
    ticket, images = builder.build(), builder.images(5)
    alone = cosimulate(ticket, engines("2x4x2"), images)
    report = cosimulate(ticket, engines("2x4x2"), images, batch=3)
    assert report.exact and alone.exact
    assert report.values_compared == alone.values_compared == 25
    assert (report.winners == alone.winners).all()
    assert report.cycles_per_inference < alone.cycles_per_inference
    assert report.macs_per_inference == alone.macs_per_inference == 7 * 20 + 5 * 7

    # A model that is wrong about image 4 alone, which comes second in the second batch.
    class Other(IntegerModel):
        def tensors(self, given):
            tensors = list(super().tensors(given))
            if (given == images[4]).all():
                tensors[1] = tensors[1] + 1
            return tensors

        def logits(self, given):
            return np.asarray(super().logits(given)) + (np.arange(len(given)) == 4)[:, None]

    design = rtl.load(engines("2x4x2"))
    program = compile_ticket(ticket, design.config, batch=3)
    writes = list(program.image_writes(images))
    found = prove(program, Other(ticket), design, images, writes, batch=3)
    assert found.wrong_samples == 1
    assert [(x.image, x.layer, x.channel) for x in found.mismatches] == [(4, 0, 0)]
