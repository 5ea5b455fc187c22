"""Hours as people type them: a line each, the days by name and a span; and back from data."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.figures.display import chinese

# What is understood in either language, whatever the page speaks; the first of each is what is shown.
CHINESE = {
    "all": ("每天", "每日", "全部"),
    "working": ("工作日", "上班日"),
    "off": ("休息日", "节假日", "非工作日"),
}
ENGLISH = {
    "all": ("all", "daily", "every day"),
    "working": ("working", "working days"),
    "off": ("off", "days off"),
}
WEEKDAYS = "一二三四五六日"
SPAN = re.compile(r"(.+?)\s*(\d{1,2}:\d{2})\s*(?:-|~|至|到)\s*(\d{1,2}:\d{2})")
HELP = gettext_lazy(
    "Left empty: always. Else a line each, like “working 08:00-18:00”, “off 00:00-24:00”, “all 22:00-06:00”, “6,7 09:00-17:00”."
)


def hours_text(hours: Sequence[dict[str, Any]]) -> str:
    """Return hours as they are typed in the language of the page, one line each."""
    lines = []
    for entry in hours:
        days = entry.get("days", "all")
        if isinstance(days, str):
            name = (CHINESE if chinese() else ENGLISH).get(days, (days,))[0]
        elif chinese():
            name = "、".join(f"周{WEEKDAYS[day - 1]}" for day in days)
        else:
            name = ",".join(map(str, days))
        lines.append(f"{name} {entry.get('from', '')}-{entry.get('until', '')}")
    return "\n".join(lines)


def hours_of(text: str) -> list[dict[str, Any]]:
    """Return typed hours as data; raises `ValidationError` at the field `hours`, naming the line."""
    found: list[dict[str, Any]] = []
    for line in re.sub("[－—–～]", "-", text.replace("：", ":")).splitlines():
        if not line.strip():
            continue
        told = SPAN.fullmatch(line.strip())
        if told is None:
            fault = _("“%(line)s”: write hours like “working 08:00-18:00”.") % {"line": line[:40]}
            raise ValidationError({"hours": [fault]})
        begin, until = (clock.zfill(5) for clock in told.groups()[1:])
        found.append({"days": _days(told[1].strip()), "from": begin, "until": until})
    return found


def _days(text: str) -> Any:
    for names in (CHINESE, ENGLISH):
        for days, known in names.items():
            if text.lower() in known:
                return days
    parts = [re.sub(r"^(周|星期)", "", part) for part in re.split(r"[,，、\s]+", text) if part]
    numbers = [WEEKDAYS.find(part.replace("天", "日")) + 1 if len(part) == 1 else 0 for part in parts]
    numbers = [
        int(part) if re.fullmatch("[0-9]", part) else number
        for part, number in zip(parts, numbers, strict=True)
    ]
    # What is no day is handed on as it is: the definition says what is wrong with it.
    return numbers if numbers and all(numbers) else text
