"""The page docs/engine-reference.md, written from the contract that it describes."""

import ast
import enum
import inspect
import sys
from collections.abc import Iterable

from tombola.spec import descriptor, link, registers
from tombola.spec.engine import EngineConfig

HEAD = """# Engine reference

Written by `python -m tombola.spec.reference_page` from `tombola.spec`; a test keeps it equal. What
host, compiler and hardware agree on: addresses, registers, the layer descriptor, the serial link.
"""


def meanings(kind: type[enum.IntEnum]) -> dict[str, str]:
    """The sentence below each member of an enumeration, as its source has it; none is empty."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    said = dict.fromkeys(kind.__members__, "")
    name = ""
    for statement in definition.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif name and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            said[name] = " ".join(str(statement.value.value).split())
            name = ""
        else:
            name = ""
    return said


def table(head: str, rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; `head` is its first line without the outer bars."""
    lines = [f"| {head} |", "|" + "---|" * (head.count("|") + 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _addresses() -> str:
    said = meanings(registers.Window)
    rows = [
        (f"`{window.base:06X}`", window.name.lower(), said[window.name])
        for window in registers.Window
    ]
    return (
        "## Addresses\n\n"
        f"{registers.ADDRESS_BITS} bits, counting words of {registers.DATA_BITS} bits; the bits "
        f"above {registers.WINDOW_BITS - 1} select a window.\n\n" + table("base | window | ", rows)
    )


def _registers() -> str:
    rows = [(f"`{x.address:02X}`", x.name, x.access, x.meaning) for x in registers.REGISTERS]
    said = meanings(registers.ErrorCode)
    codes = [(int(x), x.name.lower(), said[x.name]) for x in registers.ErrorCode]
    return (
        f"## Registers, version {registers.VERSION}\n\n"
        + table("address | name | access | ", rows)
        + "\nError codes, bits 15..8 of `status`:\n\n"
        + table("code | name | ", codes)
    )


def _descriptor() -> str:
    rows = []
    form = descriptor.format_of(EngineConfig().features)
    for field in form.fields:
        word, low = form.places[field.name]
        bits = f"{low + field.bits - 1}..{low}" if field.bits > 1 else str(low)
        kind = "signed" if field.signed else ""
        rows.append((word, bits, field.name, kind, field.meaning))
    operations = [(int(x), x.name.lower()) for x in descriptor.Operation]
    return (
        f"## Layer descriptor: {form.words} words in the ticket memory\n\n"
        + table("word | bits | field | | ", rows)
        + "\nOperations; 0 is none and an error:\n\n"
        + table("value | operation", operations)
    )


def _link() -> str:
    said = meanings(link.Command)
    rows = [(f"`{int(x):02X}`", x.name.lower(), said[x.name]) for x in link.Command]
    text = inspect.getdoc(link) or ""
    _, _, body = text.partition("\n\n")
    return f"## Serial link\n\n{body}\n\n" + table("command | name | ", rows)


def _parameters() -> str:
    rows = [(f"`{name}`", value) for name, value in EngineConfig().to_json().items()]
    return "## Parameters of an engine and their defaults\n\n" + table("parameter | default", rows)


def page() -> str:
    """The whole page."""
    parts = (HEAD, _addresses(), _registers(), _descriptor(), _link(), _parameters())
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
