"""Packing of buffers that live for a while into as little memory as can be found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

EXHAUSTIVE = 6
"""Up to so many buffers every order is tried: 720 of them."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """A buffer of `words`, in use from step `born` to step `dies`, both included."""

    words: int
    born: int
    dies: int

    def meets(self, other: "Life") -> bool:
        """Whether both are in use at some step."""
        return self.born <= other.dies and other.born <= self.dies


def arrange(lives: Sequence[Life]) -> list[int]:
    """First words of buffers, such that none shares a word with one that it meets.

    The best of first fit in several orders: of birth, of size, of length of life, and of both; of
    few buffers in every order. It ends as soon as one order needs no more than what is in use at
    once, which no order can beat.
    """
    if not lives:
        return []
    least = in_use(lives)
    best: list[int] = []
    for order in _orders(lives):
        bases = _first_fit(lives, order)
        if not best or top(lives, bases) < top(lives, best):
            best = bases
        if top(lives, best) == least:
            break
    return best


def top(lives: Sequence[Life], bases: Sequence[int]) -> int:
    """Words of memory that an arrangement takes."""
    return max((base + life.words for base, life in zip(bases, lives, strict=True)), default=0)


def in_use(lives: Sequence[Life]) -> int:
    """Most words in use at any step: no arrangement takes fewer."""
    steps = {life.born for life in lives}
    return max(sum(x.words for x in lives if x.born <= step <= x.dies) for step in steps)


def _orders(lives: Sequence[Life]) -> Iterator[Sequence[int]]:
    born = range(len(lives))
    yield born
    length = [life.dies - life.born + 1 for life in lives]
    yield sorted(born, key=lambda index: -lives[index].words)
    yield sorted(born, key=lambda index: -length[index])
    yield sorted(born, key=lambda index: -length[index] * lives[index].words)
    if len(lives) <= EXHAUSTIVE:
        yield from permutations(born)


def _first_fit(lives: Sequence[Life], order: Sequence[int]) -> list[int]:
    bases: dict[int, int] = {}
    for index in order:
        life = lives[index]
        others = [
            (bases[other], bases[other] + lives[other].words)
            for other in bases
            if lives[other].meets(life)
        ]
        base = 0
        for first, after in sorted(others):
            if base + life.words <= first:
                break
            base = max(base, after)
        bases[index] = base
    return [bases[index] for index in range(len(lives))]
