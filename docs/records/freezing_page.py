"""The section and the picture of partial freezing: dense, pruned-only and frozen sources."""

import io
import statistics
from pathlib import Path
from typing import Any

from freezing import CONVOLUTIONAL, CONVOLUTIONAL_EPOCHS, HIDDEN, SEEDS, Point, networks
from text import paragraph, signed
from trials import Results, accuracies, accuracy, bits, option, record

from tombola.spec.paths import write_atomically

PICTURE = Path(__file__).parents[1] / "freezing.svg"
MARKS = {"dense": "o", "pruned": "v", "frozen": "s"}
NAMES = {"dense": "dense", "pruned": "pruned only", "frozen": "pruned and locked"}


def title(point: Point) -> str:
    """Of its network."""
    if point.preset == CONVOLUTIONAL:
        return f"{CONVOLUTIONAL}, {point.width:g} times as wide"
    hidden = HIDDEN[point.width]
    return f"784-{hidden}-{hidden}-10"


def cell(point: Point, results: Results) -> str:
    """Accuracy, and the sparsity that it was reached with."""
    found = point.found(results)
    return f"{accuracies(found)} at {point.best(results):g}" if found else "not run here"


def table(results: Results) -> str:
    """A row for each network and freeze ratio; both sources of a row spend the same bits."""
    rows = [
        "| network | frozen | model bits | pruned only | pruned and locked | difference |",
        "|---|---|---|---|---|---|",
    ]
    for dense, *rest in networks():
        found = dense.found(results)
        rows.append(f"| {title(dense)} | none | {bits(found)} | {cell(dense, results)} | | |")
        for pruned, frozen in zip(rest[::2], rest[1::2], strict=True):
            both = pruned.found(results), frozen.found(results)
            rows.append(
                f"| | {pruned.freeze:.0%} | {bits([*both[0], *both[1]])} | {cell(pruned, results)} "
                f"| {cell(frozen, results)} | {difference(*both)} |"
            )
    return "\n".join(rows)


def difference(pruned: list[dict[str, Any]], frozen: list[dict[str, Any]]) -> str:
    """Points by which locking is better; in bold beyond the larger deviation of the two."""
    if not pruned or not frozen:
        return ""
    values = [[100 * one["integer_accuracy"] for one in found] for found in (pruned, frozen)]
    gap = statistics.mean(values[1]) - statistics.mean(values[0])
    if min(map(len, values)) < len(SEEDS):
        return signed(gap)
    spread = max(map(statistics.stdev, values))
    return f"**{signed(gap)}**" if abs(gap) > spread else signed(gap)


def draw(results: Results, path: Path) -> None:
    """Writes accuracy against model bits, a colour for each network."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for colour, every in zip(mpl.colormaps["tab10"].colors, networks(), strict=False):
        for source, mark in MARKS.items():
            line = []
            for point in every:
                found = point.found(results)
                if not found or point.source not in ("dense", source):
                    continue
                values = [100 * one["integer_accuracy"] for one in found]
                size = 8 * statistics.mean(one["model_bytes"] for one in found)
                spread = statistics.stdev(values) if len(values) > 1 else 0.0
                line.append((size, statistics.mean(values), spread))
                if point.source == source:
                    axes.errorbar(*line[-1], fmt=mark, color=colour, markersize=5)
            if line and source != "dense":
                style = "--" if source == "pruned" else "-"
                axes.plot(*zip(*(p[:2] for p in sorted(line)), strict=True), style, color=colour)
        if every[0].found(results):
            axes.plot([], [], color=colour, label=title(every[0]))
    for source, mark in MARKS.items():
        style = {"dense": "", "pruned": "--", "frozen": "-"}[source]
        axes.plot([], [], f"{style}{mark}", color="grey", label=NAMES[source])
    axes.set(xlabel="model bits (seed, mask, requantisation)", ylabel="integer accuracy, %")
    axes.set_title("Fashion-MNIST")
    axes.set_xscale("log")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "tombola"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    write_atomically(path, content.getvalue())


def gaps(results: Results) -> list[tuple[Point, float]]:
    """Of each pair of sources, points by which locking is better than pruning alone."""
    found = []
    for _, *rest in networks():
        for pruned, frozen in zip(rest[::2], rest[1::2], strict=True):
            both = [[100 * accuracy(one) for one in x.found(results)] for x in (pruned, frozen)]
            if all(both):
                found.append((frozen, statistics.mean(both[1]) - statistics.mean(both[0])))
    return found


def order(results: Results) -> str:
    """Where locking is better, and how far from it the rest is."""
    found = gaps(results)
    better = [f"{title(point)} at {point.freeze:.0%} ({signed(gap)})"
              for point, gap in found if gap > 0]
    by_ratio = []
    for ratio in sorted({point.freeze for point, _ in found}):
        each = [gap for point, gap in found if point.freeze == ratio]
        by_ratio.append(f"{signed(min(each))} to {signed(max(each))} points at {ratio:.0%}")
    where = f"only on {', '.join(better)}" if better else "nowhere in this table"
    return (
        f"Locking is better than pruning alone {where}: the difference is "
        f"{', '.join(by_ratio)} frozen. Of a single seed, a few tenths say little."
    )


def widths(results: Results) -> str:
    """How the difference goes with the width, and what a dense network of the same bits does."""
    found = [(point, gap) for point, gap in gaps(results) if point.preset != CONVOLUTIONAL]
    most = max(point.freeze for point, _ in found)
    by_width = ", ".join(
        f"{signed(gap)} with {HIDDEN[point.width]} hidden values"
        for point, gap in found if point.freeze == most
    )
    pairs = []
    for narrow, ratio in ((0.5, 0.9), (1.0, 0.7)):
        points = (
            Point(source="dense", freeze=0.0, width=narrow),
            *(Point(source=source, freeze=ratio, width=2.0) for source in ("pruned", "frozen")),
        )
        dense, pruned, frozen = (
            f"{accuracies(point.found(results))} in {bits(point.found(results))} bits"
            for point in points
        )
        pairs.append(
            f"{title(points[0])} without freezing has {dense}; {title(points[1])} with {ratio:.0%} "
            f"pruned {pruned}, with as much pruned and locked {frozen}"
        )
    return (
        f"The wider the network, the smaller the loss: at {most:.0%} frozen, {by_width}. At equal "
        f"bits, a wide network with few searchable weights stands beside a narrow one with many: "
        f"{'. '.join(pairs)}."
    )


def collapses(results: Results) -> str:
    """What locked weights are good for: searches that lost a layer."""
    lost = [one for one, found in results.items() if "error" in found]
    locked = [one for one in lost if option(one, "freeze")]
    return (
        f"Locked weights do hold a network together. Of the searches for the best sparsity, "
        f"{len(lost)} were refused since one threshold for the network left their first layer no "
        f"weight at all, each keeping a tenth of what was free or less; {len(locked)} of them had "
        "locked weights, since a layer that has some cannot be cut."
    )


WHY = (
    "Why: a frozen source of sparsity s locks a part f (1 - s) of all weights, and the search "
    "keeps (1 - f) (1 - s) of them, so of the terms that a sum adds the part f is locked whatever "
    "s is. Locked terms are a fixed random projection of the input. Its variance stands beside "
    "that of the searched terms, the batch norm divides by both, and the part 1 - f that the "
    "search can shape shrinks with every weight that is locked; the score gradients cannot remove "
    "it. A pruned source adds only searched terms, fewer of them. Fewer are enough here: a hidden "
    "value sums over hundreds of inputs, and neighbouring pixels say nearly the same, so a few "
    "dozen of them carry what it needs. Noise falls behind as layers widen, since searched terms "
    "pull in one direction and add up in proportion to their number, random ones to its root: "
    "that is why wider networks lose less by locking at the same ratio."
)


def section() -> str:
    """The table, the picture and what they say."""
    where, results = record("freezing")
    method = METHOD.format(where=where, epochs=CONVOLUTIONAL_EPOCHS)
    texts = (method, order(results), widths(results), WHY, collapses(results))
    return "\n\n".join([
        "## Partial freezing against pruning",
        *map(paragraph, texts),
        f"![accuracy against model bits]({PICTURE.name})",
        table(results),
    ])


def picture() -> None:
    """Draws the page's picture anew."""
    draw(record("freezing")[1], PICTURE)


METHOD = (
    "What the seed freezes owns no mask bit, so freezing makes a ticket smaller without changing "
    "the network. A pruned source has the frozen weights pruned; a frozen source has part of them "
    "locked, and at the same freeze ratio both spend the same bits. Otsuka et al. (2024) find the "
    "frozen source above the pruned one where much is frozen. Here, on Fashion-MNIST: one "
    "threshold for the network, EPL, the epochs of the preset; of a frozen source, the sparsity "
    "says which part of what is frozen is pruned. The target sparsity of each point is the best "
    "of three on seed 1, and stands beside the accuracy; networks of 512 and more take those of "
    "784-256-256-10. Accuracies are those of the ticket in integers, all 10000 test images; these "
    "networks, and the convolutional one with {epochs} epochs and half of what is not pruned kept, "
    "compute in bfloat16 while searching. On a {where}."
)
