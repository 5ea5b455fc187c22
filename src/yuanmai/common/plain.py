"""Decimals as JSON has them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def number(value: Decimal | None) -> int | float | None:
    """Return a Decimal as a JSON number: whole ones exactly, others as the nearest double."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def plain(value: Any) -> Any:
    """Return a structure with every Decimal as a JSON number."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
