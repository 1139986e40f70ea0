"""The trained network of a preset, or of a file in its place, read and put into the preset."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tombola.spec.errors import ConfigError

if TYPE_CHECKING:
    from tombola.data import TrainedNetwork
    from tombola.search.presets import Preset

KERAS = ".h5"


def with_network(chosen: "Preset", *, file: Path | None, data_dir: Path | None) -> "Preset":
    """The preset with a model that has its trained weights; as it was if it has none.

    An h5 file of Keras is a whole network, in place of the preset's, which reads the bytes of an
    image as they are. Any other file is a state dict of PyTorch, of the preset's network.

    Raises
    ------
    ConfigError
        If weights are to be stored and none are trained, or the other way round.
    DataError
        If a file is missing, damaged or of another network.
    """
    from tombola import data
    from tombola.search.pretrained import load_state
    from tombola.search.weight_source import WeightSource

    stored = chosen.settings.weights is WeightSource.STORED
    if file is None and chosen.pretrained is None:
        if stored:
            raise ConfigError(
                f"preset {chosen.name} has no trained weights to store; name a file with "
                "--pretrained, or a preset of a trained network"
            )
        return chosen
    if not stored:
        raise ConfigError(
            "weights of a trained network would be drawn anew; add --algorithm jackpot, which "
            "stores them"
        )
    if file is None:
        return _wired(chosen, data.load_network(chosen.pretrained, data_dir=data_dir))
    if file.suffix == KERAS:
        return _wired(chosen, data.read_keras(file))
    if chosen.pretrained is not None:
        raise ConfigError(f"preset {chosen.name} takes its network from an h5 file, not {file}")

    def model(**sizes: Any) -> Any:
        return load_state(chosen.model(**sizes), file)

    return replace(chosen, model=model)


def _wired(chosen: "Preset", network: "TrainedNetwork") -> "Preset":
    from tombola.search.input_code import InputCode
    from tombola.search.models.wired import Wired

    def model(*, shape: tuple[int, int, int], classes: int) -> Any:
        if shape != network.shape:
            raise ConfigError(
                f"{network.name} takes images of {network.shape}, but those of {chosen.dataset} "
                f"are {shape}"
            )
        return Wired(network.layers, image=network.input)

    if chosen.width != 1:
        raise ConfigError(f"{network.name} has the width it was trained with; leave --width out")
    return replace(chosen, model=model, code=InputCode.plain(network.shape[0], step=1.0))
