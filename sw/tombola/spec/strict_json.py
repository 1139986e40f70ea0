"""JSON from a stranger: one spelling, no key twice or unknown, only the kind asked for."""

import json
import math
from collections.abc import Callable
from typing import Any

from tombola.spec.errors import ConfigError, TicketError

Json = dict[str, Any]
MAX_TEXT = 1 << 16
UNPRINTABLE = frozenset(
    map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)])
)
"""What no text may hold: it could move a terminal's cursor, break a line, or have no encoding."""


KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "an integer",
    float: "a float",
    bool: "true or false",
    type(None): "null",
}


def canonical(document: Json) -> str:
    """Sorted keys, no blanks, ASCII only: one spelling for one document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def parse(text: str, what: str) -> Any:
    """The document in a JSON text; `what` names the text in messages.

    Raises
    ------
    TicketError
        If it is not JSON, is nested too deeply, or has a key twice in one object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        document = dict(pairs)
        if len(document) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise TicketError(f"{what} has the key {shown(twice)} twice in one object")
        return document

    try:
        return json.loads(text, object_pairs_hook=unique)
    except TicketError:
        raise
    except (ValueError, RecursionError):
        raise TicketError(f"not a ticket: its {what} is not JSON") from None


def shown(name: str) -> str:
    """A stranger's word as a message may print it: ASCII, on one line, not long."""
    word = ascii(name)[1:-1]
    return word if len(word) <= 40 else f"{word[:40]}.."


def _check_text(value: str, where: str) -> None:
    if len(value) > MAX_TEXT:
        raise TicketError(f"{where} is longer than {MAX_TEXT} characters")
    if not UNPRINTABLE.isdisjoint(value):
        raise TicketError(f"{where} holds a control character, a line break or half a surrogate")


def _check_integer(value: int, where: str) -> None:
    if not -(1 << 63) <= value < 1 << 63:
        raise TicketError(f"{where} is an integer of more than 64 bits")


class Reader:
    """One JSON object, whose keys are taken one by one and must all be taken.

    Parameters
    ----------
    document : Any
        What `json.loads` gave; anything but an object is refused.
    where : str
        Path of the object in the description, for messages.
    """

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise TicketError(f"{where} must be an object, not {KINDS[type(document)]}")
        self._left = dict(document)
        self.where = where

    def has(self, key: str) -> bool:
        """True while `key` is there and not taken."""
        return key in self._left

    def _take(self, key: str, kind: type) -> Any:
        if key not in self._left:
            raise TicketError(f"{self.where} has no key {key}")
        value = self._left.pop(key)
        if type(value) is not kind:  # bool is an int to isinstance
            raise TicketError(f"{self.where}.{key} must be {KINDS[kind]}, not {KINDS[type(value)]}")
        return value

    def integer(self, key: str) -> int:
        """An integer of at most 64 bits."""
        value: int = self._take(key, int)
        _check_integer(value, f"{self.where}.{key}")
        return value

    def boolean(self, key: str) -> bool:
        """True or false."""
        return bool(self._take(key, bool))

    def text(self, key: str) -> str:
        """A string of at most 65,536 characters."""
        value: str = self._take(key, str)
        _check_text(value, f"{self.where}.{key}")
        return value

    def integers(self, key: str, count: int) -> tuple[int, ...]:
        """Exactly `count` integers of at most 32 bits."""
        values: list = self._take(key, list)
        if len(values) != count or any(
            type(x) is not int or not -(1 << 31) <= x < 1 << 31 for x in values
        ):
            raise TicketError(f"{self.where}.{key} must be {count} integers of 32 bits")
        return tuple(values)

    def object(self, key: str) -> "Reader":
        """A nested object."""
        return Reader(self._take(key, dict), f"{self.where}.{key}")

    def each(self, key: str, make: "Callable[[Reader], Any]") -> tuple[Any, ...]:
        """A list of objects, each read by `make` to its last key."""
        out = []
        for index, entry in enumerate(self._take(key, list)):
            reader = Reader(entry, f"{self.where}.{key}[{index}]")
            try:
                out.append(make(reader))
            except ConfigError as error:
                raise TicketError(f"{reader.where}: {error}") from None
            reader.done()
        return tuple(out)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values: list = self._take(key, list)
        if any(type(x) is not str for x in values):
            raise TicketError(f"{self.where}.{key} must be a list of strings")
        for index, value in enumerate(values):
            _check_text(value, f"{self.where}.{key}[{index}]")
        return tuple(values)

    def scalars(self, key: str) -> dict[str, str | int | float]:
        """An object of strings, integers of at most 64 bits and finite floats only."""
        values: dict = self._take(key, dict)
        for name, value in values.items():
            _check_text(name, f"a key of {self.where}.{key}")
            where = f"{self.where}.{key}.{shown(name)}"
            if type(value) is str:
                _check_text(value, where)
            elif type(value) is int:
                _check_integer(value, where)
            elif type(value) is not float or not math.isfinite(value):
                raise TicketError(f"{where} must be a string or a finite number")
        return values

    def done(self) -> None:
        """Refuses what was not taken."""
        for key in self._left:
            raise TicketError(f"{self.where} has the unknown key {shown(key)}")
