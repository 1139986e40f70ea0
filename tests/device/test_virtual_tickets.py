"""Searched tickets on simulated boards: whole test sets, and programs that are too large."""

from dataclasses import replace

import numpy as np
import pytest
from support.fake_device import small_network
from support.tickets import TicketBuilder

from tombola import data, device
from tombola.model.integer import IntegerModel
from tombola.search.presets import preset
from tombola.search.samples import Samples
from tombola.search.search import search
from tombola.spec import reference, ticket_file
from tombola.spec.errors import DeviceError, FitError
from tombola.spec.registers import ErrorCode
from tombola.spec.ticket import Ticket

QUICK_LINE = 10_000_000
"""Baud: as few clocks a bit as the link takes, so that the clocks go to the engine."""


def searched(name: str, folder, *, samples: int, **settings) -> tuple[Ticket, data.Dataset]:
    """A ticket of a preset, from one quick epoch, and its data."""
    chosen = preset(name)
    chosen = replace(chosen, settings=replace(chosen.settings, epochs=1, **settings))
    images = data.load(chosen.dataset)
    found = search(
        chosen,
        train=Samples.of(images.train_images[:samples], images.train_labels[:samples]),
        test=Samples.of(images.test_images[:500], images.test_labels[:500]),
        classes=images.class_names,
        out=folder,
    )
    return ticket_file.load(found.ticket), images


def check(board: device.Device, ticket: Ticket, images: np.ndarray) -> None:
    """Every logit is that of the integer model in PyTorch."""
    results = board.infer(images)
    expected = IntegerModel(ticket).logits(images).numpy()
    np.testing.assert_array_equal(results.logits, expected)
    np.testing.assert_array_equal(results.classes, expected.argmax(axis=1))


@pytest.mark.slow
def test_all_digits_and_a_second_ticket(tmp_path):
    ticket, images = searched("digits-cnn", tmp_path, samples=2000, prune=0.35, lock=0.35)
    other, _ = searched("digits-cnn", tmp_path / "b", samples=2000, prune=0.4, lock=0.4, seed=2)
    with device.connect("virtual:icebreaker") as board:
        board.load(ticket)
        check(board, ticket, images.test_images)
        board.load(other)
        check(board, other, images.test_images[:60])


@pytest.mark.slow
def test_two_hundred_of_fashion(tmp_path):
    ticket, images = searched("fmnist-cnn", tmp_path, samples=3000)
    with device.connect("virtual:ulx3s-25f", baud=QUICK_LINE) as board:
        board.load(ticket)
        check(board, ticket, images.test_images[:200])


@pytest.fixture(scope="module")
def icebreaker():
    with device.connect("virtual:icebreaker") as board:
        yield board


def runs(board: device.Device) -> bool:
    """Whether a ticket that fits still runs exactly."""
    network = small_network()
    ticket, images = network.build(), network.images(2)
    board.load(ticket)
    return np.array_equal(board.infer(images).logits, reference.logits(ticket, images))


def test_a_ticket_that_does_not_fit_is_refused_before_anything_is_sent(icebreaker):
    network = TicketBuilder((2, 6, 6)).conv(900, (6, 6), in_channels=2, logits=True)
    sent = icebreaker.statistics.bytes_sent
    with pytest.raises(FitError, match="^requantisation table: entries needs 900 "):
        icebreaker.load(network.build())
    assert icebreaker.statistics.bytes_sent == sent


@pytest.mark.parametrize("larger", [{"rows": 32}, {"accumulator_bits": 24}])
def test_a_program_of_a_larger_engine_is_refused_by_the_board(icebreaker, larger):
    info, network = icebreaker.info, small_network()
    icebreaker._info = replace(info, config=replace(info.config, **larger))
    try:
        icebreaker.load(network.build())
        with pytest.raises(DeviceError, match=rf"reports error {ErrorCode.FOREIGN:d} \(foreign\)"):
            icebreaker.infer(network.images(1))
    finally:
        icebreaker._info = info
    assert runs(icebreaker)


def test_a_program_that_is_too_long_is_refused_by_the_board(icebreaker):
    info = icebreaker.info
    network = TicketBuilder((2, 6, 6)).conv(900, (6, 6), in_channels=2, logits=True)
    larger = replace(info.config, ticket_words=8192, table_entries=1024, result_words=1024)
    icebreaker._info = replace(info, config=larger)
    try:
        with pytest.raises(DeviceError, match=rf"reports error {ErrorCode.ADDRESS:d} \(address\)"):
            icebreaker.load(network.build())
    finally:
        icebreaker._info = info
    assert runs(icebreaker)
