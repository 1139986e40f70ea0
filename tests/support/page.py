"""Known answers: the fenced JSON blocks of the pages in docs/, the one place where they stand."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```json known-answer (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def _answers(page: str) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        assert name not in answers, f"{page} gives {name} twice"
        answers[name] = json.loads(text)
    return answers


def known_answer(page: str, name: str) -> Any:
    """The block `name` of a page such as ``weight-stream.md``."""
    return _answers(page)[name]


def names(page: str) -> set[str]:
    """Every block of a page, for the test that none is left unread."""
    return set(_answers(page))


def page_says(page: str, text: str) -> bool:
    """True if a page states a figure, wherever its lines break."""
    words = (DOCS / page).read_text(encoding="utf-8").split()
    return text in " ".join(words)
