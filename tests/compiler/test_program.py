"""Compiled programs: descriptors, images and the way back from memory words to tensors."""

from dataclasses import replace

import numpy as np
import pytest
from support.tickets import TicketBuilder, mixed_network

from tombola.compiler import compile_ticket
from tombola.spec import descriptor, mask_code, reference
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.mask_code import Coding
from tombola.spec.registers import Window
from tombola.spec.ticket import Conv, MaxPool
from tombola.spec.ticket import Window as KernelWindow

GEOMETRIES = ["1x1", "3x2", "4x16", "8x32"]


def small(*, logits: int = 4, **conv) -> TicketBuilder:
    """One linear layer over a 2x2 map of 3 channels."""
    return TicketBuilder((3, 2, 2)).conv(logits, (2, 2), in_channels=3, logits=True, **conv)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_descriptors_are_at_the_start_of_the_ticket_memory(geometry):
    program = compile_ticket(mixed_network().build(), EngineConfig.for_geometry(geometry))
    words = program.ticket_image[descriptor.FIRST :]
    form = program.config.descriptor
    for layer, fields in enumerate(program.descriptors):
        at = layer * form.words
        assert form.unpack(words[at : at + form.words].tolist()) == fields


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_channel_starts_point_at_the_channels_mask_bits(geometry):
    ticket = mixed_network().build()
    program = compile_ticket(ticket, EngineConfig.for_geometry(geometry))
    bits = np.unpackbits(program.ticket_image.astype("<u4").view(np.uint8), bitorder="little")
    for index, layer in enumerate(ticket.layers):
        if not isinstance(layer, Conv):
            continue
        base = program.descriptors[index]["starts_base"]
        _, starts = ticket.decoded[layer.mask]
        mask = ticket.masks[layer.mask].bits
        for channel in range(starts.size - 1):
            start = int(program.ticket_image[base + channel])
            count = int(starts[channel + 1] - starts[channel])
            expected = mask[starts[channel] : starts[channel + 1]]
            assert (bits[start : start + count] == expected).all()


def test_word_masks_say_which_positions_are_weights():
    ticket = mixed_network().build()
    program = compile_ticket(ticket, EngineConfig.for_geometry("4x4"))
    for index, layer in enumerate(ticket.layers):
        if not isinstance(layer, Conv):
            continue
        fields = program.descriptors[index]
        layout = ticket.weight_sets[ticket.masks[layer.mask].weight_set].layout
        words = [
            fields["tail_mask" if w % fields["period"] == fields["period"] - 1 else "word_mask"]
            for w in range(fields["row_words"])
        ]
        found = np.array(words, dtype="<u4").view(np.uint8)
        assert (np.unpackbits(found, bitorder="little") == layout.real()).all()


def test_table_gives_back_the_complement_and_the_half():
    ticket = mixed_network().build()
    program = compile_ticket(ticket, EngineConfig())
    for index, layer in enumerate(ticket.layers):
        base = program.descriptors[index]["table_base"]
        if isinstance(layer, MaxPool):
            # Maxima of signed activations come with 128 added.
            signed = program.tensors[layer.input].type.signed
            assert int(program.table_image[base]) == (2 << 48) - 128 if signed else 1 << 48
            continue
        table = ticket.requantisations[layer.requantisation]
        for channel in range(table.scale.size):
            entry = int(program.table_image[base + channel])
            scale = int(np.int16(entry >> 48 if entry >> 63 == 0 else (entry >> 48) - (1 << 16)))
            bias = entry & ((1 << 48) - 1)
            bias -= (bias >> 47) << 48
            negatives = 0
            if isinstance(layer, Conv):
                weights = ticket.weights(layer.mask)[channel]
                negatives = int(-weights[weights < 0].sum())
            half = (1 << table.shift) >> 1
            assert scale == table.scale[channel]
            assert bias == int(table.bias[channel]) + half + scale * negatives


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_words_of_a_tensor_are_read_back_as_they_were_written(geometry):
    builder = mixed_network()
    program = compile_ticket(builder.build(), EngineConfig.for_geometry(geometry))
    images = builder.images(3)
    for image, writes in zip(images, program.image_writes(images), strict=True):
        [(address, words)] = writes
        assert [(address, words.size)] == program.tensor_ranges(0)
        expected = reference.input_tensor(program.ticket, image[None])[0]
        assert (program.tensor_from_words(0, words) == expected).all()


def test_macs_count_every_weight_at_every_position():
    ticket = TicketBuilder((3, 8, 8)).conv(5, (3, 3), in_channels=3).conv(
        10, (6, 6), in_channels=5, logits=True
    ).build()
    program = compile_ticket(ticket, EngineConfig())
    assert program.macs == 5 * 27 * 36 + 10 * 5 * 36


def test_images_of_equal_size_may_have_another_shape():
    builder = TicketBuilder((12, 1, 1)).conv(3, (1, 1), in_channels=12, logits=True)
    program = compile_ticket(builder.build(), EngineConfig())
    flat = builder.images(1)
    [square] = program.image_writes(flat.reshape(1, 1, 3, 4))
    [plain] = program.image_writes(flat)
    assert (square[0][1] == plain[0][1]).all()


@pytest.mark.parametrize("banks", [1, 2])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_tensor_lies_on_one_that_is_still_read(geometry, banks):
    config = EngineConfig.for_geometry(geometry, activation_banks=banks)
    program = compile_ticket(mixed_network().build(), config)
    bank = config.activation_words // banks
    for layer in range(program.layer_count - 1):
        source, target = program.placements[layer], program.placements[layer + 1]
        assert target.end <= source.base or source.end <= target.base
        assert target.base // bank == (target.end - 1) // bank
        if banks == 2:
            assert source.base // bank != target.base // bank


def refused(ticket, **sizes) -> str:
    """The message with which a ticket is refused."""
    with pytest.raises(FitError) as caught:
        compile_ticket(ticket, EngineConfig(**{"rows": 4, "lanes": 4, **sizes}))
    return str(caught.value)


def test_what_does_not_fit_is_refused_with_need_and_stock():
    assert refused(small(coding=Coding(coats=3)).build()) == (
        "layer 0: planes of its weights needs 2 but the engine has 1; use one with more planes"
    )
    assert refused(small(coding=Coding(stored=2)).build()) == (
        "layer 0 has stored weights, which this engine does not run; "
        "use one that is made for stored weights"
    )
    seven = TicketBuilder((40, 1, 1)).conv(
        4, (1, 1), coding=Coding(coats=127), in_channels=40, logits=True
    )
    assert refused(seven.build(), lanes=1, planes=7, weight_lines=128) == (
        "layer 0: lines of the weight buffer needs 224 but the engine has 128; "
        "use more lanes or a deeper weight buffer"
    )
    assert refused(small(logits=17).build(), result_words=16) == (
        "results: logits needs 17 but the engine has 16; use a larger result memory"
    )
    assert refused(small(logits=17).build(), table_entries=16) == (
        "requantisation table: entries needs 17 but the engine has 16; use a larger table"
    )
    wide = TicketBuilder((64, 9, 9)).conv(4, (8, 8), in_channels=64, logits=True).build()
    assert refused(wide, weight_lines=512) == (
        "layer 0: lines of the weight buffer needs 1024 but the engine has 512; "
        "use more lanes or a deeper weight buffer"
    )
    assert refused(wide, weight_lines=1024, accumulator_bits=20) == (
        "layer 0: bits of a sum needs 21 but the engine has 20; "
        "use an engine with a wider accumulator"
    )
    assert refused(wide, weight_lines=1024, activation_words=1024) == (
        "activation memory: tensor 0 and those still read need 1296 words of 4 bytes but the "
        "engine has 1024; use an engine with more activation memory"
    )
    assert refused(wide, weight_lines=1024, ticket_words=256) == (
        "ticket memory: words of 32 bits needs 544 but the engine has 256; "
        "freeze more weights or use a larger ticket memory"
    )


def test_counts_beyond_those_of_the_engine_are_refused():
    wide = TicketBuilder((300, 1, 1)).conv(4, (1, 1), in_channels=300, logits=True).build()
    assert refused(wide, lanes=1, count_bits=8) == (
        "layer 0: inner is 300 but the engine counts below 256; use an engine with wider counts"
    )


def test_kernels_and_weight_sets_beyond_narrow_counts_are_refused():
    builder = TicketBuilder((1, 33, 1)).conv(4, (32, 1), in_channels=1)
    tall = builder.conv(3, (2, 1), in_channels=4, logits=True).build()
    assert refused(tall, count_bits=8) == (
        "layer 0: kernel_height is 32 but the engine counts below 32; "
        "use an engine with wider counts"
    )
    assert compile_ticket(tall, EngineConfig(count_bits=9)).descriptors[0]["kernel_height"] == 32
    ticket = small().build()
    far = replace(ticket, weight_sets=(replace(ticket.weight_sets[0], id=256),))
    assert refused(far, count_bits=8) == (
        "layer 0: weight_set is 256 but the engine counts below 256; "
        "use an engine with wider counts"
    )
    assert compile_ticket(far, EngineConfig()).descriptors[0]["weight_set"] == 256


def test_kept_weights_decide_where_all_are_too_many():
    wide = TicketBuilder((40, 9, 9)).conv(4, (8, 8), in_channels=40, logits=True).build()
    kept = int(np.abs(wide.weights(0)).reshape(4, -1).sum(axis=1).max())
    bits = (256 * kept - 1).bit_length() + 1
    assert bits < 21
    compile_ticket(wide, EngineConfig(weight_lines=512, lanes=8, accumulator_bits=bits))
    assert refused(wide, weight_lines=512, lanes=8, accumulator_bits=bits - 1) == (
        f"layer 0: bits of a sum needs {bits} but the engine has {bits - 1}; "
        "use an engine with a wider accumulator"
    )


@pytest.mark.parametrize("ends", ["high", "low"])
def test_totals_beyond_32_bits_are_refused_where_they_are_short(ends):
    builder = TicketBuilder((3, 4, 4)).conv(5, (3, 3), in_channels=3)
    ticket = builder.conv(4, (2, 2), in_channels=5, logits=True).build()
    table = ticket.requantisations[0]
    weights = ticket.weights(0).reshape(5, -1).astype(np.int64)
    added, taken = (np.where(weights * sign > 0, weights * sign, 0).sum(1) for sign in (1, -1))
    scale = table.scale.astype(np.int64)
    half = 1 << table.shift - 1 if table.shift else 0
    # The bias of channel 2 with which its largest or least total is the last one of 32 bits.
    sums = 255 * np.array([added, -taken])[:, 2] * scale[2]
    limit = (1 << 31) - 1 - sums.max() if ends == "high" else -(1 << 31) - sums.min()
    short = EngineConfig(rows=4, lanes=4, accumulator_bits=16, compact=True, short_totals=True)
    for beyond in (False, True):
        bias = table.bias.copy()
        bias[2] = limit - half + beyond * (1 if ends == "high" else -1)
        others = ticket.requantisations[1:]
        changed = replace(ticket, requantisations=(replace(table, bias=bias), *others))
        if not beyond:
            compile_ticket(changed, short)
            continue
        with pytest.raises(FitError) as caught:
            compile_ticket(changed, short)
        assert str(caught.value) == (
            "layer 0: bits of a scaled sum needs 33 but the engine has 32; "
            "use an engine without short totals"
        )
        compile_ticket(changed, replace(short, short_totals=False))


def test_a_layer_with_one_position_may_have_any_fan_in():
    long = TicketBuilder((64, 8, 8)).conv(4, (8, 8), in_channels=64, logits=True).build()
    program = compile_ticket(long, EngineConfig(rows=4, lanes=4, weight_lines=64))
    assert program.descriptors[0]["lines"] == 1024
    assert program.descriptors[0]["chunk_words"] == 4


def test_writes_bring_what_power_up_brings():
    program = compile_ticket(small().build(), EngineConfig())
    memories = {Window.TICKET: np.zeros(1 << 10, np.uint32), Window.TABLE: np.zeros(8, np.uint32)}
    for address, words in program.writes:
        memories[Window(address >> 20)][address & 0xFFFFF :][: words.size] = words
    held = program.power_up
    assert memories[Window.TICKET][: len(held.ticket)].tolist() == held.ticket
    assert memories[Window.TABLE].view(np.uint64).tolist() == held.table
    # The digest, which vouches for the rest, comes last.
    assert program.writes[-1][0] == Window.TICKET.base
    assert program.writes[-1][1].tolist() == program.digest.tolist()
    assert mask_code.pack(program.ticket.masks[0].bits).size <= 4 * program.ticket_image.size


def test_padding_larger_windows_still_place():
    builder = TicketBuilder((2, 5, 5)).conv(
        3, (3, 3), in_channels=2, window=KernelWindow(padding=(2, 2, 2, 2))
    ).conv(4, (7, 7), in_channels=3, logits=True)
    program = compile_ticket(builder.build(), EngineConfig(rows=2, lanes=2))
    assert program.descriptors[0]["first_y"] == -2
    assert program.descriptors[0]["out_height"] == 7


def test_a_map_of_few_channels_fills_the_lanes_of_the_linear_layer_that_alone_reads_it():
    builder = TicketBuilder((1, 28, 28)).conv(10, (28, 28), in_channels=1, logits=True)
    program = compile_ticket(builder.build(), EngineConfig(rows=8, lanes=16))
    assert program.descriptors[0]["lines"] == 49
    assert program.tensor_ranges(0)[0][1] == 28 * 28 // 4
    images = builder.images(1)
    [[(_, words)]] = program.image_writes(images)
    assert words.view(np.uint8).tolist() == images.ravel().tolist()
    expected = reference.input_tensor(program.ticket, images)[0]
    assert (program.tensor_from_words(0, words) == expected).all()
