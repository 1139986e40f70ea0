"""Whatever bytes arrive: a ticket or one `TicketError`, never another exception."""

import copy
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.forge import container, forged, signed, split
from support.rich_ticket import rich_ticket
from support.tiny_ticket import tiny_ticket

from tombola.spec import ticket_file
from tombola.spec.errors import TicketError

TICKETS = [ticket_file.to_bytes(tiny_ticket()), ticket_file.to_bytes(rich_ticket())]
ODD = [
    None, True, False, 0, 1, -1, 2, 3, 31, 32, 127, 128, 255, 256, 65535, 65536, 1 << 24, 1 << 31,
    -(1 << 31), 1 << 32, 1 << 63, -(1 << 63), 1 << 64, 0.5, -0.0, 1e308, "", "conv", "rescale",
    "aggregate", "max_pool", "\0", "\ud800", [], [0], [1, 1], [2, 3], [0, 0, 0, 0], {}, {"bits": 8},
    {"bits": 1, "signed": True}, {"bits": 32, "signed": True}, {"tensor": 0, "scale": 1},
]  # fmt: skip
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def arrives(content: bytes) -> bool:
    """True if it was a ticket; a one-line refusal is as good, anything else is an error."""
    try:
        ticket = ticket_file.from_bytes(content)
    except TicketError as error:
        assert "\n" not in str(error) and str(error).isascii()
        return False
    assert ticket_file.from_bytes(ticket_file.to_bytes(ticket)).seed == ticket.seed
    return True


@MANY
@given(st.binary(max_size=300))
def test_random_bytes(content):
    assert not arrives(content)
    assert not arrives(container(content))


JSON = st.recursive(
    st.sampled_from(ODD) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@MANY
@given(JSON)
def test_random_headers_and_descriptions(document):
    assert not arrives(container(json.dumps(document)))
    text = json.dumps(document)
    assert not arrives(container(json.dumps({"__metadata__": {"tombola": text}})))
    assert not arrives(forged(TICKETS[0], text=lambda _: text))
    assert not arrives(forged(TICKETS[0], description=lambda d: d.update(layers=document)))


def places(document, path=()):
    """Every path into a JSON document."""
    yield path
    inner = ()
    if isinstance(document, dict):
        inner = document.items()
    elif isinstance(document, list):
        inner = enumerate(document)
    for key, value in inner:
        yield from places(value, (*path, key))


def mutate(document, rng: random.Random) -> None:
    """One change somewhere below the root: another value, a copy of a part, or its removal."""
    paths = [path for path in places(document) if path]
    path = rng.choice(paths)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    choice = rng.random()
    if choice < 0.6:
        parent[path[-1]] = copy.deepcopy(rng.choice(ODD))
    elif choice < 0.8:
        part = document
        for key in rng.choice(paths):
            part = part[key]
        parent[path[-1]] = copy.deepcopy(part)
    elif choice < 0.9 or isinstance(parent, dict):
        del parent[path[-1]]
    else:
        parent.append(copy.deepcopy(parent[path[-1]]))


def mutants(seed: int, count: int) -> int:
    """Loads `count` tickets with up to three changes and a good checksum; how many were sound."""
    rng = random.Random(seed)
    sound = 0
    for _ in range(count):
        content = rng.choice(TICKETS)

        def change(document):
            for _ in range(rng.randint(1, 3)):
                mutate(document, rng)

        where = rng.choice(["description", "description", "header"])
        sound += arrives(forged(content, **{where: change}))
    return sound


def test_mutated_descriptions_and_headers():
    # Some changes are harmless, such as those of provenance: the forger is not simply refused.
    assert mutants(1, 1500) > 5


def test_mutated_bytes_with_a_good_checksum():
    rng = random.Random(2)
    for _ in range(400):
        content = bytearray(rng.choice(TICKETS))
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if rng.random() < 0.3:
            begin = rng.randrange(len(content))
            del content[begin : begin + rng.randint(1, 40)]
        arrives(signed(bytes(content)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_many_more_mutants(seed):
    mutants(seed, 10_000)


def test_splitting_gives_the_parts():
    description, header, data = split(TICKETS[1])
    assert description["format"] == 1 and "mask.0" in header and data
