"""What a co-simulation found: how much was compared, what differs, and how fast the engine is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """The first wrong value of one image, traced back to the layer that made it.

    Attributes
    ----------
    image : int
        Index among the images simulated.
    layer : int
        Layer of the ticket whose output is wrong first.
    channel, y, x : int
        Where in that output.
    expected, got : int
    reproduced : bool
        False if the image gives the right tensors when it runs again: then the wrong value is of
        the logits as first seen, and depends on what ran before.
    winner : bool
        True if all logits are right and `expected` and `got` are the index of the largest.
    """

    image: int
    layer: int
    channel: int
    y: int
    x: int
    expected: int
    got: int
    reproduced: bool = True
    winner: bool = False

    def __str__(self) -> str:
        if self.winner:
            return f"image {self.image}, winner: expected {self.expected}, got {self.got}"
        line = (
            f"image {self.image}, layer {self.layer}, channel {self.channel}, "
            f"position (y {self.y}, x {self.x}): expected {self.expected}, got {self.got}"
        )
        return line if self.reproduced else f"{line}; right when the image runs again"

    def to_json(self) -> dict[str, Any]:
        """Fields by name."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class CosimReport:
    """Result of `tombola_sim.cosim.cosimulate`.

    Attributes
    ----------
    samples : int
        Images that ran.
    values_compared : int
        Logits compared with the integer model.
    wrong_values : int
        Logits that differ, and winners that differ though no logit of the image does.
    wrong_samples : int
        Images with a wrong value.
    mismatches : list of Mismatch
        The first wrong value of each wrong image, of the first few.
    cycles_per_inference : float
        From the engine's own counter, start to last logit; the mean over the images.
    counters : dict
        The engine's other counters, a mean each.
    macs_per_inference : int
        Masked additions of one inference.
    mac_utilisation : float
        Of the masked additions the array could do in these cycles, those it had to do: 0 to 1.
    simulated_cycles : int
        Clocks of the whole simulation, loading included.
    simulation_seconds : float
        Of simulation, without building the simulator; of the slowest of parallel processes.
    processor_seconds : float
        That all processes were at work: on a machine with other work, less than they took.
    geometry : str
    winners : int array (samples,)
        The engine's own choice for each image: the index of the largest logit.
    """

    samples: int
    values_compared: int
    wrong_values: int
    wrong_samples: int
    mismatches: list[Mismatch] = field(default_factory=list)
    cycles_per_inference: float
    counters: dict[str, float]
    macs_per_inference: int
    mac_utilisation: float
    simulated_cycles: int
    simulation_seconds: float
    processor_seconds: float
    geometry: str
    winners: np.ndarray

    @property
    def exact(self) -> bool:
        """Whether every value agrees."""
        return self.wrong_values == 0

    @property
    def simulated_cycles_per_second(self) -> float:
        """Speed of the simulation, loading and reading back included."""
        return self.simulated_cycles / max(self.simulation_seconds, 1e-9)

    def to_json(self) -> dict[str, Any]:
        """The report for programs: `mismatches` counts wrong values."""
        return {
            "geometry": self.geometry,
            "samples": self.samples,
            "values_compared": self.values_compared,
            "mismatches": self.wrong_values,
            "wrong_samples": self.wrong_samples,
            "first_mismatches": [mismatch.to_json() for mismatch in self.mismatches],
            "cycles_per_inference": _plain(self.cycles_per_inference),
            "macs_per_inference": self.macs_per_inference,
            "mac_utilisation": round(self.mac_utilisation, 4),
            "counters": {name: _plain(value) for name, value in self.counters.items()},
            "simulated_cycles": self.simulated_cycles,
            "simulated_cycles_per_second": round(self.simulated_cycles_per_second),
            "seconds": round(self.simulation_seconds, 1),
            "processor_seconds": round(self.processor_seconds, 1),
        }


def _plain(value: float) -> int | float:
    """A whole number as an int: cycles are whole unless a mean is not."""
    return int(value) if float(value).is_integer() else value
