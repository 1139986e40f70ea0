"""Graph networks: runs one experiment seed by seed, `graphs.py NAME --work DIR`, and their section.

A seed whose result is in the work folder is not run again, and one that was stopped goes on from
its checkpoint, so the script can be started as often as it takes.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from record import environment, spread, tombola
from text import paragraph, percent

HERE = Path(__file__).parent / "graphs"
SEEDS = (1, 2, 3)
VALUES = (
    "float_accuracy", "integer_accuracy", "validation_accuracy", "last_accuracy", "epoch",
    "dropped", "weights", "layer_weights", "mask_bits", "seed_and_mask_bytes", "model_bytes",
    "ticket_file_bytes", "dense_bytes", "seconds",
)  # fmt: skip
SUMMED = (
    "float_accuracy", "integer_accuracy", "validation_accuracy", "last_accuracy", "seconds",
)  # fmt: skip
SETTINGS = (
    "model", "layers", "hidden", "ranking", "coats", "sparsity", "keep_of_16", "stages",
    "fold_masks", "epochs", "learning_rate", "dropout", "threads", "samples",
)  # fmt: skip
AUTHORS = {
    "citeseer": 69.09,
    "cora": 81.40,
}
"""Test accuracy of the dense network that the authors trained, 3 layers of 192 channels."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Options of `tombola search` beside the algorithm, and the authors' test accuracy in percent.

    Source of the published figures: Yan et al., "BingoGCN", 2025, and its repository.
    """

    algorithm: str
    dataset: str
    options: str = ""
    published: float | None = None

    @property
    def command(self) -> str:
        """For any of the seeds."""
        parts = (
            f"tombola search --algorithm {self.algorithm} --dataset {self.dataset}",
            self.options,
            "--seed SEED --out DIR",
        )
        return " ".join(part for part in parts if part)


def _multicoat(dataset: str, options: str = "", published: float | None = None) -> Experiment:
    return Experiment(
        algorithm="gnn-multicoat", dataset=dataset, options=options, published=published
    )


EXPERIMENTS = {
    "cora": _multicoat("cora", published=81.07),
    "cora-authors": _multicoat("cora", "--hyperparameters authors", 81.07),
    "cora-75": _multicoat("cora", "--sparsity 0.75", 80.27),
    "cora-9375": _multicoat("cora", "--sparsity 0.9375", 76.30),
    "cora-64": _multicoat("cora", "--hidden 64", 79.87),
    "cora-128": _multicoat("cora", "--hidden 128", 80.33),
    "cora-256": _multicoat("cora", "--hidden 256", 81.40),
    "cora-ugt": Experiment(algorithm="gnn-ugt", dataset="cora"),
    "cora-nm": Experiment(algorithm="gnn-nm", dataset="cora", published=81.07),
    "cora-gin": _multicoat("cora", "--model gin"),
    "citeseer": _multicoat("citeseer", published=67.30),
    "citeseer-authors": _multicoat("citeseer", "--hyperparameters authors", 67.30),
    "citeseer-ugt": Experiment(algorithm="gnn-ugt", dataset="citeseer"),
    "citeseer-nm": Experiment(algorithm="gnn-nm", dataset="citeseer", published=67.30),
    "cora-4": _multicoat("cora", "--layers 4"),
    "cora-4-folded": _multicoat("cora", "--layers 4 --stages 1"),
    "cora-4-shared": _multicoat("cora", "--layers 4 --stages 1 --fold-masks shared"),
    "cora-deep": _multicoat("cora", "--layers 5"),
    "cora-deep-folded": _multicoat("cora", "--layers 5 --stages 1"),
    "cora-deep-shared": _multicoat("cora", "--layers 5 --stages 1 --fold-masks shared"),
}


def run(name: str, seed: int, work: Path) -> dict:
    """What the search of one seed printed."""
    out = work / name / f"seed-{seed}"
    done = out / "result.json"
    if not done.exists():
        options = EXPERIMENTS[name].command.split()[1:-4]
        found = tombola(*options, "--seed", str(seed), "--out", str(out), "--resume")
        done.write_text(json.dumps(found))
    return json.loads(done.read_text())


def main() -> None:
    """Runs what is missing and writes the record once all seeds are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    found = [run(args.name, seed, args.work) for seed in SEEDS]
    record = {
        "name": args.name,
        "command": EXPERIMENTS[args.name].command,
        "seeds": list(SEEDS),
        "environment": environment(),
        "settings": {key: found[0][key] for key in SETTINGS},
        "runs": [
            {"seed": seed, **{key: each[key] for key in VALUES}}
            for seed, each in zip(SEEDS, found, strict=True)
        ],
        "summary": {key: spread([each[key] for each in found]) for key in SUMMED},
    }
    HERE.mkdir(exist_ok=True)
    (HERE / f"{args.name}.json").write_text(json.dumps(record, indent=2) + "\n")


def records() -> dict[str, dict]:
    """Every record that there is, in the order of the experiments."""
    paths = {name: HERE / f"{name}.json" for name in EXPERIMENTS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def section() -> str:
    """The section of the results page."""
    rows = [
        "| command, after `tombola search --algorithm` | test accuracy | last epoch | authors | "
        "seed and masks | than dense | epochs | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in records().items():
        experiment, summary, one = EXPERIMENTS[name], found["summary"], found["runs"][0]
        options = f"{experiment.algorithm} --dataset {experiment.dataset} {experiment.options}"
        published = "" if experiment.published is None else f"{experiment.published:.2f}"
        saved = 100 * (1 - one["seed_and_mask_bytes"] / one["dense_bytes"])
        rows.append(
            f"| `{options.strip()}` | {percent(summary['integer_accuracy'])} | "
            f"{percent(summary['last_accuracy'])} | {published} | "
            f"{one['seed_and_mask_bytes']} bytes | {saved:.1f} % less | "
            f"{found['settings']['epochs']} | {summary['seconds']['mean']:.0f} |"
        )
    where = next(iter(records().values()))["environment"]
    text = (
        "Classes of the nodes of a citation graph, GCN of 3 layers and 192 channels and 50 % of "
        "the weights dropped unless the options say otherwise. Accuracy of the ticket in exact "
        "integer arithmetic on the 1,000 test nodes, mean ± standard deviation over seeds "
        f"{', '.join(map(str, SEEDS))}; the ticket is the first epoch with the best accuracy on "
        "the 500 validation nodes. After the last epoch the search's own. Dense is the unfolded "
        "network with 32 bits a weight. Seconds are those of a search, one thread of a "
        f"{where}, which ran other work besides."
    )
    authors = (
        "The authors' figures (Yan et al. 2025, with 400 epochs) are of masks that keep 8, 4 or "
        "1 of each 16 outputs, those of other widths of masks without groups; their dense "
        f"networks, trained, reach {AUTHORS['cora']:.2f} on Cora and "
        f"{AUTHORS['citeseer']:.2f} on Citeseer."
    )
    sections = ["## Graphs", paragraph(text), paragraph(authors), "\n".join(rows), folding()]
    return "\n\n".join(sections)


def folding() -> str:
    """What sharing weights, and masks too, between the inner layers saves and costs."""
    names = {
        "none": "cora-deep",
        "weights": "cora-deep-folded",
        "weights and masks": "cora-deep-shared",
    }
    kept = records()
    rows = [
        "| shared by the inner layers | unique weights | seed and masks, bytes | than unfolded | "
        "test accuracy |",
        "|---|---|---|---|---|",
    ]
    whole = kept["cora-deep"]["runs"][0]["seed_and_mask_bytes"]
    for shared, name in names.items():
        one, accuracy = kept[name]["runs"][0], kept[name]["summary"]["integer_accuracy"]
        size = one["seed_and_mask_bytes"]
        rows.append(
            f"| {shared} | {one['weights']} | {size} | {100 * (1 - size / whole):.1f} % less | "
            f"{percent(accuracy)} |"
        )
    text = (
        f"Folding, on Cora with {kept['cora-deep']['settings']['layers']} layers, the inner ones "
        "on one set of weights. Weights come from the seed and cost no memory, so sharing them "
        "saves only what generates or holds them; masks are what is stored, and sharing these "
        "saves bytes. Five layers are more than this graph needs: all of them stay below three."
    )
    return "\n\n".join([paragraph(text), "\n".join(rows)])


if __name__ == "__main__":
    main()
