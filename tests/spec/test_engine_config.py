"""Engine parameters: defaults, derived sizes, and every refusal with its message."""

import pytest

from tombola.spec.engine import EngineConfig
from tombola.spec.errors import ConfigError


def test_defaults_and_what_follows_from_them():
    config = EngineConfig()
    assert (config.geometry, config.macs, config.sum_channels) == ("8x8", 64, 8)
    assert EngineConfig(rows=3, lanes=16, compact=True).sum_channels == 16
    assert EngineConfig(rows=30, lanes=16).sum_channels == 30


@pytest.mark.parametrize(
    ("rows", "lanes", "maxima", "averages", "channels"),
    [(16, 32, 8, 16, 16), (3, 32, 8, 2, 8), (1, 1, 1, 1, 1), (32, 16, 8, 16, 32), (5, 4, 4, 4, 5)],
)
def test_channel_groups_of_poolings(rows, lanes, maxima, averages, channels):
    config = EngineConfig(rows=rows, lanes=lanes)
    assert (config.maximum_lanes, config.average_lanes) == (maxima, averages)
    assert [config.group_size(x) for x in (1, 2, 3)] == [rows, maxima, averages]
    assert config.sum_channels == channels
    compact = EngineConfig(rows=rows, lanes=lanes, compact=True)
    assert [compact.group_size(x) for x in (1, 2, 3)] == [rows, lanes, lanes]


def test_json_there_and_back():
    config = EngineConfig(rows=5, lanes=2, construction=4, activation_banks=2)
    assert EngineConfig(**config.to_json()) == config


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("rows", [1, 3, 8, 256])
def test_geometries_hold_64_kib_of_activations(rows, lanes):
    config = EngineConfig.for_geometry(f"{rows}x{lanes}")
    assert (config.rows, config.lanes) == (rows, lanes)
    assert config.activation_words * lanes == 1 << 16


def test_pixels_share_the_activations():
    config = EngineConfig.for_geometry("4x8x2")
    assert (config.geometry, config.macs, config.activation_words) == ("4x8x2", 64, 4096)
    assert EngineConfig.for_geometry("4x8x1") == EngineConfig.for_geometry("4x8")


def test_geometries_take_further_parameters():
    config = EngineConfig.for_geometry("4X2", activation_words=64, construction=1)
    assert (config.rows, config.lanes, config.activation_words, config.construction) == (
        4,
        2,
        64,
        1,
    )


@pytest.mark.parametrize("geometry", ["", "8", "8x", "x8", "8x8x8x8", "axb", "8*8", "8.0x8"])
def test_geometries_of_another_form_are_refused(geometry):
    with pytest.raises(ConfigError) as caught:
        EngineConfig.for_geometry(geometry)
    assert str(caught.value) == (
        f"geometry must be ROWSxLANES or ROWSxLANESxPIXELS such as 8x8, not {geometry}"
    )


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ("0x8", "rows must be between 1 and 256, not 0"),
        ("8x0", "lanes must be a power of two up to 32, not 0"),
        ("8x-4", "lanes must be a power of two up to 32, not -4"),
        ("8x12", "lanes must be a power of two up to 32, not 12"),
        ("8x64", "lanes must be a power of two up to 32, not 64"),
        ("8x8x0", "pixels must be a power of two up to 32, not 0"),
        ("8x8x3", "pixels must be a power of two up to 32, not 3"),
    ],
)
def test_impossible_geometries_are_refused(geometry, message):
    with pytest.raises(ConfigError) as caught:
        EngineConfig.for_geometry(geometry)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 257}, "rows must be between 1 and 256, not 257"),
        ({"construction": 3}, "construction must be a power of two up to 32, not 3"),
        ({"construction": 64}, "construction must be a power of two up to 32, not 64"),
        ({"accumulator_bits": 11}, "accumulator_bits must be between 12 and 32, not 11"),
        ({"accumulator_bits": 33}, "accumulator_bits must be between 12 and 32, not 33"),
        ({"activation_banks": 3}, "activation_banks must be 1 or 2, not 3"),
        (
            {"compact": True, "unsigned_sums": True},
            "unsigned_sums must be False with compact",
        ),
        *(
            (
                {"short_totals": True, **others},
                "short_totals must be False but in a compact engine of accumulator_bits 16 or less",
            )
            for others in ({"accumulator_bits": 16}, {"compact": True, "accumulator_bits": 17})
        ),
    ],
)
def test_values_out_of_range_are_refused(changes, message):
    with pytest.raises(ConfigError) as caught:
        EngineConfig(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("weight_lines", 64),
        ("table_entries", 16),
        ("result_words", 16),
    ],
)
def test_memories_are_powers_of_two_within_their_addresses(name, least):
    EngineConfig(**{name: least})
    EngineConfig(**{name: 1 << 20})
    for value in (0, least // 2, least + 1, 1 << 21, -least):
        with pytest.raises(ConfigError) as caught:
            EngineConfig(**{name: value})
        assert str(caught.value) == (
            f"{name} must be a power of two between {least} and 1048576, not {value}"
        )


@pytest.mark.parametrize(("name", "least"), [("activation_words", 16), ("ticket_words", 64)])
def test_large_memories_have_almost_any_depth(name, least):
    for value in (least, 3 * least, 1 << 20):
        assert getattr(EngineConfig(**{name: value}), name) == value
    for value in (0, least // 2, least + 1, (1 << 20) + least, -least):
        with pytest.raises(ConfigError) as caught:
            EngineConfig(**{name: value})
        assert str(caught.value) == (
            f"{name} must be a multiple of {least} between {least} and 1048576, not {value}"
        )


def test_two_banks_are_as_deep_as_an_address_bit_can_tell():
    with pytest.raises(ConfigError, match=r"^activation_words must be a power of two between "):
        EngineConfig(activation_words=48, activation_banks=2)
    assert EngineConfig(ticket_words=192, activation_banks=2).ticket_words == 192


@pytest.mark.parametrize("value", [True, 8.0, "8", None])
def test_parameters_of_another_kind_are_a_type_error(value):
    with pytest.raises(TypeError) as caught:
        EngineConfig(rows=value)
    assert str(caught.value) == f"rows must be an int, not {value!r}"


def test_narrow_counts_are_narrower_still_for_kernels():
    fields = {field.name: field for field in EngineConfig().descriptor.fields}
    usual, narrow = EngineConfig(), EngineConfig(count_bits=8)
    names = ("inner", "kernel_width", "weight_set")
    assert [usual.count_width(fields[name]) for name in names] == [16, 16, 24]
    assert [narrow.count_width(fields[name]) for name in names] == [8, 5, 8]
    assert (usual.small_bits, narrow.small_bits) == (16, 5)
