"""Whole engines with weights of several planes, in Amaranth's simulator, against the reference."""

from dataclasses import replace

import numpy as np
import pytest
from support import faults
from support.engine_layers import check_layers
from support.rich_ticket import rich_image, rich_ticket
from support.tickets import SIGNED, TicketBuilder

from tombola.compiler import compile_ticket
from tombola.spec.engine import EngineConfig
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Conv, Ticket, Window


def engine(rows: int, lanes: int, **more) -> EngineConfig:
    """A small engine of three planes."""
    sizes = {"construction": 8, "activation_words": 1024, "table_entries": 256, "weight_lines": 128,
             "planes": 3, "stored": True}
    return EngineConfig(rows=rows, lanes=lanes, **{**sizes, **more})


def mixed_codings() -> TicketBuilder:
    """One coat, several, stored weights of several widths; freezing, padding, signed values."""
    return (
        TicketBuilder((3, 5, 6), seed=2, type=SIGNED)
        .conv(7, (3, 3), window=Window(padding=(1, 1, 1, 1)), coding=Coding(coats=3),
              freeze=(60, 70), in_channels=3)
        .conv(5, (2, 3), window=Window(stride=(1, 2), padding=(0, 2, 1, 1)),
              coding=Coding(stored=4), in_channels=7, output=SIGNED)
        .max_pool((2, 2), Window(stride=(2, 1), padding=(1, 1, 1, 0)))
        .conv(37, (1, 1), freeze=(90, 0), in_channels=5)
        .conv(6, (2, 2), window=Window(padding=(1, 0, 1, 0)), coding=Coding(stored=2),
              in_channels=37)
        .conv(11, (4, 3), coding=Coding(coats=6), freeze=(90, 90), in_channels=6, logits=True)
    )  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [
        engine(8, 8, construction=32, activation_banks=2),
        *(pytest.param(config, marks=pytest.mark.slow) for config in (
            engine(3, 2, construction=4, planes=4, weight_lines=256),
            engine(4, 4, compact=True, activation_banks=2, count_bits=10, weight_lines=256),
            engine(5, 32, construction=16, planes=7),
            engine(1, 1, construction=1, weight_lines=1024, activation_words=2048),
        )),
    ],
    ids=lambda config: config.geometry,
)  # fmt: skip
def test_every_layer_equals_the_reference(config):
    check_layers(mixed_codings(), config, images=2, pipelined=config.rows == 8)


@pytest.mark.parametrize("coding", [Coding(coats=5), Coding(stored=4)], ids=repr)
def test_rows_of_any_length_pass_a_small_buffer(coding):
    """27 words of 96 lines each, those of padding included: far more than the buffer holds."""
    builder = TicketBuilder((70, 3, 3)).conv(
        5, (3, 3), coding=coding, in_channels=70, logits=True
    )
    config = engine(3, 1, construction=32, weight_lines=128)
    fields = compile_ticket(builder.build(), config).descriptors[0]
    assert fields["lines"] > 14 * config.weight_lines and fields["chunk_words"] == 1
    check_layers(builder, config)


def test_stored_weights_of_one_plane():
    builder = (
        TicketBuilder((5, 4, 3), type=SIGNED)
        .conv(6, (2, 2), coding=Coding(stored=2), in_channels=5)
        .conv(4, (3, 2), freeze=(30, 90), in_channels=6, logits=True)
    )
    check_layers(builder, engine(4, 4, planes=1))


class Folded(TicketBuilder):
    """A layer that runs three times, each time with another requantisation."""

    def build(self, *, checked: bool = True) -> Ticket:
        ticket = super().build(checked=checked)
        turns = [layer for layer in ticket.layers if isinstance(layer, Conv)][1:4]
        shared = tuple(replace(turn, mask=turns[0].mask) for turn in turns)
        used = sorted({0, turns[0].mask, len(ticket.masks) - 1})
        layers = tuple(
            replace(layer, mask=used.index(layer.mask))
            for layer in (ticket.layers[0], *shared, ticket.layers[4])
        )
        sets = tuple(ticket.weight_sets[index] for index in used)
        masks = tuple(
            replace(ticket.masks[index], weight_set=place) for place, index in enumerate(used)
        )
        return replace(ticket, layers=layers, masks=masks, weight_sets=sets)


@pytest.mark.parametrize("coding", [Coding(coats=1), Coding(coats=3)], ids=repr)
def test_a_folded_layer_replays_its_weights(coding):
    same = Window(padding=(1, 1, 1, 1))
    builder = Folded((4, 4, 5)).conv(6, (3, 3), window=same, in_channels=4)
    for _ in range(3):
        builder = builder.conv(6, (3, 3), window=same, coding=coding, freeze=(40, 60),
                               in_channels=6)  # fmt: skip
    builder = builder.conv(3, (4, 5), in_channels=6, logits=True)
    config = engine(4, 4, planes=coding.planes, stored=False)
    program = compile_ticket(builder.build(), config)
    assert len(program.ticket.masks) == 3
    assert len({fields["starts_base"] for fields in program.descriptors[1:4]}) == 1
    assert len({fields["table_base"] for fields in program.descriptors[1:4]}) == 3
    check_layers(builder, config)


class Rich:
    """Groups, depthwise, folded with a residual, rescaled; coats and stored weights."""

    def build(self) -> Ticket:
        return rich_ticket()

    def images(self, count: int) -> np.ndarray:
        return rich_image()


@pytest.mark.parametrize("pixels", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_with_everything_else_that_an_engine_may_have(pixels):
    config = engine(4, 4, planes=7, residual=True, grouped=True, packing=True, fused_pooling=True,
                    pixels=pixels, weight_lines=512)  # fmt: skip
    check_layers(Rich(), config)


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("mac_row", "weighted << 1", "weighted"),
    ("mac_row", "port.more, weighted << 1, 0", "port.more, weighted << 1, before"),
    ("mac", "accumulate & added.more & ~clear", "0"),
    ("fetch_loops", 'across & last["plane"]', "across"),
    ("bit_layers", "Mux(asking.first, drawn.locked, locked[:width])",
     "Mux(asking.first, drawn.locked, 0)"),
    ("bit_layers", "signs = Mux(stored, coming.index == 1, coming.first)", "signs = coming.first"),
    ("word_cutter", "Array(word.planes)[plane]", "Array(word.planes)[top - plane]"),
], ids=["doubling", "line kept", "one plane", "loop", "locked", "signs", "order"])
def test_a_fault_is_seen(monkeypatch, module, was, becomes):  # fmt: skip
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(mixed_codings(), engine(8, 8, construction=32))


def test_the_complement_counts_every_plane():
    """Negative weights of large magnitude and inputs of 0: what is missing is their whole sum."""
    builder = TicketBuilder((32, 1, 1)).conv(
        8, (1, 1), coding=Coding(stored=4), in_channels=32, logits=True
    )
    weights = builder.build().weights(0)
    assert np.minimum(weights, 0).sum() < -2 * (weights < 0).sum()
    for compact in (False, True):
        check_layers(builder, engine(8, 8, compact=compact), images=3)
