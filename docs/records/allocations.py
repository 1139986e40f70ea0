"""How freezing is split and spread over the layers: accuracies of pruned and of locked sources."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from text import paragraph, signed
from trials import Results, accuracy, bits, record, trial

from tombola.sweep.grid import Trial

KEPT = 0.5
"""Of the weights that are not pruned beforehand."""
SEEDS = (1, 2, 3)
"""Only where locking was found better; all else has the first."""
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

    def pruned(self, spread: dict[str, str], seed: int = 1) -> Trial:
        """Only pruned, so that there are no two ratios to spread together or apart."""
        one = {name: value for name, value in spread.items() if name != "spread"}
        return self.search(one, lock=0.0, seed=seed)

    def frozen(self, spread: dict[str, str], seed: int = 1) -> Trial:
        """Half pruned and half locked."""
        return self.search(spread, lock=self.freeze / 2, seed=seed)

    def search(self, spread: dict[str, str], *, lock: float, seed: int = 1) -> Trial:
        """So much locked and the rest pruned, half of what neither is kept."""
        prune = round(self.freeze - lock, 3)
        sparsity = round(prune + (1 - self.freeze) * (1 - KEPT), 3)
        frozen = {"prune": prune, **({"lock": lock} if lock else {})}
        return trial(**dict(self.network), **spread, sparsity=sparsity, **frozen, seed=seed)


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
    repeated = [find(LAYER, seed) for seed in SEEDS[1:] for find in (MLP.pruned, MLP.frozen)]
    shares = [MLP.search(EPL, lock=lock) for lock in LOCKED]
    return list(dict.fromkeys([*wanted, *shares, *repeated]))


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
            both = pair(case, spread, results)
            rows.append(
                f"| {case.title} | {case.freeze:.0%} | {spread['scope']} | "
                f"{spread.get('allocation', 'uniform')} | {spread.get('spread', 'jointly')} | "
                f"{shown(both[0], refused(case.pruned(spread), results))} | "
                f"{shown(both[1], refused(case.frozen(spread), results))} | {gap(*both)} |"
            )
    shares = ["| pruned | locked | accuracy | model bits |", "|---|---|---|---|"]
    for lock in LOCKED:
        found = [results[one] for one in [MLP.search(EPL, lock=lock)] if one in results]
        values = [100 * accuracy(one) for one in found]
        shares.append(
            f"| {MLP.freeze - lock:.0%} | {lock:.0%} | {shown(values)} | {bits(found)} |"
        )
    text = (
        "How the two ratios are spread over the layers, with one threshold for each layer or for "
        "the network; integer accuracy of seed 1, or of three seeds where there is a deviation; "
        f"{KEPT:.0%} of what is not frozen kept; on a {where}."
    )
    split = f"{MLP.title}, {MLP.freeze:.0%} frozen with EPL, by how much of that is locked:"
    return "\n\n".join([
        "### Allocations", paragraph(text), "\n".join(rows), paragraph(split), "\n".join(shares),
        *map(paragraph, findings(results)),
    ])


def pair(case: Case, spread: dict[str, str], results: Results) -> tuple[list[float], list[float]]:
    """Accuracies of the pruned and of the locked source in percent, those seeds that are done."""
    pruned, locked = (
        [
            100 * accuracy(results[one])
            for seed in SEEDS
            if (one := find(spread, seed)) in results and "error" not in results[one]
        ]
        for find in (case.pruned, case.frozen)
    )
    return pruned, locked


def refused(one: Trial, results: Results) -> bool:
    """Whether its masks cut the logits off."""
    return "error" in results.get(one, {})


def shown(values: Sequence[float], refused: bool = False) -> str:
    """Mean, with the deviation of several."""
    if not values:
        return "refused: a layer keeps no weight" if refused else "not run here"
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


def gap(pruned: Sequence[float], locked: Sequence[float]) -> str:
    """Points by which the locked source is better."""
    if not pruned or not locked:
        return ""
    return signed(statistics.mean(locked) - statistics.mean(pruned))


def findings(results: Results) -> tuple[str, ...]:
    """Where locking is better, and what the allocation does to each source."""
    pairs = [(case, spread, *pair(case, spread, results))
             for case in CASES for spread in case.spreads]
    done = [(case, spread, statistics.mean(pruned), statistics.mean(locked))
            for case, spread, pruned, locked in pairs if pruned and locked]
    better = [
        f"{case.title} at {case.freeze:.0%}, {spread['scope']}, "
        f"{spread.get('allocation', 'uniform')}"
        for case, spread, pruned, frozen in done
        if frozen > pruned
    ]
    best = [max(row[side] for row in done if row[0] is MLP) for side in (2, 3)]
    same = next(row[2:] for row in done if row[0] is MLP and row[1] is LAYER)
    gains = [signed(most - least) for most, least in zip(best, same, strict=True)]
    return (
        f"Here locking is better in {len(better)} of {len(done)} rows: {'; '.join(better)}. With "
        "the same ratios in all layers and a threshold for each, small layers are pruned as much "
        "as large ones: of the 256 inputs of a logit 70 % are pruned and half of the rest dropped, "
        "which leaves 38. Locked weights make up for that, unless so much is locked that they "
        "drown what is searched, as in 784-128-128-10 at 90 %. An allocation that spares small "
        f"layers takes the reason away: of {MLP.title} the best one gives the pruned source "
        f"{gains[0]} points over the same ratios everywhere, the locked one {gains[1]}.",
        "The second table says it without any allocation in play: each weight that is locked and "
        "not pruned costs accuracy, from the first tenth on.",
    )
