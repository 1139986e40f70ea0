"""Start states: the published cipher behind the mix, its bijection, its avalanche, both forms."""

import numpy as np
import pytest
from support.page import known_answer, page_says

from tombola.spec.errors import ConfigError
from tombola.spec.start_state import (
    HALF_MASK,
    MAX_CHANNEL,
    MAX_SEED,
    MAX_WEIGHT_SET,
    ROUNDS,
    ZERO_STATE,
    StreamKind,
    round_key,
    speck_round,
    start_state,
    start_states,
)

PAGE = "weight-stream.md"


def speck64(key: list[int], x: int, y: int) -> tuple[int, int]:
    """Speck64/128 with its own key schedule, which is made of the same round."""
    *later, k = key
    ls = later[::-1]
    for i in range(27):
        x, y = speck_round(x, y, k)
        left, k = speck_round(ls.pop(0), k, i)
        ls.append(left)
    return x, y


def test_the_round_gives_the_published_test_vector():
    answer = known_answer(PAGE, "speck-64-128")
    key, plain, cipher = (
        [int(word, 16) for word in answer[name]] for name in ("key", "plaintext", "ciphertext")
    )
    assert speck64(key, *plain) == tuple(cipher)


def test_start_states_are_those_of_the_page():
    for answer in known_answer(PAGE, "start-states"):
        state = start_state(
            int(answer["seed"], 16),
            weight_set=answer["weight_set"],
            channel=answer["channel"],
            kind=StreamKind(answer["kind"]),
        )
        assert f"{state:016x}" == answer["state"]


def test_zero_is_replaced_by_the_stated_constant():
    assert int(known_answer(PAGE, "start-states")[-1]["state"], 16) == ZERO_STATE
    # Undo the rounds from zero: the block of the page's last entry must come out.
    answer = known_answer(PAGE, "start-states")[-1]
    x = y = 0
    for index in reversed(range(ROUNDS)):
        y ^= x
        y = (y >> 3 | y << 29) & HALF_MASK
        x = ((x ^ round_key(int(answer["seed"], 16), index)) - y) & HALF_MASK
        x = (x << 8 | x >> 24) & HALF_MASK
    assert (x, y) == (answer["kind"] << 24 | answer["weight_set"], answer["channel"])


@pytest.mark.parametrize("seed", [0, 1, 1 << 63, MAX_SEED, 0x0123456789ABCDEF])
@pytest.mark.parametrize("kind", StreamKind)
def test_vector_and_scalar_agree(seed, kind):
    states = start_states(seed, weight_set=54, channels=300, kind=kind)
    assert states.dtype == np.uint64
    for channel in (0, 1, 2, 31, 32, 255, 256, 299):
        expected = start_state(seed, weight_set=54, channel=channel, kind=kind)
        assert int(states[channel]) == expected


def test_no_channels_give_an_empty_array():
    assert start_states(1, weight_set=0, channels=0, kind=StreamKind.SIGN).shape == (0,)


@pytest.mark.parametrize("seed", [0, MAX_SEED])
def test_no_two_streams_of_a_ticket_share_a_state(seed):
    # 2^21 blocks; a random function would collide with a probability of 1 in 8 million.
    states = np.concatenate(
        [
            start_states(seed, weight_set=weight_set, channels=1 << 14, kind=kind)
            for weight_set in (*range(62), 1000, MAX_WEIGHT_SET)
            for kind in StreamKind
        ]
    )
    states.sort()
    assert states.size == 1 << 21 and (states[1:] != states[:-1]).all()


def mix(x, y, low, high, rounds=ROUNDS):
    """The mix on arrays of blocks and seeds, all different."""
    for index in range(rounds):
        key = (high if index & 1 else low) ^ np.uint32(index)
        x = ((x >> np.uint32(8) | x << np.uint32(24)) + y) ^ key
        y = (y << np.uint32(3) | y >> np.uint32(29)) ^ x
    return x.astype(np.uint64) << np.uint64(32) | y


def flip_probabilities(rounds: int, trials: int = 4096) -> np.ndarray:
    """For each of 128 input bits (block, seed) how often each of 64 state bits changes."""
    # The raw words of a bit generator are the same with every version of numpy.
    raw = np.random.PCG64(1).random_raw(4 * trials).reshape(4, trials)
    kind, weight_set, channel = raw[0] & 1, raw[0] >> 8 & 63, raw[1] & 2047
    inputs = [x.astype(np.uint32) for x in (kind << 24 | weight_set, channel, raw[2], raw[3])]
    base = mix(*inputs, rounds)
    rates = []
    for word in range(4):
        for bit in range(32):
            flipped = [a ^ np.uint32(1 << bit) if i == word else a for i, a in enumerate(inputs)]
            changed = mix(*flipped, rounds) ^ base
            rates.append(np.unpackbits(changed[:, None].view(np.uint8), axis=1).mean(axis=0))
    return np.array(rates)


def test_the_array_mix_of_this_test_is_the_mix():
    seed = 0x0123456789ABCDEF
    words = [np.array([word], dtype=np.uint32) for word in (7, 4, seed & HALF_MASK, seed >> 32)]
    assert int(mix(*words)[0]) == start_state(seed, weight_set=7, channel=4, kind=StreamKind.SIGN)


@pytest.mark.parametrize(
    ("rounds", "least", "most"), [(7, ".406", ".674"), (8, ".465", ".528"), (12, ".473", ".533")]
)
def test_how_often_a_flipped_bit_of_seed_or_block_flips_a_state_bit(rounds, least, most):
    rates = flip_probabilities(rounds)
    assert f"{rates.min():.3f}"[1:] == least and f"{rates.max():.3f}"[1:] == most
    assert page_says(PAGE, f"| {rounds} | {least} | {most} |")
    assert abs(rates.mean() - 0.5) < 0.001


def test_twelve_rounds_are_within_what_chance_allows():
    # 8,192 rates of 4,096 trials each: the standard error is .0078, so .04 is five of them.
    assert ROUNDS == 12 and abs(flip_probabilities(ROUNDS) - 0.5).max() < 0.04


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 1 << 64}, f"seed must be between 0 and {MAX_SEED}, not {1 << 64}"),
        ({"seed": -1}, f"seed must be between 0 and {MAX_SEED}, not -1"),
        (
            {"weight_set": 1 << 24},
            f"weight_set must be between 0 and {MAX_WEIGHT_SET}, not {1 << 24}",
        ),
        ({"channel": 1 << 32}, f"channel must be between 0 and {MAX_CHANNEL}, not {1 << 32}"),
    ],
)
def test_numbers_outside_their_fields_are_refused(given, message):
    numbers = {"seed": 0, "weight_set": 0, "channel": 0, **given}
    with pytest.raises(ConfigError) as caught:
        start_state(numbers.pop("seed"), **numbers, kind=StreamKind.SIGN)
    assert str(caught.value) == message


def test_the_vector_checks_its_numbers_too():
    with pytest.raises(ConfigError, match="weight_set must be between"):
        start_states(0, weight_set=1 << 24, channels=3, kind=StreamKind.SIGN)
