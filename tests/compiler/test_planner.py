"""Planned engines: memories that just hold a ticket, and the freezing that would make it fit."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tombola.compiler import compile_ticket
from tombola.compiler.area import ECP5, Area
from tombola.compiler.freezing import mask_words
from tombola.compiler.needs import measure
from tombola.compiler.planner import choose
from tombola.compiler.room import LEAST, MEMORY_FIELDS, NoRoomError, Target, with_memories
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.mask_code import Coding
from tombola.suite.recipe import Recipe
from tombola.suite.sample import sample

STEP = 1 / 256


def part(*, block_ram, lut4=24_000):
    """An ECP5 with so many block RAMs."""
    capacity = Area(lut4=lut4, ff=lut4, block_ram=block_ram, dsp=28, spram=0)
    base = EngineConfig(rows=8, lanes=16, construction=16, unsigned_sums=True)
    return Target(name="part", base=base, capacity=capacity, model=ECP5, clock_hz=80_000_000)


@pytest.mark.parametrize("network", ["digits-cnn", "fmnist-cnn", "fmnist-mlp"])
def test_memories_are_as_deep_as_the_ticket_needs_and_no_deeper(network):
    ticket = sample(network)
    program, needs = measure(ticket, EngineConfig(rows=4, lanes=8))
    config = with_memories(replace(program.config), needs)
    compile_ticket(ticket, config)
    for name, field in MEMORY_FIELDS.items():
        depth = getattr(config, field)
        less = depth - LEAST[name] if field in config.free_depths else depth // 2
        if less < LEAST[name] or not needs["weights"].parts:
            continue
        with pytest.raises(FitError):
            compile_ticket(ticket, replace(config, **{field: less}))


def test_needs_are_the_sum_of_their_parts():
    ticket = sample("fmnist-cnn")
    program, needs = measure(ticket, EngineConfig(rows=4, lanes=8))
    for name in ("activations", "ticket", "table"):
        assert sum(words for _, words in needs[name].parts) == needs[name].words, name
    assert needs["weights"].words == max(words for _, words in needs["weights"].parts)
    assert needs["results"].words == 10
    assert needs["ticket"].bits == 32 * program.ticket_image.size


def test_a_ticket_that_is_frozen_more_has_the_words_that_are_foretold():
    plain, words = sample("digits-cnn", seed=5), mask_words(sample("digits-cnn", seed=5))
    assert words[0] == sum(-(-mask.bits.size // 32) for mask in plain.masks)
    for count in (1, 100, 179, 256):
        frozen = sample("digits-cnn", seed=5, recipe=Recipe(frozen=count * STEP))
        assert words[count] == sum(-(-mask.bits.size // 32) for mask in frozen.masks)
        assert (mask_words(frozen) == words).all()


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 2**64 - 1),
    block_ram=st.integers(23, 28),
    frozen=st.sampled_from([0.0, 0.05]),
    coats=st.sampled_from([1, 1, 2]),
)
def test_a_sample_just_below_the_ratio_is_refused_and_at_it_fits(seed, block_ram, frozen, coats):
    target = part(block_ram=block_ram)

    def refusal_at(ratio):
        recipe = Recipe(frozen=ratio, coding=Coding(coats=coats))
        try:
            choose(sample("fmnist-mlp", seed=seed, recipe=recipe), target, geometry="8x16")
        except NoRoomError as refusal:
            return refusal
        return None

    refusal = refusal_at(frozen)
    assert refusal is not None
    assert refusal.memory == "ticket"
    assert refusal.need_bits > refusal.have_bits
    ratio = refusal.frozen_to_fit
    assert frozen < ratio <= 1
    # How many bits coats take is foretold by the ratio they have now, which is nearly right.
    assert refusal_at(ratio if coats == 1 else ratio + STEP) is None
    assert refusal_at(ratio - STEP if coats == 1 else ratio - 2 * STEP) is not None


def test_the_least_freezing_is_named_in_the_error():
    # 268,800 mask bits, and block RAM for less.
    with pytest.raises(NoRoomError) as caught:
        choose(sample("fmnist-mlp"), part(block_ram=24))
    refusal = caught.value
    need = measure(sample("fmnist-mlp"), EngineConfig())[1]["ticket"].bits
    assert (refusal.memory, refusal.need_bits) == ("ticket", need)
    assert 268_800 < need < 300_000
    assert 0.1 < refusal.frozen_to_fit < 0.4
    assert str(refusal) == (
        f"ticket memory must have {need} bits for this ticket, not {refusal.have_bits} as "
        f"part leaves for it; freeze {refusal.frozen_to_fit:.4f} of the weights or use a larger "
        "part"
    )


def test_stored_weights_cannot_be_frozen():
    with pytest.raises(FitError) as caught:
        choose(sample("fmnist-mlp", recipe=Recipe(coding=Coding(stored=4))), part(block_ram=24))
    assert getattr(caught.value, "frozen_to_fit", None) is None


def test_activations_that_are_too_many_are_no_matter_of_freezing():
    with pytest.raises(NoRoomError) as caught:
        choose(sample("fmnist-cnn"), part(block_ram=12))
    refusal = caught.value
    assert (refusal.memory, refusal.frozen_to_fit) == ("activations", None)
    assert refusal.need_bits > refusal.have_bits
    assert str(refusal) == (
        f"activation memory must have {refusal.need_bits} bits for this ticket, not "
        f"{refusal.have_bits} as part leaves for it; use a larger part"
    )


def test_the_fastest_engine_that_fits_or_the_smallest_that_is_fast_enough():
    ticket, target = sample("digits-cnn"), part(block_ram=56)
    fastest = choose(ticket, target)
    assert compile_ticket(ticket, fastest.config).cycles == fastest.cycles
    assert fastest.area.block_ram <= 56
    assert fastest.area.lut4 <= 0.9 * 24_000
    small = choose(ticket, target, fps=1000)
    assert small.cycles <= 80_000
    assert small.area.lut4 < fastest.area.lut4
    with pytest.raises(FitError, match=r"^fps must be at most \d+\.\d, as the fastest engine"):
        choose(ticket, target, fps=1e6)


def test_a_board_whose_engines_lack_a_feature():
    target = part(block_ram=56)
    target = replace(target, base=replace(target.base, compact=True, unsigned_sums=False))
    with pytest.raises(FitError, match=r"^no engine on part runs this ticket: residual must be "):
        choose(sample("resnet8"), target, geometry="4x8")


def test_one_geometry():
    ticket = sample("digits-cnn")
    choice = choose(ticket, part(block_ram=56), geometry="4x8")
    assert choice.config.geometry == "4x8"
    with pytest.raises(FitError) as caught:
        choose(ticket, part(block_ram=56), geometry="64x32")
    assert str(caught.value).startswith(
        "geometry must leave room: an engine of 64x32 needs some "
    )


def test_a_few_clocks_are_not_worth_a_wider_construction():
    ticket, target = sample("conv64"), part(block_ram=56)
    choice = choose(ticket, target, geometry="8x16")
    wider = replace(choice.config, construction=2 * choice.config.construction)
    assert choice.config.unsigned_sums
    assert compile_ticket(ticket, wider).cycles > 0.99 * choice.cycles
    assert ECP5.estimate(wider).lut4 > choice.area.lut4


def test_an_engine_with_more_multipliers_than_the_part_has():
    target = part(block_ram=56)
    few = replace(target, capacity=replace(target.capacity, dsp=4))
    choose(sample("digits-cnn"), few, geometry="4x8x2")
    with pytest.raises(FitError) as caught:
        choose(sample("digits-cnn"), few, geometry="4x8x4")
    assert str(caught.value) == (
        "geometry must leave room: an engine of 4x8x4 needs some 8 multipliers, but part can be "
        "filled with 4 of its 4; choose a smaller one"
    )
