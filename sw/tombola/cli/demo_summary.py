"""What a demo showed, as one document and as one table."""

from typing import Any

from tombola.cli.stages import Stage

FIGURES = (
    "geometry", "macs", "lut4", "ff", "block_ram", "fmax_mhz", "clock_mhz", "bitstream"
)  # fmt: skip
"""Of a build."""


def summarise(stages: list[Stage], seconds: float) -> dict[str, Any]:
    """Every stage's own document, and the figures people ask for first."""
    documents = {stage.name: stage.document for stage in stages}
    search, inspect, sim = documents["search"], documents["inspect"], documents["sim"]
    infer = documents["infer"]
    boards = {
        document["board"]: {key: document[key] for key in FIGURES}
        for name, document in documents.items()
        if name.startswith("build-")
    }
    files = [search["ticket"], *(board["bitstream"] for board in boards.values())]
    files += documents["rtl"].get("files", [])
    return {
        "summary": {
            "float_accuracy": search["float_accuracy"],
            "integer_accuracy": documents["eval"]["integer_accuracy"],
            "ticket_bytes": inspect["ticket_bytes"],
            "dense_bytes": inspect["dense_bytes"],
            "images_simulated": sim["samples"],
            "values_compared": sim["values_compared"],
            "mismatches": sim["mismatches"],
            "cycles_per_inference": sim["cycles_per_inference"],
            "virtual_board": infer["device"],
            "board_images": infer["samples"],
            "board_agreement": infer["agreement"],
            "board_accuracy": infer["accuracy"],
            "boards": boards,
            "files": [str(name) for name in files],
            "seconds": {stage.name: round(stage.seconds or 0, 1) for stage in stages},
            "seconds_in_all": round(seconds, 1),
        },
        "stages": documents,
    }


def summary_table(document: dict[str, Any]) -> Any:
    """The summary for people."""
    from rich.table import Table

    summary = document["summary"]
    table = Table("digits, from search to board", "", box=None)
    table.add_row("accuracy, float model", f"{summary['float_accuracy']:.2%}")
    table.add_row("accuracy, integer model", f"{summary['integer_accuracy']:.2%}")
    table.add_row("ticket", f"{summary['ticket_bytes']:,} bytes")
    table.add_row("same weights dense, 32 bits", f"{summary['dense_bytes']:,} bytes")
    table.add_row(
        "co-simulation",
        f"{summary['images_simulated']} images, {summary['values_compared']} logits, "
        f"{summary['mismatches']} mismatches",
    )
    table.add_row("cycles an inference", f"{summary['cycles_per_inference']:,.0f}")
    equal = round(summary["board_agreement"] * summary["board_images"])
    table.add_row(
        summary["virtual_board"],
        f"{equal} of {summary['board_images']} images, every logit as the integer model; "
        f"{summary['board_accuracy']:.2%} right",
    )
    for name, board in summary["boards"].items():
        table.add_row(
            f"{name}, {board['geometry']}",
            f"{board['lut4']:,} LUT4, {board['block_ram']} block RAM, "
            f"{board['fmax_mhz']:.1f} MHz for a clock of {board['clock_mhz']:g} MHz",
        )
    for name in summary["files"]:
        table.add_row("written", name)
    for name, seconds in summary["seconds"].items():
        table.add_row(f"seconds, {name}", f"{seconds:.0f}")
    table.add_row("seconds in all", f"{summary['seconds_in_all']:.0f}")
    return table
