"""Sample tickets: a network of the suite with a random mask, the same for the same arguments."""

import numpy as np

from tombola.model.convert import convert
from tombola.model.description import FloatNetwork
from tombola.spec.errors import ConfigError
from tombola.spec.start_state import MAX_SEED
from tombola.spec.ticket import Input, Ticket
from tombola.suite.draft import INPUT_STEP, UNSIGNED, Draft
from tombola.suite.networks import NETWORKS
from tombola.suite.recipe import Recipe


def sample(network: str, *, seed: int = 1, recipe: Recipe | None = None) -> Ticket:
    """A valid ticket of a network of the suite, whose mask nobody searched.

    Parameters
    ----------
    network : str
        A name among `NETWORKS`.
    seed : int
        Of the weight streams and of the mask: 0 to 2^64 - 1.
    recipe : Recipe, optional
        One coat with nothing frozen if not given.

    Raises
    ------
    ConfigError
        If the network is unknown, or the seed has more than 64 bits.
    """
    if network not in NETWORKS:
        raise ConfigError(f"network must be one of {', '.join(NETWORKS)}, not {network}")
    if not 0 <= seed <= MAX_SEED:
        raise ConfigError(f"seed must be between 0 and 2^64 - 1, not {seed}")
    recipe, entry = recipe or Recipe(), NETWORKS[network]
    draft = Draft(entry.shape, seed=seed, recipe=recipe)
    entry.layers(draft, entry.classes)
    return convert(
        FloatNetwork(
            seed=seed,
            input=Input(
                shape=entry.shape, type=UNSIGNED, table=np.arange(256, dtype=np.int16)[None]
            ),
            input_step=INPUT_STEP,
            classes=tuple(str(number) for number in range(entry.classes)),
            layers=tuple(draft.layers),
            provenance=_provenance(network, recipe),
        )
    )


def _provenance(network: str, recipe: Recipe) -> dict[str, str | int | float]:
    made: dict[str, str | int | float] = {"network": network, "mask": "random"}
    if NETWORKS[network].dataset:
        made["dataset"] = NETWORKS[network].dataset
    if recipe.coding.coats is not None:
        return made | {"coats": recipe.coding.coats, "frozen": float(recipe.frozen)}
    assert recipe.coding.stored is not None
    return made | {"stored_bits": recipe.coding.stored}
