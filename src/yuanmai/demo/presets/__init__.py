"""The published figures of the five places, in our own form."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def preset(name: str) -> dict[str, Any]:
    """Return one preset file as a mapping."""
    document: dict[str, Any] = yaml.safe_load(
        (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    )
    return document
