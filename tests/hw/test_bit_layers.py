"""Weights of several planes: their construction against the decoded weights of random masks."""

import pytest
from hw.test_constructor import build, check, weight_set
from hypothesis import given, settings
from hypothesis import strategies as st
from support import faults
from support.weights import WeightCase

from tombola.spec.engine import EngineConfig
from tombola.spec.mask_code import Coding
from tombola_hw.bit_layers import BitLayers, weight_word_layout
from tombola_hw.interfaces import line_layout
from tombola_hw.word_cutter import WordCutter

CODINGS = [
    *(Coding(coats=coats) for coats in (2, 3, 5, 7, 15, 127)),
    *(Coding(stored=bits) for bits in range(2, 9)),
]


def engine_of(coding: Coding, **sizes) -> EngineConfig:
    """The smallest engine of some sizes that has the planes."""
    usual = {"rows": 3, "lanes": 4, "construction": 4, "ticket_words": 1024, "weight_lines": 256}
    stored = coding.stored is not None
    return EngineConfig(**{**usual, "planes": coding.planes, "stored": stored, **sizes})


def case_of(coding: Coding, channels: int, **shape) -> WeightCase:
    """A random mask; if it is not stored, over weights of which some are frozen."""
    frozen = {"prune": 0, "lock": 0} if coding.stored else {}
    return WeightCase(weight_set(channels, **{**frozen, **shape}), coding=coding, density=0.7)


@pytest.mark.parametrize("core", [BitLayers, WordCutter])
def test_wrong_init(core):
    with pytest.raises(TypeError) as error:
        core(4)
    assert str(error.value) == f"{core.__name__} config must be an EngineConfig, not 4"


def test_init():
    config = engine_of(Coding(coats=7), lanes=8)
    assert BitLayers(config).words.payload.shape() == weight_word_layout(config)
    assert WordCutter(config).lines.payload.shape() == line_layout(config)


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
def test_every_coding_under_stalls(coding):
    for construction, lanes in ((8, 4), (32, 16)):
        config = engine_of(coding, construction=construction, lanes=lanes)
        check(config, case_of(coding, 5), take=0.7)


@pytest.mark.parametrize("construction", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_every_width_and_lane_count(construction, lanes):
    for coding in (Coding(coats=3), Coding(stored=4)):
        config = engine_of(coding, construction=construction, lanes=lanes, rows=2)
        check(config, case_of(coding, 9, out=3, kernel=(1, 3)), take=0.8)


@pytest.mark.parametrize("construction", [1, 8, 32])
@pytest.mark.parametrize("coding", [Coding(coats=3), Coding(stored=3)], ids=repr)
def test_rows_continue_after_the_other_rows_had_their_turn(construction, coding):
    config = engine_of(coding, construction=construction)
    case = case_of(coding, 70, out=5, kernel=(1, 2))
    for chunk_words in (1, 2):
        check(config, case, chunk_words=chunk_words, take=0.8)


@pytest.mark.parametrize("prune, lock", [(0, 0), (256, 0), (0, 256), (100, 156), (1, 0), (0, 1)])
def test_locked_weights_are_kept_by_all_coats(prune, lock):
    coding = Coding(coats=6)
    config = engine_of(coding, construction=16)
    check(config, case_of(coding, 20, prune=prune, lock=lock))


def test_layers_of_any_coding_one_after_the_other():
    config = engine_of(Coding(stored=6), construction=8, rows=2, lanes=8)
    codings = [Coding(coats=1), Coding(stored=6), Coding(coats=31), Coding(stored=2)]
    channels = (3, 12, 40, 7)
    cases = [case_of(coding, count) for coding, count in zip(codings, channels, strict=True)]
    made, _ = build(config, cases, take=0.9)
    assert made == [case.lines(config) for case in cases]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_any_layer_on_any_engine(data):
    coding = data.draw(st.sampled_from(CODINGS[:11]))
    stored = coding.stored is not None
    config = EngineConfig(
        rows=data.draw(st.integers(1, 4)),
        lanes=1 << data.draw(st.integers(0, 5)),
        construction=1 << data.draw(st.integers(0, 5)),
        planes=data.draw(st.integers(coding.planes, 7)),
        stored=stored or data.draw(st.booleans()),
        ticket_words=1024,
        weight_lines=256,
    )
    prune = 0 if stored else data.draw(st.integers(0, 256))
    case = case_of(
        coding,
        data.draw(st.integers(1, 40)),
        out=data.draw(st.integers(1, 4)),
        kernel=(1, data.draw(st.integers(1, 2))),
        prune=prune,
        lock=0 if stored else data.draw(st.integers(0, 256 - prune)),
    )
    chunk = data.draw(st.integers(1, case.weight_set.layout.words))
    check(config, case, chunk_words=chunk, take=data.draw(st.sampled_from([0.5, 0.9, 1.0])))


WAIT = {1: 1, 2: 1, 4: 1, 8: 2, 16: 4, 32: 4}
"""Clocks from a step's mask bits to the step that needs what came of them."""


@pytest.mark.parametrize("construction", WAIT)
@pytest.mark.parametrize("coding", [Coding(coats=3), Coding(stored=4)], ids=repr)
def test_clocks_of_a_word(construction, coding):
    """Coats wait for the one before; of stored weights only the signs do, for the mask."""
    config = engine_of(coding, rows=1, lanes=32, construction=construction)
    clocks = [check(config, case_of(coding, 32 * words, out=1, kernel=(1, 1))) for words in (4, 12)]
    steps = 32 // construction
    waiting = max(steps, WAIT[construction])
    if coding.coats is not None:
        word = (coding.coats - 1) * waiting + steps
    else:
        word = waiting + (coding.planes + 1) * steps
    found = (clocks[1] - clocks[0]) / 8
    assert word <= found <= word + 1


FAULTS = {
    "coats in the wrong order": (
        "bit_layers", "ask.searchable.eq(Mux(asking.first, drawn.searchable, bits",
        "ask.searchable.eq(Mux(asking.first, drawn.searchable, ~bits",
    ),
    "a locked weight counts once": (
        "bit_layers", "Mux(asking.first, drawn.locked, locked[:width])",
        "Mux(asking.first, drawn.locked, 0)",
    ),
    "sign and mask swapped": (
        "bit_layers", "signs = Mux(stored, coming.index == 1, coming.first)",
        "signs = coming.first",
    ),
    "least significant plane first": (
        "word_cutter", "Array(word.planes)[plane]", "Array(word.planes)[top - plane]",
    ),
    "magnitude bits reversed": (
        "bit_layers", "for plane in word.planes:", "for plane in reversed(list(word.planes)):",
    ),
    "a bit taken before it is there": (
        "bit_layers", "free | (ahead < steps)", "free | (ahead <= steps)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(monkeypatch, fault):
    faults.build_in(monkeypatch, *FAULTS[fault])

    def seen(coding):
        config = engine_of(coding, construction=32, lanes=8)
        case = case_of(coding, 20)
        with pytest.raises(AssertionError):
            check(config, case)
        return True

    stored = fault.startswith(("sign", "magnitude"))
    assert seen(Coding(stored=5) if stored else Coding(coats=3))
