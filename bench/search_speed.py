"""What a step of the search costs, against a plain PyTorch training step of the same network.

Both run by turns in one process on the same images: the dense network in float32 as PyTorch makes
it, the same with its maps channels last, and the network under search with masks, quantised
activations and new masks after each step. Prints images a second, the cost of one in the other, and
what the search's own parts take. Say OMP_NUM_THREADS=N for N cores, and let nothing else run: two
threads on busy cores wait for each other. Time is the clock's; time on the processor stands beside
it, for machines with other work.
"""

import argparse
import copy
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tombola.search.activation import FixedQuantiser
from tombola.search.determinism import deterministic
from tombola.search.models import build
from tombola.search.network import Network, convert
from tombola.search.presets import preset
from tombola.search.quantiser import floor_clamp
from tombola.search.settings import SearchSettings
from tombola.search.straight_through import masked_weights

NETWORKS: dict[str, tuple[Callable[..., nn.Module], tuple[int, int, int]]] = {
    "conv4": (partial(build, "conv4"), (3, 32, 32)),
    "fmnist-cnn": (preset("fmnist-cnn").model, (1, 28, 28)),
}
CLASSES = 10
PLAIN = ("dense", "dense, channels last")
"""What the search is compared with."""
Seconds = tuple[float, float]
"""By the clock, and on the processor."""


def timed(work: Callable[[], Any]) -> Seconds:
    """How long something takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "lower": lower, "upper": upper}


def costs(times: dict[str, list[Seconds]], plain: str) -> dict[str, dict[str, float]]:
    """The search's step in those of a plain network, turn by turn."""
    turns = list(zip(times["search"], times[plain], strict=True))
    return {
        clock: spread([ours[which] / theirs[which] for ours, theirs in turns])
        for which, clock in enumerate(("clock", "processor"))
    }


class Stepper:
    """Training steps of a network on one batch, over and over."""

    def __init__(self, network: nn.Module, images: Tensor, labels: Tensor) -> None:
        self._network, self._images, self._labels = network, images, labels
        self._optimiser = torch.optim.SGD(
            network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4
        )

    def step(self) -> None:
        """Forward, backward, and the optimiser's; under search the masks follow."""
        if isinstance(self._network, Network):
            with deterministic(threads=torch.get_num_threads()):
                self._train()
                self._network.select()
        else:
            self._train()

    def _train(self) -> None:
        loss = functional.cross_entropy(self._network(self._images), self._labels)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()


def parts(network: Network, images: Tensor) -> dict[str, Callable[[], None]]:
    """The search's own work in a step, each part by itself on tensors of the right shapes."""
    maps: list[Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0].detach().clone()))
        for module in network.modules()
        if isinstance(module, FixedQuantiser)
    ]
    network(images)
    for hook in hooks:
        hook.remove()

    def mask() -> None:
        for conv in network.convs:
            made = masked_weights(conv.scores, conv.weights, conv.mask, slope=conv.slope)
            made.backward(conv.weights)

    def quantise() -> None:
        for values in maps:
            source = values.clone().requires_grad_()
            floor_clamp(source * 1, low=0, high=255).backward(values)

    def rectify() -> None:
        for values in maps:
            source = values.clone().requires_grad_()
            functional.relu(source * 1).backward(values)

    return {
        "selection of masks": network.select,
        "masking of weights": mask,
        "quantiser": quantise,
        "plain ReLU instead": rectify,
    }


def measure(name: str, *, batch: int, steps: int) -> dict[str, Any]:
    """One network's figures: medians of a step by clock and processor, quartiles of the costs."""
    make, shape = NETWORKS[name]
    torch.manual_seed(1)
    dense = make(shape=shape, classes=CLASSES)
    network = convert(copy.deepcopy(dense), SearchSettings(), shape=shape)
    images = torch.randint(0, 256, (batch, *shape), dtype=torch.uint8)
    labels = torch.randint(CLASSES, (batch,))
    plain = images.float() / 255
    steppers = {
        "dense": Stepper(dense, plain, labels).step,
        "dense, channels last": Stepper(
            copy.deepcopy(dense).to(memory_format=torch.channels_last),
            plain.contiguous(memory_format=torch.channels_last),
            labels,
        ).step,
        "search": Stepper(network, images, labels).step,
    }
    works = {**steppers, **parts(network, images)}
    times: dict[str, list[Seconds]] = {name: [] for name in works}
    for _ in range(steps + 1):
        for work, spent in times.items():
            spent.append(timed(works[work]))
    times = {work: spent[1:] for work, spent in times.items()}  # the first ones warm up
    found = {
        work: [1000 * statistics.median(x) for x in zip(*spent, strict=True)]
        for work, spent in times.items()
    }
    return {
        "network": name,
        "batch": batch,
        "steps": steps,
        "threads": torch.get_num_threads(),
        "images_a_second": {work: 1000 * batch / found[work][0] for work in steppers},
        "cost": {plain: costs(times, plain) for plain in PLAIN},
        "milliseconds": found,
    }


def say(found: dict[str, Any]) -> None:
    """A network's figures for people."""
    lines = [
        f"{found['network']}: batch {found['batch']}, {found['steps']} steps, "
        f"{found['threads']} threads",
    ]
    for plain, cost in found["cost"].items():
        clock, processor = (
            f"{x['median']:.2f} ({x['lower']:.2f} to {x['upper']:.2f})" for x in cost.values()
        )
        lines.append(f"  search in {plain}: {clock} by the clock, {processor} on the processor")
    for name, (clock, processor) in found["milliseconds"].items():
        speed = found["images_a_second"].get(name)
        images = "" if speed is None else f"{speed:8.0f} images/s"
        lines.append(f"  {name:22}{clock:9.1f} ms{processor:9.1f} ms processor{images}")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = [measure(name, batch=args.batch, steps=args.steps) for name in args.networks]
    if args.json:
        sys.stdout.write(json.dumps(results, indent=2) + "\n")
    else:
        for found in results:
            say(found)


if __name__ == "__main__":
    main()
