"""Images for a ticket: what files may hold, and what is wrong with the others."""

import numpy as np
import pytest
from PIL import Image
from support.tickets import TicketBuilder

from tombola.cli import samples
from tombola.spec.errors import ConfigError, DataError


@pytest.fixture
def refused(digits):
    """What is said of a file as it is refused."""

    def call(file) -> str:
        with pytest.raises((ConfigError, DataError)) as caught:
            samples.from_files(digits, [file])
        return str(caught.value)

    return call


def test_no_image_file(refused, tmp_path):
    file = tmp_path / "a.png"
    file.write_text("hello")
    assert refused(file) == f"{file} is no image; give a .png, another image file or a .npz"


def test_an_image_of_another_size(refused, tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(file)
    assert refused(file) == (
        "images must be 1x8x8 (channels x height x width) for this ticket, not "
        f"1x8x9 as {file}"
    )


def test_an_image_with_too_many_bits(refused, tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(file)
    assert refused(file) == f"{file} must have 8 bits a channel, not the format I;16; convert it"


ZEROS = np.zeros((2, 1, 8, 8), np.uint8)


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"pictures": ZEROS}, "{} must hold an array named images; write it with numpy.savez"),
        ({"images": ZEROS.astype(float)},
         "images in {} must be uint8 of shape (batch, channels, height, width), not float64 of "
         "shape (2, 1, 8, 8)"),
        ({"images": ZEROS[:0]},
         "images in {} must be uint8 of shape (batch, channels, height, width), not uint8 of "
         "shape (0, 1, 8, 8)"),
        ({"images": ZEROS, "labels": np.zeros(3, int)},
         "labels in {} must be integers of shape (2,), not int64 of shape (3,)"),
        ({"images": ZEROS, "labels": np.zeros(2)},
         "labels in {} must be integers of shape (2,), not float64 of shape (2,)"),
        ({"images": np.zeros((2, 3, 8, 8), np.uint8)},
         "images must be 1x8x8 (channels x height x width) for this ticket, not 3x8x8 as those "
         "in {}"),
    ],
)  # fmt: skip
def test_wrong_arrays(refused, tmp_path, arrays, message):
    file = tmp_path / "a.npz"
    np.savez(file, **arrays)
    assert refused(file) == message.format(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x04nothing"])
def test_a_damaged_archive(refused, tmp_path, content):
    file = tmp_path / "a.npz"
    file.write_bytes(content)
    said = refused(file)
    assert said.startswith(f"{file} is no sound .npz file: ") and "\n" not in said


def test_a_single_array_is_no_archive(refused, tmp_path):
    file = tmp_path / "a.npz"
    with file.open("wb") as out:
        np.save(out, ZEROS)
    assert refused(file) == f"{file} is no sound .npz file: it holds a single array"


def test_a_colour_ticket_and_one_that_takes_pixels_as_channels(tmp_path):
    coloured, flat = TicketBuilder((3, 2, 2)), TicketBuilder((12, 1, 1))
    tickets = [each.conv(2, (1, 1), in_channels=each.input.shape[0], logits=True).build()
               for each in (coloured, flat)]  # fmt: skip
    file = tmp_path / "c.png"
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    Image.fromarray(pixels).save(file)
    by_channel = pixels.transpose(2, 0, 1)
    images = [samples.from_files(ticket, [file]).images for ticket in tickets]
    np.testing.assert_array_equal(images[0], by_channel[None])
    np.testing.assert_array_equal(images[1], by_channel.reshape(1, 12, 1, 1))
    Image.fromarray(pixels[..., 0]).save(file)
    np.testing.assert_array_equal(
        samples.from_files(tickets[0], [file]).images, np.repeat(pixels[None, None, ..., 0], 3, 1)
    )
