"""Runs a study and keeps its record: `study.py NAME --work DIR`.

A search that is done is not run again, and one that was stopped goes on from its checkpoint, so the
script can be started as often as it takes; after the minutes it begins no other search, and keeps
what there is.
"""

import argparse
import importlib
from pathlib import Path

from trials import finish, keep

STUDIES = ("by_sparsity", "by_algorithm", "allocations", "freezing")


def main() -> None:
    """Runs what is missing and writes the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=STUDIES)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    args = parser.parse_args()
    wanted = importlib.import_module(args.name).study
    keep(args.name, finish(wanted, args.work, minutes=args.minutes))


if __name__ == "__main__":
    main()
