"""Looks for every program, package, data set and folder that Tombola uses.

What it marks `missing` has to be mended; what it marks `optional` only adds something."""

from .output import add_json, emit

SUMMARY = "what is installed, what is missing and how to mend it"

EXAMPLES = """\
  tombola doctor         a table; exit status 2 if something required is missing
  tombola doctor --json  the same for a program"""


def add_arguments(parser):
    """Declare the arguments of the verb."""
    parser.add_argument("--data-dir", metavar="DIR", help="a folder for data sets")
    add_json(parser)


def run(args) -> int:
    """Make every check; 0 if all that is required is there, else 2."""
    from dataclasses import asdict

    from .checkup import checkup

    checks = checkup(data_dir=args.data_dir)
    ok = all(check.ok for check in checks if check.required)
    document = {"ok": ok, "checks": [asdict(check) for check in checks]}
    emit(document, json_mode=args.json, table=lambda: _table(checks, ok=ok))
    return 0 if ok else 2


def _table(checks, *, ok):
    from rich.console import Group
    from rich.table import Table

    table = Table("what", "state", "version", "minimum", "where, or how to mend it")
    for check in checks:
        state = "ok" if check.ok else "missing" if check.required else "optional"
        where = check.found if check.ok else check.mend
        table.add_row(check.name, state, check.version, check.minimum, where)
    return Group(table, "all that is required is there" if ok else "something is missing")
