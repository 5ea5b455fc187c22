"""What the components of the web kit need from a template: icons, words of lights, meters, the islands' dictionary.

Use with ``{% load ui %}``. ``docs/frontend.md`` shows every component; the tags here are the small change between them.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import Select
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.utils.functional import Promise
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_vite.core.asset_loader import DjangoViteAssetLoader

from yuanmai.common.money import grouped, trimmed
from yuanmai.core.templatetags.ui_strings import STRINGS

register = template.Library()

# Light: (word, icon, tone of the badge). The word always stands beside the colour.
LIGHTS: dict[str, tuple[Promise | str, str, str]] = {
    "green": (_("Normal"), "circle-check", "success"),
    "yellow": (_("Attention"), "alert-triangle", "warning"),
    "red": (_("Alert"), "alert-circle", "danger"),
    "grey": (_("No data"), "circle-dashed", "secondary"),
}

TONES = {"debug": "secondary", "info": "info", "success": "success", "warning": "warning", "error": "danger"}


@lru_cache(maxsize=8)
def _asset_url(path: str, _manifest_time: float) -> str:
    return str(DjangoViteAssetLoader.instance().generate_vite_asset_url(path))


def _asset(path: str) -> str:
    """The address of an asset built by Vite, by its path in ``frontend/``."""
    return _asset_url(path, 0.0)


@register.simple_tag
def asset(path: str) -> str:
    """Address of a built asset: ``{% asset "src/theme-boot.js" %}``."""
    return _asset(path)


@register.simple_tag
def icon(name: str, css: str = "", label: Any = "") -> SafeString:
    """An icon of the sprite (``frontend/scripts/icons.mjs`` lists the names); silent to screen readers without a label."""
    return _icon(str(name), str(css), str(label) if label else "")


@lru_cache(maxsize=2048)
def _icon(name: str, css: str, label: str) -> SafeString:
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}#{}"></use></svg>',
            css,
            label,
            _asset("src/icons.svg"),
            name,
        )
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        _asset("src/icons.svg"),
        name,
    )


@register.filter
def light_word(value: Any) -> str:
    """The word of a light: green, yellow, red, grey."""
    return str(LIGHTS.get(str(value), LIGHTS["grey"])[0])


@register.filter
def light_icon(value: Any) -> str:
    """The icon of a light; each light has another shape, so that colour never speaks alone."""
    return LIGHTS.get(str(value), LIGHTS["grey"])[1]


@register.filter
def light_tone(value: Any) -> str:
    """The tone (success, warning, danger, secondary) of a light."""
    return LIGHTS.get(str(value), LIGHTS["grey"])[2]


@register.filter
def message_tone(level_tag: Any) -> str:
    """The tone of a Django message level."""
    return TONES.get(str(level_tag), "info")


@register.filter
def undo_url(extra_tags: Any) -> str:
    """The address after ``undo=`` in a message's extra tags; empty when there is nothing to undo."""
    for word in str(extra_tags or "").split():
        if word.startswith("undo="):
            return word[5:]
    return ""


@register.filter
def with_css(field: BoundField, css: str = "") -> SafeString:
    """Render a form field's widget with the classes Tabler expects, its errors and help tied to it for screen readers."""
    widget = field.field.widget
    kind = getattr(widget, "input_type", "")
    if kind in ("checkbox", "radio") and hasattr(widget, "choices"):
        base = "ym-options"
    elif kind in ("checkbox", "radio"):
        base = "form-check-input"
    elif widget.__class__.__name__.startswith(("Select", "NullBooleanSelect")):
        base = "form-select"
    else:
        base = "form-control"
    classes = " ".join(
        filter(None, [widget.attrs.get("class", ""), base, css, "is-invalid" if field.errors else ""])
    )
    attrs: dict[str, Any] = {"class": classes}
    described = []
    if field.help_text:
        described.append(f"{field.auto_id}_help")
    if field.errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{field.auto_id}_errors")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return _select(field, attrs) if type(widget) is Select else field.as_widget(attrs=attrs)


def _select(field: BoundField, attrs: dict[str, Any]) -> SafeString:
    """What the widget's own template writes, without a template for every option; lists of choices can be long."""
    widget = field.field.widget
    choices = list(widget.choices)
    if any(isinstance(label, list | tuple) for _value, label in choices):
        return field.as_widget(attrs=attrs)
    attrs = field.build_widget_attrs(attrs, widget)
    if field.auto_id and "id" not in widget.attrs:
        attrs.setdefault("id", field.auto_id)
    chosen = set(widget.format_value(field.value()))
    options = []
    for value, label in choices:
        text = "" if value is None else str(value)
        # A select takes one value, however often it is offered.
        selected = " selected" if text in chosen else ""
        chosen -= {text}
        options.append(f'\n  <option value="{escape(text)}"{selected}>{conditional_escape(label)}</option>\n')
    said = flatatt(
        {key: value for key, value in widget.build_attrs(widget.attrs, attrs).items() if value is not None}
    )
    return mark_safe(f'<select name="{escape(field.html_name)}"{said}>{"".join(options)}\n</select>')


@register.filter
def is_check(field: BoundField) -> bool:
    """Is this field one tick box (its label stands behind it)?"""
    return getattr(field.field.widget, "input_type", "") == "checkbox" and not hasattr(
        field.field.widget, "choices"
    )


def _number(value: Any) -> Decimal | None:
    if type(value) is Decimal:
        return value if value.is_finite() else None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


@register.inclusion_tag("core/_meter.html")
def meter(
    value: Any, most: Any = 1, target: Any = None, label: Any = "", tone: str = "", text: Any = ""
) -> dict[str, Any]:
    """A bar of ``value`` out of ``most`` with an optional mark at ``target`` (the time passed, say); drawn as SVG."""
    whole = _number(most) or Decimal(1)
    number, goal = _number(value), _number(target)

    def share(part: Decimal | None) -> float | None:
        return None if part is None else round(float(min(Decimal(1), part / whole) * 100), 2)

    width = share(number)
    return {
        "width": width if width is None or width > 0 else 0,
        "mark": share(goal),
        "label": label,
        "text": text,
        "tone": tone or "primary",
        "over": number is not None and number > whole,
    }


@register.filter
def chart_json(chart: Any) -> SafeString:
    """A chart's description as JSON that is safe inside a ``<script type="application/json">``."""
    return json_block(chart)


def json_block(value: Any) -> SafeString:
    """JSON whose ``<``, ``>`` and ``&`` are escaped, so that no value can leave its script element."""

    def plain(item: Any) -> Any:
        return float(item) if isinstance(item, Decimal) else str(item)

    text = json.dumps(value, ensure_ascii=False, default=plain)
    return mark_safe(text.replace("&", "\\u0026").replace("<", "\\u003C").replace(">", "\\u003E"))


@register.simple_tag
def chart_table(chart: dict[str, Any]) -> dict[str, Any]:
    """Head and rows of the table behind a chart: ``{"head": […], "rows": [{"label", "url", "cells"}]}``.

    ``chart`` is the description of ``docs/frontend.md``: categories and series of equal length. `texts` says how many of the cells
    are words and not numbers.
    """
    if chart.get("type") == "sankey":
        return _flows(chart)
    series = chart.get("series", [])
    categories = chart.get("categories")
    if not categories and series and chart.get("type") == "pie":
        items = series[0].get("data", [])
        rows = [
            {"label": i.get("name", ""), "url": i.get("url", ""), "cells": [_shown(i.get("value"))]}
            for i in items
        ]
        return {"head": [chart.get("axis", ""), _with_unit(series[0], chart)], "rows": rows}
    rows = []
    for index, category in enumerate(categories or []):
        cells = [
            _shown(s["data"][index], _is_percent(s, chart)) if index < len(s.get("data", [])) else ""
            for s in series
        ]
        urls = chart.get("urls") or []
        rows.append({"label": category, "url": urls[index] if index < len(urls) else "", "cells": cells})
    return {"head": [chart.get("axis", ""), *[_with_unit(s, chart) for s in series]], "rows": rows}


def _flows(chart: dict[str, Any]) -> dict[str, Any]:
    """The links of a sankey: from, to, how it was shared out, amount; `head` names these columns."""
    nodes = {node["id"]: node for node in chart.get("nodes", [])}
    rows = [
        {
            "label": nodes[link["source"]]["label"],
            "url": nodes[link["source"]].get("url", ""),
            "cells": [nodes[link["target"]]["label"], link.get("note", ""), _shown(link["value"])],
        }
        for link in chart.get("links", [])
    ]
    return {"head": chart.get("head", []), "rows": rows, "texts": 2}


def _with_unit(series: dict[str, Any], chart: dict[str, Any]) -> str:
    unit = "" if _is_percent(series, chart) else series.get("unit") or chart.get("unit") or ""
    return f"{series.get('name', '')} ({unit})" if unit else str(series.get("name", ""))


def _is_percent(series: dict[str, Any], chart: dict[str, Any]) -> bool:
    return bool(chart.get("percent")) or series.get("axis") == "percent"


def _shown(value: Any, percent: bool = False) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        value = value.get("value")
    number = _number(value)
    if number is None:
        return str(value)
    return f"{trimmed(number * 100, 2)} %" if percent else trimmed(number, 2)


@register.simple_tag
def island_strings() -> SafeString:
    """The dictionary of the islands (``ui_strings.STRINGS``) in the reader's language, as JSON."""
    return _island_strings(get_language() or "")


@lru_cache(maxsize=8)
def _island_strings(_language: str) -> SafeString:
    return json_block({key: str(value) for key, value in STRINGS.items()})


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """``{{ mapping|get:key }}``: an entry of a dictionary, or nothing."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def times(number: Any) -> range:
    """``{% for _ in depth|times %}``: repeat something a number of times."""
    return range(int(number or 0))


@register.filter
def elided(paginator: Any, number: int) -> Any:
    """Page numbers around the current one, with the paginator's ellipsis in between."""
    return paginator.get_elided_page_range(number, on_each_side=2, on_ends=1)


MONEY_UNITS: dict[str, tuple[int, Promise | str]] = {
    "yuan": (1, _("yuan")),
    "wan": (10_000, _("10,000 yuan")),
    "yi": (100_000_000, _("100 million yuan")),
}


@register.simple_tag
def money_display(value: Any, unit: str = "wan", sign: Any = "") -> SafeString:
    """Yuan as 万元 or 亿元 for reading (``unit``: yuan, wan, yi, auto); the exact yuan stand in the title.

    ``unit="yi bare"`` leaves the word of the unit out (a column whose head says it).
    """
    number = _number(value)
    if number is None:
        return format_html('<span class="num text-secondary">–</span>')
    name, _space, option = str(unit).partition(" ")
    if name == "auto":
        name = "yi" if abs(number) >= 100_000_000 else "wan" if abs(number) >= 10_000 else "yuan"
    size, _word = MONEY_UNITS.get(name, MONEY_UNITS["wan"])
    text = grouped(number / size, 2)
    if sign and number > 0:
        text = f"+{text}"
    # Digits, signs and our own words: nothing here needs escaping but the words, and those are kept by language.
    language = get_language() or ""
    behind = "" if option == "bare" else f" <small>{_unit_word(name, language)}</small>"
    exact = f"{grouped(number, 2)} {_unit_word('yuan', language)}"
    return mark_safe(f'<span class="num ym-money" title="{exact}">{text}{behind}</span>')


@lru_cache(maxsize=16)
def _unit_word(name: str, _language: str) -> str:
    return escape(str(MONEY_UNITS.get(name, MONEY_UNITS["wan"])[1]))


@register.filter
def words(text: str) -> list[str]:
    """``{% for key in "cols sort"|words %}``."""
    return str(text).split()


@register.filter
def all_of(query: Any, key: str) -> list[str]:
    """Every value of a key in a query (``request.GET|all_of:"cols"``)."""
    return list(query.getlist(key)) if hasattr(query, "getlist") else []


@register.filter
def minus(number: Any, other: Any) -> int:
    """Whole-number difference; 0 where one of the two is missing."""
    try:
        return int(number) - int(other)
    except (TypeError, ValueError):
        return 0


@register.simple_tag(takes_context=True)
def same_frame(context: template.Context, url: str) -> str:
    """Return the address of a form with the frame that stands in the address of its page.

    A link that was passed on names organisation and day in its address; what is done on that page is done for them.
    """
    request = context.get("request")
    if request is None or "?" in url:
        return url
    given = [(name, request.GET[name]) for name in ("org", "as_of", "known_at") if request.GET.get(name)]
    return f"{url}?{urlencode(given)}" if given else url
