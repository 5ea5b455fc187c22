"""Numbers and data of devices on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def plain_number(value: float | None) -> str:
    """A number without trailing zeros: 14.0 is 14; "∞" for one that is not there."""
    return "∞" if value is None else f"{value:.12g}"


@register.filter
def grid_numbers(row: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """The number fields of a row of the grid of points: name, label, value as it was typed."""
    labels = {
        "low": _("Lowest"), "high": _("Highest"), "scale": _("Scale"), "offset": _("Offset"), "deadband": _("Deadband"),
        "decimals": _("Decimals"),
    }  # fmt: skip
    return [(name, label, "" if row.get(name) is None else row.get(name)) for name, label in labels.items()]


@register.filter
def json_data(value: Any) -> SafeString:
    """Data for an island: a script element of JSON; nothing in it can end the element."""
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return mark_safe(f'<script type="application/json">{safe}</script>')
