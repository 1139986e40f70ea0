"""Mask bits: the page's vectors, there and back for every coding, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.page import known_answer

from tombola.spec import mask_code
from tombola.spec.errors import ConfigError, TicketError
from tombola.spec.mask_code import Coding
from tombola.spec.weight_stream import FreezeClass

PAGE = "weight-stream.md"
LETTERS = "PLS."
CODINGS = [
    *(Coding(coats=n) for n in (1, 2, 3, 4, 5, 127)),
    *(Coding(stored=b) for b in range(2, 9)),
]


@pytest.mark.parametrize("name", ["mask-1-coat", "mask-3-coats", "mask-stored-4"])
def test_masks_are_those_of_the_page(name):
    answer = known_answer(PAGE, name)
    coding = Coding(**answer["coding"])
    classes = np.array([[LETTERS.index(x) for x in answer["classes"]]], dtype=np.uint8)
    negative = np.array([[x == "-" for x in answer["signs"]]])
    weights = np.array([answer["weights"]])
    bits = mask_code.encode(weights, classes, coding)
    assert "".join("01"[bit] for bit in bits.astype(int)) == answer["bits"]
    assert mask_code.pack(bits).tobytes().hex() == answer["bytes"]
    packed = np.frombuffer(bytes.fromhex(answer["bytes"]), dtype=np.uint8)
    read = mask_code.unpack(packed, len(answer["bits"]))
    decoded, starts = mask_code.decode(read, classes, negative, coding)
    assert decoded.tolist() == weights.tolist()
    assert starts.tolist() == [0, len(answer["bits"])]


@st.composite
def masks(draw, coding: Coding):
    """Classes, signs and weights of up to 5 channels and 3 words that fit each other."""
    shape = (draw(st.integers(1, 5)), 32 * draw(st.integers(1, 3)))
    allowed = [FreezeClass.SEARCHABLE, FreezeClass.PADDING]
    if coding.stored is None:
        allowed += [FreezeClass.PRUNED, FreezeClass.LOCKED]
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    classes = rng.choice(allowed, shape, p=draw(_shares(len(allowed)))).astype(np.uint8)
    negative = rng.random(shape) < 0.5
    low = 0 if coding.stored is None else -coding.magnitude
    values = rng.integers(low, coding.magnitude + 1, shape)
    values[rng.random(shape) < draw(st.sampled_from([0, 0.5, 1]))] = 0
    values[classes != FreezeClass.SEARCHABLE] = 0
    values[classes == FreezeClass.LOCKED] = coding.magnitude
    return classes, negative, values


def _shares(count: int):
    def normalised(weights):
        return [w / sum(weights) for w in weights]

    some = st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any)
    return some.map(normalised)


@pytest.mark.parametrize("coding", CODINGS, ids=str)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_there_and_back(coding, data):
    classes, negative, values = data.draw(masks(coding))
    bits = mask_code.encode(values, classes, coding)
    weights, starts = mask_code.decode(bits, classes, negative, coding)
    signs = np.where(negative, -1, 1) if coding.coats is not None else 1
    assert (weights == values * signs).all()
    # Each channel decodes alone from its start: the cursor is all that it needs.
    for channel in range(classes.shape[0]):
        one = slice(channel, channel + 1)
        alone, _ = mask_code.decode(
            bits[starts[channel] : starts[channel + 1]], classes[one], negative[one], coding
        )
        assert (alone == weights[one]).all()


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_bits_are_counted_as_the_page_says(coding):
    rng = np.random.default_rng(1)
    values = rng.integers(0, coding.magnitude + 1, (3, 64))
    classes = np.full(values.shape, FreezeClass.SEARCHABLE, dtype=np.uint8)
    bits = mask_code.encode(values, classes, coding)
    if coding.coats is not None:
        counted = sum(int((values >= coat).sum()) for coat in range(coding.coats))
    else:
        counted = values.size + int((values > 0).sum()) * coding.stored
    assert bits.size == counted


@pytest.mark.parametrize("coding", [Coding(coats=1), Coding(coats=3), Coding(stored=4)], ids=str)
@pytest.mark.parametrize("change", [-1, 1, 40])
def test_too_few_and_too_many_bits_are_refused(coding, change):
    values = np.arange(64).reshape(2, 32) % (coding.magnitude + 1)
    classes = np.full(values.shape, FreezeClass.SEARCHABLE, dtype=np.uint8)
    bits = mask_code.encode(values, classes, coding)
    wrong = bits[:change] if change < 0 else np.append(bits, np.zeros(change, dtype=bool))
    with pytest.raises(TicketError) as caught:
        mask_code.decode(wrong, classes, np.zeros(values.shape, dtype=bool), coding)
    needs = "more" if change < 0 and coding.coats != 1 else str(bits.size)
    assert str(caught.value) == f"mask holds {wrong.size} bits but its layer needs {needs}"


def test_a_kept_stored_weight_of_magnitude_0_is_refused():
    classes = np.full((1, 32), FreezeClass.PADDING, dtype=np.uint8)
    classes[0, 0] = FreezeClass.SEARCHABLE
    bits = np.array([1, 0, 0, 0, 0], dtype=bool)  # kept, positive, 000
    with pytest.raises(TicketError) as caught:
        mask_code.decode(bits, classes, np.zeros((1, 32), dtype=bool), Coding(stored=4))
    assert str(caught.value) == (
        "a kept stored weight has magnitude 0; drop it in the mask instead"
    )


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (4, FreezeClass.SEARCHABLE, "weights must be within +-3, not 4"),
        (1, FreezeClass.PRUNED, "a pruned or padding position holds a weight; its value must be 0"),
        (
            1,
            FreezeClass.PADDING,
            "a pruned or padding position holds a weight; its value must be 0",
        ),
        (2, FreezeClass.LOCKED, "a locked position must hold the full value 3"),
    ],
)
def test_weights_that_disagree_with_their_class_are_refused(value, kind, message):
    values = np.zeros((1, 32), dtype=np.int64)
    values[0, 9] = value
    classes = np.full((1, 32), FreezeClass.SEARCHABLE, dtype=np.uint8)
    classes[0, 9] = kind
    with pytest.raises(ConfigError) as caught:
        mask_code.encode(values, classes, Coding(coats=3))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "a mask has either coats or stored bits; give one of the two"),
        ({"coats": 1, "stored": 4}, "a mask has either coats or stored bits; give one of the two"),
        ({"coats": 0}, "coats must be between 1 and 127, not 0"),
        ({"coats": 128}, "coats must be between 1 and 127, not 128"),
        ({"stored": 1}, "stored must be between 2 and 8 bits, not 1"),
        ({"stored": 9}, "stored must be between 2 and 8 bits, not 9"),
    ],
)
def test_impossible_codings_are_refused(parameters, message):
    with pytest.raises(ConfigError) as caught:
        Coding(**parameters)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("coding", "magnitude", "planes"),
    [
        (Coding(coats=1), 1, 1),
        (Coding(coats=2), 2, 2),
        (Coding(coats=3), 3, 2),
        (Coding(coats=4), 4, 3),
        (Coding(coats=127), 127, 7),
        (Coding(stored=2), 1, 1),
        (Coding(stored=8), 127, 7),
    ],
)
def test_planes_hold_the_magnitude(coding, magnitude, planes):
    assert (coding.magnitude, coding.planes) == (magnitude, planes)


@given(arrays(bool, st.integers(0, 70)))
def test_packing_there_and_back(bits):
    packed = mask_code.pack(bits)
    assert packed.dtype == np.uint8 and packed.size == -(-bits.size // 8)
    assert (mask_code.unpack(packed, bits.size) == bits).all()


@pytest.mark.parametrize(
    ("packed", "count", "message"),
    [
        ([1, 2], 8, "mask has 2 bytes, but 8 bits need 1"),
        ([1], 9, "mask has 1 bytes, but 9 bits need 2"),
        ([], 1, "mask has 0 bytes, but 1 bits need 1"),
        ([], -5, "mask must have 0 bits or more, not -5"),
        ([0b1000], 3, "mask has a filling bit set after its last bit; it must be 0"),
    ],
)
def test_packing_that_does_not_add_up_is_refused(packed, count, message):
    with pytest.raises(TicketError) as caught:
        mask_code.unpack(np.array(packed, dtype=np.uint8), count)
    assert str(caught.value) == message


def test_frozen_words_take_no_time():
    # Half a million words without a bit: a loop over them would take seconds.
    classes = np.full((2, 1 << 23), FreezeClass.PRUNED, dtype=np.uint8)
    weights, starts = mask_code.decode(
        np.zeros(0, dtype=bool), classes, np.zeros(classes.shape, dtype=bool), Coding(coats=99)
    )
    assert not weights.any() and starts.tolist() == [0, 0, 0]
