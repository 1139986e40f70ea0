"""A ticket on a device, image by image, against the integer model, and how fast it was."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tombola.cli.output import counting, log
from tombola.cli.samples import UNKNOWN, Samples
from tombola.compiler.program import compile_ticket
from tombola.device import Device, Results
from tombola.model.integer import IntegerModel
from tombola.spec.ticket import Ticket


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What a device said, and what it should have said.

    Attributes
    ----------
    ticket, samples
    results : Results
    expected : int64 array (batch, values)
        Logits of the integer model.
    seconds, board_seconds : float
        Time of all inferences, transfers included: on the wall's clock and on the board's, which
        are the same unless the board is simulated.
    counters : dict
        The engine's, of the last run.
    """

    ticket: Ticket
    samples: Samples
    results: Results
    expected: np.ndarray
    seconds: float
    board_seconds: float
    counters: dict[str, int]

    @property
    def agrees(self) -> np.ndarray:
        """Bool array (batch,): class and every logit are those of the integer model."""
        same = (self.results.logits == self.expected).all(axis=1)
        return same & (self.results.classes == self.expected.argmax(axis=1))

    @property
    def accuracy(self) -> float | None:
        """Share of right classes among the images with a label; None if none has one."""
        labels = self.samples.labels
        known = labels != UNKNOWN
        right = self.results.classes[known] == labels[known]
        return float(right.mean()) if known.any() else None

    @property
    def cycles(self) -> float:
        """Clocks of a run, on average."""
        return float(self.results.latency_cycles.mean())

    def speed(self, clock_hz: int | None) -> dict[str, float | None]:
        """Latency and inferences a second, by the clock of the wall, of the board, of the engine.

        Parameters
        ----------
        clock_hz : int, optional
            Of the engine.
        """
        count = len(self.samples.images)
        return {
            "latency_us": None if clock_hz is None else 1e6 * self.cycles / clock_hz,
            "inferences_per_second": count / self.seconds,
            "board_inferences_per_second": count / self.board_seconds,
            "engine_inferences_per_second": None if clock_hz is None else clock_hz / self.cycles,
        }

    def class_name(self, index: int) -> str:
        """Of the ticket's classes; the number itself if it names none."""
        names = self.ticket.classes
        return names[index] if index < len(names) else str(index)

    def to_json(self) -> dict[str, Any]:
        """The figures of all images together."""
        count = len(self.samples.images)
        return {
            "source": self.samples.origin,
            "samples": count,
            "values_compared": int(self.expected.size),
            "mismatches": int((self.results.logits != self.expected).sum()),
            "agreement": float(self.agrees.mean()),
            "accuracy": self.accuracy,
            "latency_cycles": int(self.cycles) if self.cycles.is_integer() else self.cycles,
            "seconds": self.seconds,
            "counters": self.counters,
        }

    def images_to_json(self) -> list[dict[str, Any]]:
        """One entry an image."""
        labels = self.samples.labels.tolist()
        rows = zip(
            self.samples.names, self.results.classes.tolist(), labels, self.agrees.tolist(),
            self.results.latency_cycles.tolist(), self.results.logits.tolist(), strict=True,
        )  # fmt: skip
        return [
            {
                "image": name,
                "class": winner,
                "class_name": self.class_name(winner),
                "label": None if label == UNKNOWN else label,
                "label_name": None if label == UNKNOWN else self.class_name(label),
                "agrees": agrees,
                "latency_cycles": cycles,
                "logits": logits,
            }
            for name, winner, label, agrees, cycles, logits in rows
        ]


def run_trial(device: Device, ticket: Ticket, samples: Samples) -> Trial:
    """Infers all images on a device that holds the ticket, and on the integer model.

    Raises
    ------
    DeviceError
        If the board does not answer as it should.
    """
    with counting("images inferred", len(samples.images)) as progress:
        began, board_began = time.monotonic(), device.clock()
        results = device.infer(samples.images, progress=lambda done, total: progress(done))
        seconds, board_seconds = time.monotonic() - began, device.clock() - board_began
    return Trial(
        ticket=ticket,
        samples=samples,
        results=results,
        expected=IntegerModel(ticket).logits(samples.images).numpy(),
        seconds=seconds,
        board_seconds=board_seconds,
        counters=device.counters,
    )


def load_ticket(device: Device, ticket: Ticket) -> bool:
    """Brings a ticket to the device, with a bar, and verifies it on the chip.

    Returns
    -------
    bool
        Whether it had to be written: it may be there from the bitstream or an earlier time.

    Raises
    ------
    FitError
        If the engine cannot run it.
    DeviceError
        If the board does not answer as it should.
    """
    program = compile_ticket(ticket, device.info.config)
    written = False
    with counting("words of the ticket", sum(words.size for _, words in program.writes)) as show:

        def progress(done: int, total: int) -> None:
            nonlocal written
            written = True
            show(done)

        device.load(ticket, progress=progress)
    if not written:
        log("the ticket is on the board already")
    return written
