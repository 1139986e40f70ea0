"""Compares what the engine answered with the integer model, and finds the first wrong value."""

from typing import Any, Protocol

import numpy as np

from tombola_sim.report import Mismatch


class Model(Protocol):
    """What the checker needs of a `tombola.model.integer.IntegerModel`."""

    def logits(self, images: Any) -> Any: ...
    def tensors(self, images: Any) -> Any: ...


class Checker:
    """Holds the expected logits of all images.

    Parameters
    ----------
    model : Model
    images : uint8 array (batch, channels, height, width)
    """

    def __init__(self, model: Model, images: np.ndarray) -> None:
        self._model = model
        self._images = images
        self.expected = np.asarray(model.logits(images), dtype=np.int64)
        """Int64 array (batch, values), in (channel, height, width) order."""

    def wrong_values(self, logits: np.ndarray, winners: np.ndarray) -> np.ndarray:
        """Wrong values of each image, an int array (batch,).

        Parameters
        ----------
        logits : int64 array (batch, channels, height, width)
            From the engine.
        winners : int array (batch,)
            From the engine; a wrong one counts where the logits are right, and is compared where
            the logits have one position: only then it is a class.
        """
        batch = logits.shape[0]
        wrong = (logits.reshape(batch, -1) != self.expected).sum(axis=1)
        if logits.shape[2:] == (1, 1):
            # argmax takes the first of equal values, as the engine does.
            wrong_winner = self.expected.argmax(axis=1) != winners
            wrong += wrong_winner & (wrong == 0)
        return wrong

    def locate(self, image: int, outputs: list[np.ndarray]) -> Mismatch | None:
        """The first wrong value of an image whose layers' outputs are given, or None.

        Parameters
        ----------
        outputs : list of int64 arrays (channels, height, width)
            Of layer 0, 1, ..; empty for what the engine did not keep.
        """
        tensors = self._model.tensors(self._images[image : image + 1])
        for layer, got in enumerate(outputs):
            if not got.size:
                continue
            mismatch = _first(image, layer, np.asarray(tensors[layer + 1][0]), got)
            if mismatch is not None:
                return mismatch
        return None

    def as_seen(self, image: int, layer: int, logits: np.ndarray, winner: int) -> Mismatch:
        """What was wrong with an image whose layers are all right when it runs again.

        Parameters
        ----------
        logits : int64 array (channels, height, width)
            From the engine, output of the last layer, which is `layer`.
        """
        expected = self.expected[image].reshape(logits.shape)
        mismatch = _first(image, layer, expected, logits, reproduced=False)
        return mismatch or Mismatch(
            image=image,
            layer=layer,
            channel=winner,
            y=0,
            x=0,
            expected=int(expected.argmax()),
            got=winner,
            winner=True,
        )


def _first(
    image: int, layer: int, expected: np.ndarray, got: np.ndarray, *, reproduced: bool = True
) -> Mismatch | None:
    wrong = np.argwhere(expected != got)
    if not wrong.size:
        return None
    channel, y, x = wrong[0].tolist()
    return Mismatch(
        image=image,
        layer=layer,
        channel=channel,
        y=y,
        x=x,
        expected=int(expected[channel, y, x]),
        got=int(got[channel, y, x]),
        reproduced=reproduced,
    )
