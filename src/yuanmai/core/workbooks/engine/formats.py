"""Texts with a form of their own, read by the room that knows it: a credit code, a licence plate.

A reader takes the text of a cell and returns it as it is kept; it raises ValueFault with the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Callable

FORMATS: dict[str, Callable[[str], str]] = {}


def text_format(name: str, read: Callable[[str], str]) -> None:
    """Declare the reader of a form; raises ValueError where the name is taken."""
    if name in FORMATS:
        raise ValueError(f"text format {name} is declared twice")
    FORMATS[name] = read
