"""Where tensors lie: never two at one place at one time, in as few words as can be found."""

from dataclasses import dataclass, replace
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tickets import UNSIGNED

from tombola.compiler.arrange import Life, _first_fit, arrange, in_use, top
from tombola.compiler.memory_plan import buffer_lives, place
from tombola.compiler.steps import Buffer, Plan, Step
from tombola.spec.descriptor import Operation
from tombola.spec.engine import EngineConfig
from tombola.spec.errors import FitError

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


def chain(*shapes, residual=()):
    """Steps from map to map, the last one to the logits; `residual` steps read one more map."""
    steps = tuple(
        WithResidual(
            layer=index,
            operation=Operation.CONVOLVE,
            source=index,
            target=index + 1,
            kernel=(1, 1),
            others=tuple(other for step, other in residual if step == index),
        )
        for index in range(len(shapes))
    )
    buffers = tuple(Buffer(shape=shape, type=UNSIGNED) for shape in (*shapes, (2, 1, 1)))
    return Plan(steps=steps, buffers=buffers, results=len(shapes))


@dataclass(frozen=True, kw_only=True)
class WithResidual(Step):
    """A step that reads further buffers."""

    others: tuple[int, ...] = ()

    @property
    def sources(self):
        """Buffers that it reads."""
        return (self.source, *self.others)


def test_buffers_live_from_the_step_that_makes_them_to_the_last_that_reads_them():
    plan = chain((3, 4, 5), (4, 4, 4), (9, 2, 2), residual=[(2, 0)])
    lives = buffer_lives(plan, EngineConfig(rows=2, lanes=4))
    assert lives == {
        0: Life(words=20, born=-1, dies=2),
        1: Life(words=16, born=0, dies=1),
        2: Life(words=12, born=1, dies=2),
    }


def test_each_bank_is_written_while_the_other_is_read():
    plan = chain((4, 8, 1), (4, 6, 1), (4, 4, 1), (4, 2, 1))
    config = EngineConfig(rows=2, lanes=4, activation_words=16, activation_banks=2)
    placements = place(plan, config)
    assert {index: place.base // 8 for index, place in placements.items()} == {
        0: 0, 1: 1, 2: 0, 3: 1,
    }  # fmt: skip
    assert all(p.end <= (p.base // 8 + 1) * 8 for p in placements.values())


def test_what_is_too_much_is_said_with_need_and_stock():
    plan = chain((4, 9, 1), (4, 8, 1))
    with pytest.raises(FitError) as caught:
        place(plan, EngineConfig(rows=2, lanes=4, activation_words=16))
    assert str(caught.value) == (
        "activation memory: tensor 1 and those still read need 17 words of 4 bytes but the engine "
        "has 16; use an engine with more activation memory"
    )
    config = EngineConfig(rows=2, lanes=4, activation_words=16, activation_banks=2)
    with pytest.raises(FitError, match=r"^bank of activation memory: tensor 0 .* need 9 words"):
        place(plan, config)


def test_two_banks_refuse_a_step_that_reads_both():
    plan = chain((4, 3, 1), (4, 3, 1), (4, 3, 1), (4, 3, 1), residual=[(2, 1)])
    config = EngineConfig(rows=2, lanes=4, activation_words=64, activation_banks=2)
    with pytest.raises(FitError, match=r"^layer 2 reads both banks of the activation memory"):
        place(plan, config)
    assert len(place(plan, replace(config, activation_banks=1))) == 4
