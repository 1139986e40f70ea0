"""Where tensors lie: never two at one place at one time, in as few words as can be found."""

from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tickets import TicketBuilder, mixed_network

from tombola.compiler.arrange import Life, _first_fit, arrange, in_use, top
from tombola.compiler.memory_plan import place, tensor_lives
from tombola.spec import rules
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError
from tombola.spec.ticket import Rescale, Residual

LIVES = st.builds(
    lambda words, born, length: Life(words=words, born=born, dies=born + length),
    st.integers(0, 40),
    st.integers(0, 6),
    st.integers(0, 4),
)


def check(lives, bases):
    for (first, a), (second, b) in combinations(zip(lives, bases, strict=True), 2):
        apart = a + first.words <= b or b + second.words <= a
        assert apart or not first.meets(second)


@settings(max_examples=150, deadline=None)
@given(st.lists(LIVES, max_size=9))
def test_no_two_share_a_word_and_none_is_worse_than_in_order_of_birth(lives):
    bases = arrange(lives)
    check(lives, bases)
    if lives:
        assert in_use(lives) <= top(lives, bases)
        assert top(lives, bases) <= top(lives, _first_fit(lives, range(len(lives))))


@settings(max_examples=40, deadline=None)
@given(st.lists(LIVES, min_size=1, max_size=5))
def test_few_buffers_are_arranged_as_well_as_any_order_does(lives):
    tops = {top(lives, _first_fit(lives, order)) for order in permutations(range(len(lives)))}
    assert top(lives, arrange(lives)) == min(tops)


def test_first_fit_in_order_of_birth_wastes_what_another_order_does_not():
    # A small buffer that stays in the middle parts the memory that a large one needs.
    lives = [
        Life(words=4, born=0, dies=1),
        Life(words=1, born=1, dies=3),
        Life(words=6, born=2, dies=3),
    ]
    assert top(lives, _first_fit(lives, range(3))) == 11
    assert top(lives, arrange(lives)) == in_use(lives) == 7
    assert arrange([]) == []


def chain(*shapes):
    """A network without weights but for its end, whose tensors have these shapes."""
    builder = TicketBuilder(shapes[0])
    for before, after in zip(shapes, shapes[1:], strict=False):
        builder.conv(after[0], (before[1] - after[1] + 1, 1), in_channels=before[0])
    return builder.conv(2, shapes[-1][1:], in_channels=shapes[-1][0], logits=True).build()


def test_tensors_live_until_their_last_reader():
    ticket = mixed_network().build()
    tensors = rules.check(ticket)
    lives = tensor_lives(ticket, tensors, EngineConfig(rows=2, lanes=2))
    assert [life.born for life in lives] == list(range(-1, len(lives) - 1))
    for index, life in enumerate(lives):
        channels, height, width = tensors[index].shape
        assert life.words == -(-channels // 2) * height * width
        assert life.dies == index
    assert len(lives) == len(ticket.layers)


def test_each_bank_is_written_while_the_other_is_read():
    ticket = chain((4, 8, 1), (4, 6, 1), (4, 4, 1), (4, 2, 1))
    config = EngineConfig(rows=2, lanes=4, activation_words=16, activation_banks=2)
    placements = place(ticket, rules.check(ticket), config)
    assert [p.base // 8 for p in placements] == [0, 1, 0, 1]
    assert all(p.end <= (p.base // 8 + 1) * 8 for p in placements)


def test_what_is_too_much_is_said_with_need_and_stock():
    ticket = chain((4, 9, 1), (4, 8, 1))
    with pytest.raises(FitError) as caught:
        place(ticket, rules.check(ticket), EngineConfig(rows=2, lanes=4, activation_words=16))
    assert str(caught.value) == (
        "activation memory: tensor 1 and those still read need 17 words of 4 bytes but the engine "
        "has 16; use an engine with more activation memory"
    )
    config = EngineConfig(rows=2, lanes=4, activation_words=16, activation_banks=2)
    with pytest.raises(FitError, match=r"^bank of activation memory: tensor 0 .* need 9 words"):
        place(ticket, rules.check(ticket), config)


def test_two_banks_refuse_a_layer_that_reads_both():
    ticket = chain((4, 3, 1), (4, 3, 1), (4, 3, 1))
    layers = (
        *ticket.layers[:2],
        Rescale(input=2, requantisation=0, residual=Residual(tensor=1, scale=1)),
        replace(ticket.layers[2], input=3),
    )
    ticket = replace(ticket, layers=layers)
    config = EngineConfig(rows=2, lanes=4, activation_words=64, activation_banks=2)
    with pytest.raises(FitError, match=r"^layer 2 reads both banks of the activation memory"):
        place(ticket, rules.check(ticket), config)
    place(ticket, rules.check(ticket), replace(config, activation_banks=1))
