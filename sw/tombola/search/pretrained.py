"""Networks trained elsewhere: weights from a file of PyTorch, and what identifies them."""

import pickle
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tombola.spec.errors import ConfigError, DataError

DIGEST_LETTERS = 16


def load_state(model: nn.Module, path: Path) -> nn.Module:
    """The model with the weights of a state dict; no code in the file is run.

    Parameters
    ----------
    model : Module
        Any one, a ready-made one for instance; it is changed.
    path : Path
        What ``torch.save(model.state_dict(), path)`` writes, or that under the key "state_dict".

    Raises
    ------
    DataError
        If the file cannot be read, is no state dict, or is one of another model.
    """
    try:
        found = torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    # A damaged file may lead torch.load to any of these.
    except (pickle.UnpicklingError, RuntimeError, ValueError, KeyError, EOFError, TypeError,
            AttributeError, IndexError, AssertionError, UnicodeDecodeError, MemoryError):
        raise DataError(
            f"{path} is no state dict of PyTorch that is safe to open; write it with "
            "torch.save(model.state_dict(), ...)"
        ) from None
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    _check(found, model, path)
    model.load_state_dict(found)
    return model


def _check(found: Any, model: nn.Module, path: Path) -> None:
    wanted = model.state_dict()
    if not isinstance(found, dict) or not all(isinstance(x, Tensor) for x in found.values()):
        raise DataError(f"{path} must hold tensors by name, and nothing else")
    for name in [*wanted, *found]:
        if name not in found:
            raise DataError(f"{path} has no tensor {name}, so it is not of this network")
        if name not in wanted:
            raise DataError(f"{path} has the tensor {name!a:.60}, which this network has not")
        if found[name].shape != wanted[name].shape:
            raise DataError(
                f"{path} has {name} of {tuple(found[name].shape)}, where this network has "
                f"{tuple(wanted[name].shape)}"
            )
        if not torch.isfinite(found[name]).all():
            raise DataError(f"{path} has numbers in {name} that are not finite")


def digest(model: nn.Module) -> str:
    """The first letters of a SHA-256 of all weights and statistics, names included."""
    found = sha256()
    for name, value in model.state_dict().items():
        values = value.detach().cpu().contiguous().numpy()
        found.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        found.update(values.tobytes())
    return found.hexdigest()[:DIGEST_LETTERS]


def untrained(*, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Stands for a trained network until it is read.

    Raises
    ------
    ConfigError
        Always.
    """
    raise ConfigError("this preset is of a trained network, which must be read from its file first")
