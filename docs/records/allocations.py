"""How freezing is split and spread over the layers: accuracies of pruned and of locked sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from text import paragraph, signed
from trials import Results, accuracy, bits, record, trial

from tombola.sweep.grid import Trial

KEPT = 0.5
"""Of the weights that are not pruned beforehand."""
LAYER = {"scope": "layer"}
NETWORK = {"scope": "network"}
EPL, ERK, IGQ = ({**NETWORK, "allocation": name} for name in ("epl", "erk", "igq"))
LOCKED = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)
"""Parts of all weights to lock, where 70 % are frozen."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, how much of it is frozen, and the ways to spread that over its layers."""

    title: str
    network: tuple[tuple[str, str], ...]
    freeze: float
    spreads: tuple[dict[str, str], ...]

    def pruned(self, spread: dict[str, str]) -> Trial:
        """Only pruned, so that there are no two ratios to spread together or apart."""
        one = {name: value for name, value in spread.items() if name != "spread"}
        return self.search(one, lock=0.0)

    def frozen(self, spread: dict[str, str]) -> Trial:
        """Half pruned and half locked."""
        return self.search(spread, lock=self.freeze / 2)

    def search(self, spread: dict[str, str], *, lock: float) -> Trial:
        """So much locked and the rest pruned, half of what neither is kept."""
        prune = round(self.freeze - lock, 3)
        sparsity = round(prune + (1 - self.freeze) * (1 - KEPT), 3)
        frozen = {"prune": prune, **({"lock": lock} if lock else {})}
        return trial(**dict(self.network), **spread, sparsity=sparsity, **frozen, seed=1)


def _mlp(width: str) -> tuple[tuple[str, str], ...]:
    return (("preset", "fmnist-mlp"), ("width", width))


MLP = Case(
    title="784-256-256-10",
    network=_mlp("1"),
    freeze=0.7,
    spreads=(
        LAYER, NETWORK, EPL, ERK, IGQ,
        *({**spread, "spread": "independently"} for spread in (EPL, ERK, IGQ)),
    ),
)
NARROW = Case(
    title="784-128-128-10", network=_mlp("0.5"), freeze=0.9, spreads=(LAYER, NETWORK, EPL)
)
CONVOLUTIONAL = (("preset", "fmnist-cnn"), ("epochs", "2"))
CASES = (
    MLP,
    NARROW,
    *(
        Case(
            title="fmnist-cnn, 2 epochs", network=CONVOLUTIONAL, freeze=freeze,
            spreads=(LAYER, EPL),
        )
        for freeze in (0.9, 0.7)
    ),
)


def study(results: Results) -> list[Trial]:
    """Both sources for each case and spread, then the shares of locked weights."""
    wanted = [
        search
        for case in CASES
        for spread in case.spreads
        for search in (case.pruned(spread), case.frozen(spread))
    ]
    return list(dict.fromkeys([*wanted, *(MLP.search(EPL, lock=lock) for lock in LOCKED)]))


def section() -> str:
    """A row for each case and spread, and one for each share of locked weights."""
    where, results = record("allocations")
    rows = [
        "| network | frozen | threshold | allocation | p and r | pruned only | half locked | "
        "difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        for spread in case.spreads:
            both = [results.get(find(spread)) for find in (case.pruned, case.frozen)]
            shown = [percentage(one) for one in both]
            gap = ""
            if all(both):
                gap = signed(100 * (both[1]["integer_accuracy"] - both[0]["integer_accuracy"]))
            rows.append(
                f"| {case.title} | {case.freeze:.0%} | {spread['scope']} | "
                f"{spread.get('allocation', 'uniform')} | {spread.get('spread', 'jointly')} | "
                f"{shown[0]} | {shown[1]} | {gap} |"
            )
    shares = ["| pruned | locked | accuracy | model bits |", "|---|---|---|---|"]
    for lock in LOCKED:
        found = [results[one] for one in [MLP.search(EPL, lock=lock)] if one in results]
        shares.append(
            f"| {MLP.freeze - lock:.0%} | {lock:.0%} | {percentage(*found)} | {bits(found)} |"
        )
    text = (
        "How the two ratios are spread over the layers, with one threshold for each layer or for "
        f"the network; integer accuracy, seed 1, {KEPT:.0%} of what is not frozen kept, on a "
        f"{where}."
    )
    split = f"{MLP.title}, {MLP.freeze:.0%} frozen with EPL, by how much of that is locked:"
    return "\n\n".join([
        "### Allocations", paragraph(text), "\n".join(rows), paragraph(split), "\n".join(shares),
        *map(paragraph, findings(results)),
    ])


def percentage(found: Mapping[str, Any] | None = None) -> str:
    """Integer accuracy of one search."""
    return f"{100 * found['integer_accuracy']:.2f}" if found else "not run here"


def findings(results: Results) -> tuple[str, ...]:
    """Where locking is better, and what the allocation does to each source."""
    pairs = [
        (case, spread, *(results.get(find(spread)) for find in (case.pruned, case.frozen)))
        for case in CASES
        for spread in case.spreads
    ]
    done = [pair for pair in pairs if pair[2] and pair[3]]
    better = [
        f"{case.title} at {case.freeze:.0%}, {spread['scope']}, "
        f"{spread.get('allocation', 'uniform')}"
        for case, spread, pruned, frozen in done
        if accuracy(frozen) > accuracy(pruned)
    ]
    best = [max(accuracy(pair[side]) for pair in done if pair[0] is MLP) for side in (2, 3)]
    same = [accuracy(results[find(LAYER)]) for find in (MLP.pruned, MLP.frozen)]
    gains = [signed(100 * (most - least)) for most, least in zip(best, same, strict=True)]
    return (
        f"Here locking is better in {len(better)} of {len(done)} rows: {'; '.join(better)}. With "
        "the same ratios in all layers and a threshold for each, small layers are pruned as much "
        "as large ones: of the 256 inputs of a logit 70 % are pruned and half of the rest dropped, "
        "which leaves 38. Locked weights make up for that. An allocation that spares small layers "
        f"takes the reason away: of {MLP.title} the best one gives the pruned source {gains[0]} "
        f"points over the same ratios everywhere, the locked one {gains[1]}.",
        "The second table says it without any allocation in play: each weight that is locked and "
        "not pruned costs accuracy, from the first tenth on.",
    )
