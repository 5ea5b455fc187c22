"""Alarms on other pages."""

from collections.abc import Iterable
from typing import Any

from django import template

from yuanmai.devices.models import Alarm

register = template.Library()


@register.simple_tag
def alarm_lines(alarms: Iterable[Alarm]) -> list[dict[str, Any]]:
    """The lines of a list of alarms, as the page of alarms shows them."""
    from yuanmai.devices.rules.views.alarms import lines_of

    rows = (
        alarms.select_related("rule", "point", "group", "device", "assignee")
        if hasattr(alarms, "select_related")
        else alarms
    )
    return lines_of(rows)
