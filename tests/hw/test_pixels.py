"""Engines of several pixels in Amaranth's simulator, layer by layer, against numpy."""

from dataclasses import replace

import pytest
from support import faults
from support.engine_layers import check_layers
from support.tickets import SIGNED, TicketBuilder

from tombola.compiler import compile_ticket
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError, FitError
from tombola.spec.mask_code import Coding
from tombola.spec.ticket import Residual, Window


def engine(geometry: str, **more) -> EngineConfig:
    """A small engine whose weights are built fast."""
    sizes = {
        "construction": 32, "activation_words": 256, "table_entries": 64, "weight_lines": 64,
        "ticket_words": 1024,
    }  # fmt: skip
    return EngineConfig.for_geometry(geometry, **{**sizes, **more})


def same(height: int, width: int) -> TicketBuilder:
    """3x3 with padding, twice, with a pooling between."""
    return (
        TicketBuilder((2, height, width), type=SIGNED)
        .conv(5, (3, 3), window=Window(padding=(1, 1, 1, 1)), freeze=(60, 70), in_channels=2)
        .max_pool((2, 2), Window(stride=(2, 2), padding=(0, 0, 1, 1)))
        .conv(4, (3, 3), window=Window(padding=(1, 1, 1, 1)), in_channels=5, output=SIGNED)
    )


def uneven() -> TicketBuilder:
    """Strides of 3, 1 and 2, windows beyond the map on one side, a valid one, an average."""
    return (
        TicketBuilder((3, 11, 4), seed=3)
        .conv(4, (4, 2), window=Window(stride=(3, 1), padding=(3, 0, 2, 1)), in_channels=3)
        .conv(3, (2, 3), window=Window(padding=(1, 2, 0, 0)), in_channels=4)
        .average_pool((3, 1), Window(stride=(2, 1), padding=(0, 0, 2, 0)), channels=3)
        .conv(6, (3, 2), in_channels=3)
    )


def parallel(builder: TicketBuilder, config: EngineConfig) -> list[int]:
    """Which steps run in parallel."""
    return [fields["parallel"] for fields in compile_ticket(builder.build(), config).descriptors]


@pytest.mark.parametrize("geometry", ["2x4x2", "3x2x8"])
def test_a_map_whose_sides_no_pixels_divide(geometry):
    builder = same(7, 5).conv(3, (4, 3), in_channels=4, logits=True)
    assert parallel(builder, engine(geometry)) == [1, 1, 1, 0]
    check_layers(builder, engine(geometry))


def test_a_map_that_pixels_divide_through_registers():
    builder = same(8, 8).conv(3, (4, 4), in_channels=4, logits=True)
    config = engine("4x8x4")
    assert parallel(builder, config) == [1, 1, 1, 0]
    check_layers(builder, config, images=2, pipelined=True)


@pytest.mark.parametrize("geometry", ["2x2x2", "4x1x4", "2x4x16"])
def test_uneven_windows(geometry):
    builder = uneven().conv(2, (1, 3), in_channels=6, logits=True)
    check_layers(builder, engine(geometry))


def test_a_map_of_one_position():
    builder = (
        TicketBuilder((9, 1, 1))
        .conv(7, (1, 1), in_channels=9)
        .conv(6, (3, 3), window=Window(padding=(1, 1, 1, 1)), in_channels=7)
        .conv(3, (1, 1), in_channels=6, logits=True)
    )
    check_layers(builder, engine("4x4x4"))


def test_layers_that_one_pixel_computes_before_and_behind_others():
    # 5 rows in 2 strips of 3; a window of 4 rows every 3 leaves 1 or 2, whose strips are of 1 row.
    builder = (
        TicketBuilder((2, 10, 3), seed=5)
        .max_pool((4, 1), Window(stride=(3, 1), padding=(0, 0, 1, 0)))
        .conv(9, (2, 3), window=Window(padding=(1, 1, 1, 1)), in_channels=2)
        .conv(5, (5, 1), window=Window(stride=(2, 1), padding=(4, 0, 1, 0)), in_channels=9)
        .conv(3, (1, 3), in_channels=5, logits=True)
    )
    config = engine("2x4x2")
    assert 0 in parallel(builder, config)[:-1]
    check_layers(builder, config)


def test_logits_of_several_positions():
    builder = TicketBuilder((2, 5, 4)).conv(
        3, (2, 2), window=Window(padding=(0, 1, 0, 0)), in_channels=2, logits=True
    )
    check_layers(builder, engine("2x2x4"))


@pytest.mark.parametrize(
    "changes", [{"compact": True}, {"activation_banks": 2}], ids=["compact", "two banks"]
)
def test_engines_of_one_pixel(changes):
    kind = {"compact": "a compact engine", "activation_banks": "an engine of two activation banks"}
    with pytest.raises(ConfigError) as error:
        replace(engine("2x4x2"), **changes)
    assert str(error.value) == f"pixels of {kind[next(iter(changes))]} must be 1, not 2"


def mixed() -> TicketBuilder:
    """Residuals in layers of every kind of walk, and weights of several planes."""
    padded = Window(padding=(1, 1, 1, 1))
    return (
        TicketBuilder((3, 5, 3), type=SIGNED, seed=7)
        .conv(3, (3, 3), window=padded, in_channels=3, residual=Residual(tensor=0, scale=900))
        .conv(3, (3, 3), window=padded, in_channels=3, coding=Coding(coats=3))
        .max_pool((3, 1), Window(stride=(2, 1), padding=(1, 0, 1, 0)))
        .conv(3, (3, 3), window=padded, in_channels=3, residual=Residual(tensor=3, scale=-800))
        .conv(4, (3, 3), in_channels=3, logits=True)
    )


@pytest.mark.parametrize("geometry", ["2x2x2", "2x4x4"])
def test_residuals_and_planes(geometry):
    check_layers(mixed(), engine(geometry, residual=True, planes=2, weight_lines=128))


def linear(shape: tuple[int, int, int]) -> TicketBuilder:
    """Three linear layers, the first over a map."""
    return (
        TicketBuilder(shape, seed=11)
        .conv(7, shape[1:], freeze=(50, 60), in_channels=shape[0])
        .conv(6, (1, 1), in_channels=7, output=SIGNED)
        .conv(5, (1, 1), in_channels=6, logits=True)
    )


@pytest.mark.parametrize(("geometry", "shape", "batch"), [
    ("2x4x2", (1, 5, 4), 3), ("4x2", (4, 3, 3), 2), ("2x4x4", (3, 2, 2), 4), ("2x2x8", (9, 1, 1), 5)
])  # fmt: skip
def test_a_batch_of_images_in_one_run(geometry, shape, batch):
    check_layers(linear(shape), engine(geometry), images=batch + 2, batch=batch)


def test_a_batch_wants_linear_layers():
    with pytest.raises(FitError) as error:
        compile_ticket(same(4, 4).conv(3, (2, 2), in_channels=4, logits=True).build(),
                       engine("2x4x2"), batch=2)
    assert str(error.value) == (
        "a batch needs linear layers alone, but tensor 0 is a map of 4x4 here; "
        "run its images one by one"
    )


@pytest.mark.parametrize(("module", "was", "becomes"), [
    ("stores", "turner.turn.eq(Mux(self.busy, self.turn, host_bank))",
     "turner.turn.eq(Mux(self.busy, self.turn + 1, host_bank))"),
    ("stores", "host_writes &= host_bank == bank", "host_writes &= 1"),
    ("turner", "memory.eq(self.turn + pixel)", "memory.eq(self.turn - pixel)"),
    ("strip_position", "ahead.eq(strip + pixel)", "ahead.eq(strip)"),
    ("strip_position", "((ahead == whole) & in_rest)", "(ahead == whole)"),
    ("strip_position", "self.row_ends.eq(next_row == layer.last_row)", "self.row_ends.eq(0)"),
    ("placement", "self.bank + ends", "self.bank"),
    ("placement", "Mux(ends, Mux(place.new_group, word, origin), next_word)", "next_word"),
    ("output", "Mux(self.layer.parallel, every, one)", "every"),
    ("mac", "row.port.inside.eq(inside[pixel])", "row.port.inside.eq(inside[0])"),
], ids=["turn", "host's bank", "direction", "strip", "rest", "wrap", "bank", "word", "serial",
        "inside"])  # fmt: skip
def test_a_fault_is_seen(monkeypatch, module, was, becomes):
    faults.build_in(monkeypatch, module, was, becomes)
    with pytest.raises(AssertionError):
        check_layers(walked_both_ways(), engine("2x4x4"))


def walked_both_ways() -> TicketBuilder:
    """A parallel layer, a serial one that reads the row beyond the map, and logits."""
    return (
        TicketBuilder((2, 7, 2), seed=5)
        .conv(3, (3, 2), window=Window(padding=(1, 0, 1, 1)), in_channels=2)
        .conv(3, (2, 1), window=Window(stride=(3, 1), padding=(0, 0, 1, 0)), in_channels=3)
        .conv(2, (3, 2), in_channels=3, logits=True)
    )


def test_a_parallel_layer_a_serial_one_and_logits():
    assert parallel(walked_both_ways(), engine("2x4x4")) == [1, 0, 0]
    check_layers(walked_both_ways(), engine("2x4x4"))
