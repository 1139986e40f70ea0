"""Whole engines in Amaranth's simulator, for each kind of layer, against the numpy reference."""

import pytest
from support import faults
from support.engine_layers import check_layers
from support.layer_kinds import (
    engine,
    grouped_network,
    packed_network,
    pooled_network,
    poolings_network,
    residual_network,
    tall_network,
)
from support.tickets import SIGNED, TicketBuilder

from tombola.compiler import compile_ticket, packing
from tombola.spec.errors import ConfigError, FitError
from tombola.spec.ticket import Residual, Window


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compact", [False, True], ids=["", "compact"])
def test_a_kernel_over_the_whole_map(channels, compact):
    builder = (
        TicketBuilder((channels, 5, 7), type=SIGNED)
        .conv(6, (5, 7), freeze=(30, 60), in_channels=channels)
        .conv(5, (1, 1), in_channels=6, logits=True)
    )
    check_layers(builder, engine(3, 4, compact=compact), images=2)
    check_layers(builder, engine(4, 16, weight_lines=64, compact=compact), images=2)


@pytest.mark.parametrize(
    "last", ["average", pytest.param("maximum", marks=pytest.mark.slow)]
)
def test_folded_layers_odd_windows_and_global_pooling(last):
    same = Window(padding=(1, 2, 1, 0))
    builder = (
        TicketBuilder((2, 7, 6))
        .conv(5, (4, 2), window=Window(stride=(1, 3), padding=(3, 0, 1, 1)), in_channels=2)
        .conv(5, (3, 3), window=same, freeze=(40, 70), in_channels=5)
        .conv(5, (3, 3), window=same, in_channels=5, same_mask_as=1, output=SIGNED)
        .conv(5, (3, 3), window=same, in_channels=5, same_mask_as=1)
    )
    assert len(builder.masks) == 2 and builder.layers[1].mask == builder.layers[3].mask
    whole = ((8, 2), Window(stride=(8, 2)))
    if last == "average":
        builder.average_pool(*whole, channels=5)
    else:
        builder.max_pool(*whole)
    check_layers(builder.conv(4, (1, 1), in_channels=5, logits=True), engine(3, 4))


@pytest.mark.parametrize(
    ("rows", "lanes", "channels", "more"),
    [
        (6, 16, 21, {"unsigned_sums": True}),  # averages of 4, maxima of 8, of 16 lanes
        (16, 8, 19, {"grouped": True}),
        pytest.param(3, 32, 33, {"pixels": 2, "unsigned_sums": True}, marks=pytest.mark.slow),
        pytest.param(1, 16, 18, {"grouped": True, "planes": 2}, marks=pytest.mark.slow),
        pytest.param(32, 16, 40, {"pixels": 4}, marks=pytest.mark.slow),
    ],
)
def test_poolings_part_by_part_of_a_word(rows, lanes, channels, more):
    check_layers(
        poolings_network(channels), engine(rows, lanes, **more), images=2, pipelined=True
    )


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("fetch_loops", "last.eq((part + size)[: len(part)] == 0)", "last.eq(1)"),
    ("mac", "mine[lane // summed] if", "1 if"),
    ("mac", "Mux(self.sums_lanes, 0, negative)", "negative"),
    ("max_pool", "Mux(counts, words[pixel]", "Mux(1, words[pixel]"),
], ids=["word", "lanes", "weights", "part"])  # fmt: skip
def test_a_fault_in_parts_of_a_word_is_seen(monkeypatch, module, was, becomes):
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(two_poolings(), engine(2, 16))


def test_poolings_of_lanes_that_weights_were_for():
    check_layers(two_poolings(), engine(2, 16))


def two_poolings() -> TicketBuilder:
    """An average behind a convolution, whose weights it must not see, and a maximum."""
    return (
        TicketBuilder((17, 2, 1), type=SIGNED)
        .conv(13, (1, 1), in_channels=17)
        .average_pool((2, 1), Window(padding=(1, 0, 0, 0)), channels=13)
        .max_pool((2, 1), Window())
        .conv(2, (1, 1), in_channels=13, logits=True)
    )


@pytest.mark.parametrize(
    ("rows", "lanes", "channels"),
    [(3, 4, 7), (5, 2, 5), *(
        pytest.param(*shape, marks=pytest.mark.slow)
        for shape in [(1, 1, 3), (3, 4, 16), (4, 4, 5), (8, 16, 7), (7, 8, 16), (2, 32, 5)]
    )],
)  # fmt: skip
def test_residuals(rows, lanes, channels):
    config = engine(rows, lanes, residual=True)
    check_layers(residual_network(channels), config, pipelined=rows != 5)


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("residual", "place + layer.residual_step", "place"),
    ("residual", "byte[-1] & layer.residual_signed", "byte[-1]"),
    ("residual", "head + (place.first & begun)", "head"),
    ("residual", "lane.eq(Mux(~place.first, following, Mux(place.new_group, successor, group)))",
     "lane.eq(Mux(~place.first, following, 0))"),
    ("residual", "left.eq(((group[:lane_bits] + self.count) >> lane_bits) + 1)",
     "left.eq((self.count >> lane_bits) + 1)"),
    ("scaler", "* self.residual_scale", "* self.residual_scale[:15]"),
], ids=["position", "sign", "stale word", "lane", "words", "scale"])  # fmt: skip
def test_a_fault_in_residuals_is_seen(monkeypatch, module, was, becomes):
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(residual_network(7), engine(3, 4, residual=True))


@pytest.mark.parametrize(
    ("rows", "lanes", "channels", "compact"),
    [(2, 8, 1, False), *(
        pytest.param(*shape, marks=pytest.mark.slow)
        for shape in [
            (1, 16, 3, True), (1, 32, 2, False), (2, 4, 1, True), (3, 16, 2, False),
        ]
    )],
)  # fmt: skip
def test_packed_convolutions(monkeypatch, rows, lanes, channels, compact):
    monkeypatch.setattr(packing, "saves", lambda *_: True)
    config = engine(rows, lanes, packing=True, compact=compact)
    builder = packed_network(channels)
    plan = compile_ticket(builder.build(), config).plan
    assert plan.steps[0].channel == 0 and len(plan.steps) > 3
    check_layers(builder, config)


@pytest.mark.slow
def test_packed_convolutions_pool_before_the_write(monkeypatch):
    monkeypatch.setattr(packing, "saves", lambda *_: True)
    config = engine(3, 16, packing=True, fused_pooling=True)
    plan = compile_ticket(pooled_network(3).build(), config).plan
    assert plan.steps[0].channel == 0 and plan.steps[6].pool == (2, 3)
    check_layers(pooled_network(3), config)


def test_packing_is_for_where_it_saves_clocks_and_memory_is_there():
    ticket = TicketBuilder((1, 14, 14)).conv(8, (5, 5), in_channels=1, logits=True).build()
    sizes = {"packing": True, "result_words": 1024}
    assert len(compile_ticket(ticket, engine(2, 8, **sizes)).plan.steps) == 26
    for config in (
        engine(32, 8, **sizes),
        engine(2, 1, **sizes),
        engine(2, 8, **sizes, activation_words=512),
        engine(2, 8, **{**sizes, "packing": False}),
    ):
        assert len(compile_ticket(ticket, config).plan.steps) == 1


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("placement", "layer.output_lane[:lane_bits]", "(layer.output_lane + 1)[:lane_bits]"),
    ("placement", "m.d.sync += group_lane.eq(now[:lane_bits])", "m.d.sync += group_lane.eq(0)"),
], ids=["first", "next"])  # fmt: skip
def test_a_fault_in_lanes_is_seen(monkeypatch, module, was, becomes):
    monkeypatch.setattr(packing, "saves", lambda *_: True)
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(packed_network(1), engine(2, 8, packing=True))


@pytest.mark.parametrize(
    ("rows", "lanes", "channels", "more"),
    [(3, 4, 3, {}), (1, 2, 2, {"compact": True}), *(
        pytest.param(*shape, marks=pytest.mark.slow)
        for shape in [(8, 4, 3, {}), (2, 1, 1, {}), (2, 8, 5, {"packing": True, "residual": True})]
    )],
)  # fmt: skip
def test_pooling_before_the_write(rows, lanes, channels, more):
    config = engine(rows, lanes, fused_pooling=True, **more)
    builder = pooled_network(channels)
    program = compile_ticket(builder.build(), config)
    assert [step.pool for step in program.plan.steps] == [(2, 3), (2, 1), (1, 1), (1, 1)]
    assert 1 not in program.placements
    check_layers(builder, config)


def test_only_what_a_pooling_alone_reads_is_pooled_before_the_write():
    config = engine(4, 4, fused_pooling=True, residual=True)
    same, pool = Window(padding=(1, 1, 1, 1)), Window(stride=(2, 2))

    def steps(builder: TicketBuilder) -> int:
        logits = {"in_channels": 4, "logits": True}
        return len(compile_ticket(builder.conv(3, (1, 1), **logits).build(), config).plan.steps)

    def conv(**more) -> TicketBuilder:
        return TicketBuilder((4, 4, 4)).conv(4, window=same, in_channels=4, **more)

    assert steps(conv().max_pool((2, 2), pool)) == 2
    assert steps(conv(residual=Residual(tensor=0, scale=5)).max_pool((2, 2), pool)) == 3
    assert steps(conv().max_pool((3, 2), pool)) == 3
    padded = Window(stride=(2, 2), padding=(0, 0, 1, 0))
    assert steps(conv().max_pool((2, 2), padded)) == 3
    twice = conv().max_pool((1, 1), Window())
    assert steps(twice.rescale(channels=4, residual=Residual(tensor=1, scale=5))) == 4


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("window_maximum", "fresh | (short > kept)", "short > kept"),
    ("window_maximum", "Mux(fresh, place.new_group, new_group)", "place.new_group"),
    ("window_position", "m.Elif(pool_row)", "m.Elif(0)"),
    ("window_position", "from_y.eq(row)", "from_y.eq(window_y)"),
], ids=["not reset", "group", "column", "row"])  # fmt: skip
def test_a_fault_in_pooling_before_the_write_is_seen(monkeypatch, module, was, becomes):
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(pooled_network(3), engine(3, 4, fused_pooling=True))


@pytest.mark.parametrize(
    ("rows", "lanes", "channels", "groups", "wider", "more"),
    [(3, 4, 10, 5, 3, {}), (4, 8, 16, 2, 5, {"planes": 2}), *(
        pytest.param(*shape, marks=pytest.mark.slow)
        for shape in [
            (8, 2, 16, 2, 4, {"compact": True}), (2, 16, 5, 5, 1, {"residual": True}),
            (5, 1, 6, 2, 7, {"fused_pooling": True}), (16, 32, 40, 20, 2, {}),
            (3, 4, 24, 2, 3, {"packing": True}),
        ]
    )],
)  # fmt: skip
def test_grouped_convolutions(rows, lanes, channels, groups, wider, more):
    config = engine(rows, lanes, grouped=True, ticket_words=16384, weight_lines=256, **more)
    check_layers(grouped_network(channels, groups, wider), config)


def test_rows_of_a_depthwise_convolution_run_at_once():
    ticket = TicketBuilder((32, 8, 8)).conv(32, in_channels=1, groups=32, logits=True).build()
    sizes = {"grouped": True, "result_words": 2048}
    [fields] = compile_ticket(ticket, engine(8, 16, **sizes)).descriptors
    assert (fields["groups"], fields["group_channels"], fields["lines"]) == (4, 8, 9)
    assert (fields["group_repeats"], fields["lane_step"]) == (2, 1)


def test_groups_that_begin_anywhere_in_a_word_are_refused():
    ticket = TicketBuilder((12, 4, 4)).conv(4, in_channels=6, groups=2, logits=True).build()
    with pytest.raises(FitError) as caught:
        compile_ticket(ticket, engine(4, 4, grouped=True))
    assert str(caught.value) == (
        "layer 0: the 6 input channels of a group must divide the 4 lanes or be a multiple of "
        "them; use an engine of other lanes"
    )
    with pytest.raises(FitError) as caught:
        compile_ticket(ticket, engine(4, 4))
    assert str(caught.value) == "layer 0 has groups; use an engine built with grouped"


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("lane_shifter", "self.lines.p.positive << lane", "self.lines.p.positive"),
    ("lane_shifter", "channel == self.layer.lane_channels", "channel == 1"),
    ("fetch_loops", "Mux(self._repeated(m), group_step, 0)", "group_step"),
    ("turn_control", "self.row + 1 == self.layer.group_channels", "full"),
], ids=["lane", "channels of a lane", "repeats", "rows"])  # fmt: skip
def test_a_fault_in_groups_is_seen(monkeypatch, module, was, becomes):
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(grouped_network(8, 4, 3), engine(3, 4, grouped=True))


@pytest.mark.parametrize(("make", "features"), [
    (lambda: pooled_network(3), {"fused_pooling": True}),
    pytest.param(tall_network, {"fused_pooling": True}, marks=pytest.mark.slow),
    pytest.param(lambda: grouped_network(8, 4, 3), {"grouped": True}, marks=pytest.mark.slow),
    pytest.param(lambda: packed_network(1), {"packing": True}, marks=pytest.mark.slow),
], ids=["pooled", "tall", "grouped", "packed"])  # fmt: skip
@pytest.mark.parametrize("pixels", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_kinds_with_several_pixels(monkeypatch, make, features, pixels):
    monkeypatch.setattr(packing, "saves", lambda *_: True)
    check_layers(make(), engine(3, 4, pixels=pixels, ticket_words=16384, **features))


@pytest.mark.parametrize("other", [{"compact": True}, {"activation_banks": 2}])
def test_residuals_want_one_bank_and_no_compact_engine(other):
    with pytest.raises(ConfigError) as caught:
        engine(3, 4, residual=True, **other)
    assert str(caught.value) == (
        "residual must be False in a compact engine and in one with two banks, not True"
    )
    with pytest.raises(FitError) as caught:
        compile_ticket(residual_network(3).build(), engine(3, 4, **other))
    assert str(caught.value) == "layer 0 adds a further tensor; use an engine built with residual"
