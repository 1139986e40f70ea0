"""How numbers and sentences look on the pages that are made from records."""

import textwrap


def percent(summary: dict) -> str:
    """Mean and deviation."""
    return f"{100 * summary['mean']:.2f} ± {100 * summary['deviation']:.2f}"


def signed(points: float) -> str:
    """With its sign, and zero never negative."""
    return f"{round(points, 2) + 0.0:+.2f}"


def paragraph(text: str) -> str:
    """Text in lines of at most 100 columns."""
    return textwrap.fill(text, width=100, break_long_words=False, break_on_hyphens=False)
