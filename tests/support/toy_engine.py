"""A toy network on the stand-in engine of `toy_engine.v`: program, model and Verilog folder."""

import enum
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tombola.spec.engine import EngineConfig
from tombola.spec.registers import Window

CONFIG = EngineConfig(
    rows=4,
    lanes=4,
    construction=4,
    weight_lines=64,
    activation_words=1024,
    ticket_words=1024,
    table_entries=512,
    result_words=16,
)
SHAPE = (4, 4, 4)
ADDED = (5, 250, 3)
STEP = 3
LOGITS, LAST = 1 << 31, 1 << 30
FIRST = Window.TICKET.base + 2
"""Of the descriptors."""


class Fault(enum.IntEnum):
    """What the stand-in does wrong; `toy_engine.v` states the same numbers."""

    NONE = 0
    VALUE = 1
    RUN_HANGS = 2
    BUS_HANGS = 3
    MUTE = 4
    ERROR = 5
    WINNER = 6
    ONCE = 7
    NOT_DONE = 8


def write_engine(folder: Path) -> Path:
    """A Verilog folder with the stand-in."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("toy_engine.v"), folder / "tombola_engine.v")
    (folder / "files.f").write_text("tombola_engine.v\n")
    design = {"config": CONFIG.to_json(), "top": "tombola_engine"}
    (folder / "design.json").write_text(json.dumps(design))
    return folder


@dataclass(frozen=True)
class ToyProgram:
    """Three layers that add a constant to each byte, then four logits.

    Parameters
    ----------
    fault : Fault
    target : int
        What the fault applies to.
    """

    fault: Fault = Fault.NONE
    target: int = 0
    config: EngineConfig = CONFIG
    layer_count: int = len(ADDED) + 1
    macs: int = 1600
    cycles: int = 300

    @property
    def writes(self):
        # The fault comes last: it may be that no request is taken any more.
        faults = [(1, self.target), (0, self.fault)]
        return self.stop_after(self.layer_count) + [
            (Window.TICKET.base + word, np.array([value], np.uint32)) for word, value in faults
        ]

    def stop_after(self, layers):
        words = [*ADDED, LOGITS | LAST | STEP]
        words[layers - 1] |= LAST
        return [(FIRST, np.array(words, np.uint32))]

    def image_writes(self, images):
        return [[(Window.ACTIVATIONS.base, image.ravel().view("<u4"))] for image in images]

    def tensor_ranges(self, tensor):
        if tensor == self.layer_count:
            return [(Window.RESULTS.base, 4)]
        return [(Window.ACTIVATIONS.base + 16 * tensor, 16)]

    def tensor_from_words(self, tensor, words):
        if tensor == self.layer_count:
            return words.view("<i4").astype(np.int64).reshape(4, 1, 1)
        return words.astype("<u4").view(np.uint8).astype(np.int64).reshape(SHAPE)


class ToyModel:
    """The same in numpy."""

    def tensors(self, images):
        tensors = [images.astype(np.int64)]
        for value in ADDED:
            tensors.append((tensors[-1] + value) % 256)
        total = tensors[-1].sum(axis=(1, 2, 3))
        logits = total[:, None] + STEP * np.arange(4)
        return [*tensors, logits[:, :, None, None]]

    def logits(self, images):
        return self.tensors(images)[-1].reshape(len(images), -1)


def toy_images(count: int) -> np.ndarray:
    """Uint8 (count, channels, height, width)."""
    return np.random.default_rng(7).integers(0, 256, (count, *SHAPE), dtype=np.uint8)
