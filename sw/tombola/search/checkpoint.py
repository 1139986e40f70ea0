"""The state between two epochs, in a file that is either whole or not there."""

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tombola.search.metrics import EpochMetrics
from tombola.spec.errors import ConfigError
from tombola.spec.paths import write_atomically

VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What an epoch starts from.

    Parameters
    ----------
    identity : dict
        Settings, preset and data set; a search resumes only its own checkpoint.
    network : dict
        State dicts: that of the "last" epoch, and that of the "best" where one is chosen.
    optimiser : dict
        State dict.
    history : list of EpochMetrics
    """

    identity: dict[str, str | int | float]
    network: dict[str, Any]
    optimiser: dict[str, Any]
    history: list[EpochMetrics]


def save(state: Checkpoint, path: Path) -> None:
    """Writes the state; a reader finds the old file or the new one, never a part."""
    content = io.BytesIO()
    torch.save(
        {
            "version": VERSION,
            "identity": state.identity,
            "network": state.network,
            "optimiser": state.optimiser,
            "history": [asdict(metrics) for metrics in state.history],
        },
        content,
    )
    write_atomically(path, content.getvalue())


def load(path: Path, *, identity: dict[str, str | int | float]) -> Checkpoint:
    """Reads the state of the search with that identity; no code in the file is run.

    Raises
    ------
    ConfigError
        If the file is damaged, or of a search with other settings.
    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        found = dict(state["identity"])
        history = [EpochMetrics(**entry) for entry in state["history"]]
        version, network, optimiser = state["version"], state["network"], state["optimiser"]
    except Exception as error:  # noqa: BLE001  (torch.load raises whatever a damaged file leads to)
        reason = error.strerror if isinstance(error, OSError) else "it is damaged, or of other use"
        raise ConfigError(f"cannot resume from {path}: {reason}; search without --resume") from None
    if version != VERSION:
        raise ConfigError(f"{path} has version {version}, not {VERSION}; search without --resume")
    for name in {**identity, **found}:
        if found.get(name) != identity.get(name):
            raise ConfigError(
                f"{path} is of a search with {name} {found.get(name)}, not {identity.get(name)}; "
                "give the same settings, or search without --resume"
            )
    return Checkpoint(identity=found, network=network, optimiser=optimiser, history=history)
