"""Descriptor, registers and their page: fields that do not collide, ranges that are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.page import DOCS

from tombola.spec import arithmetic, descriptor, mask_code, reference_page, registers
from tombola.spec.engine import FEATURES, EngineConfig
from tombola.spec.errors import ConfigError
from tombola.spec.start_state import MAX_WEIGHT_SET
from tombola.spec.weight_stream import DRAWS


def ranges(field: descriptor.Field) -> tuple[int, int]:
    if field.signed:
        return arithmetic.signed_range(field.bits)
    return 0, (1 << field.bits) - 1


FORMS = (
    descriptor.format_of(),
    descriptor.format_of(frozenset(FEATURES)),
    *(descriptor.format_of(frozenset({feature})) for feature in FEATURES),
)
FORMS = [
    descriptor.format_of(frozenset(features)) for features in ((), FEATURES, *zip(FEATURES))
]
EACH = pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(sorted(form.features)))
WHOLE = descriptor.format_of(frozenset(FEATURES))
ZEROS = {field.name: 0 for field in WHOLE.fields}


@st.composite
def described(draw: st.DrawFn) -> tuple[descriptor.Format, dict[str, int]]:
    form = draw(st.sampled_from(FORMS))
    return form, {field.name: draw(st.integers(*ranges(field))) for field in form.fields}


@given(described())
def test_descriptors_there_and_back(case):
    form, values = case
    words = form.pack(values)
    assert len(words) == form.words and all(0 <= word < 1 << 32 for word in words)
    assert form.unpack(words) == values


@EACH
def test_fields_neither_overlap_nor_straddle_words(form):
    taken = [0] * form.words
    for field in form.fields:
        word, low = form.places[field.name]
        mask = ((1 << field.bits) - 1) << low
        assert mask < 1 << 32 and not taken[word] & mask
        taken[word] |= mask
    assert len({field.name for field in form.fields}) == len(form.fields)
    assert all(taken)


@EACH
def test_the_engine_is_in_the_last_word(form):
    assert form.places["engine"][0] == form.words - 1


def test_every_feature_is_one_of_an_engine():
    assert {name for field in descriptor.FIELDS for name in field.feature.split()} <= set(FEATURES)
    assert EngineConfig().features == frozenset()
    full = {"pixels": 2, "planes": 3} | dict.fromkeys(FEATURES[2:], True)
    assert EngineConfig(**full).features == frozenset(FEATURES)


def test_a_field_is_where_the_table_says():
    for field in WHOLE.fields:
        word, low = WHOLE.places[field.name]
        top = (1 << field.bits) - 1
        words = WHOLE.pack({**ZEROS, field.name: -1 if field.signed else top})
        assert [w for w in words if w] == [top << low] and words[word] == top << low


@pytest.mark.parametrize("field", descriptor.FIELDS, ids=lambda field: field.name)
def test_values_out_of_range_are_refused(field):
    low, high = ranges(field)
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError) as caught:
            WHOLE.pack({**ZEROS, field.name: value})
        assert str(caught.value) == f"descriptor {field.name} must be {low} to {high}, not {value}"


def test_missing_and_unknown_fields_are_refused():
    with pytest.raises(ConfigError) as caught:
        WHOLE.pack({"zebra": 1, **{k: v for k, v in ZEROS.items() if k != "shift"}})
    assert str(caught.value) == "descriptor fields missing or unknown: shift, zebra"


def test_empty_memory_is_no_operation():
    assert WHOLE.unpack([0] * WHOLE.words)["operation"] not in set(descriptor.Operation)


def test_fields_hold_what_a_ticket_may_ask_for():
    ranged = {field.name: ranges(field) for field in descriptor.FIELDS}
    assert ranged["shift"][1] == arithmetic.MAX_SHIFT
    assert ranged["weight_set"][1] == MAX_WEIGHT_SET
    assert ranged["prune"][1] >= DRAWS and ranged["frozen"][1] >= DRAWS
    for bits in range(1, 9):
        for signed in (False, True):
            low, high = arithmetic.NumberType(bits=bits, signed=signed).range
            assert ranged["clamp_low"][0] <= low and high <= ranged["clamp_high"][1]
    assert mask_code.WORD == 32


def test_registers_have_names_and_addresses_of_their_own():
    names = [register.name for register in registers.REGISTERS]
    addresses = [register.address for register in registers.REGISTERS]
    assert len(set(names)) == len(names) and len(set(addresses)) == len(addresses)
    assert addresses == list(range(len(addresses)))  # no holes to decode
    assert dict(zip(names, addresses, strict=True)) == registers.ADDRESS
    assert {register.access for register in registers.REGISTERS} <= {"r", "w", "rw"}


def test_windows_do_not_overlap_and_fit_the_address():
    bases = [window.base for window in registers.Window]
    assert bases == [int(window) << 20 for window in registers.Window]
    assert max(bases) + (1 << registers.WINDOW_BITS) <= 1 << registers.ADDRESS_BITS
    assert max(registers.ADDRESS.values()) < 1 << registers.WINDOW_BITS
    assert 1 << descriptor.ADDRESS_BITS <= 1 << registers.WINDOW_BITS


def test_the_identity_spells_the_name():
    assert registers.IDENTITY.to_bytes(4, "big") == b"TOMB"
    assert len(set(registers.ErrorCode)) == len(registers.ErrorCode.__members__)
    assert max(registers.ErrorCode) < 256


def test_the_page_is_what_the_contract_says():
    written = (DOCS / "engine-reference.md").read_text(encoding="utf-8")
    assert written == reference_page.page(), (
        "run: python -m tombola.spec.reference_page > docs/engine-reference.md"
    )


@pytest.mark.parametrize("kind", [registers.Window, registers.ErrorCode])
def test_every_member_is_explained(kind):
    assert all(reference_page.meanings(kind).values())
