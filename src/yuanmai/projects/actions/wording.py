"""What a check found, in words, and the refusals that carry them."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Text
from yuanmai.projects.engine.checks import ERROR, WARNING, Issue

SENTENCES: Mapping[str, Text] = {
    "negative": gettext_lazy("Must not be negative."),
    "percent_over_100": gettext_lazy("A percentage of visible progress cannot be more than 100."),
    "done_over_total": gettext_lazy("%(value)s is more than the project's total investment of %(total)s."),
    "year_over_total": gettext_lazy("The year's %(value)s is more than the %(total)s done since the start."),
    "done_over_plan": gettext_lazy(
        "%(value)s is more than one and a half times the year's plan of %(plan)s. Is the unit right?"
    ),
    "less_investment_done": gettext_lazy("Less than last time: %(value)s after %(last)s."),
    "less_done_total": gettext_lazy("Less than last time: %(value)s after %(last)s."),
    "less_visible_percent": gettext_lazy("Less than last time: %(value)s %% after %(last)s %%."),
    "no_longer_started": gettext_lazy("The project was reported as started before."),
    "no_longer_resumed": gettext_lazy("The project was reported as resumed before."),
    "no_longer_completed": gettext_lazy("The project was reported as completed before."),
    "completed_not_started": gettext_lazy("A project that has not started cannot be completed."),
    "no_name": gettext_lazy("A project needs a name."),
    "same_name": gettext_lazy("A project of this name is already in the library: %(code)s."),
    "end_before_start": gettext_lazy("The completion %(finish)s lies before the start %(start)s."),
    "total_under_done": gettext_lazy("%(value)s is less than the %(done)s already reported as done."),
    "plan_over_total": gettext_lazy("%(value)s is more than the project's total investment of %(total)s."),
    "months_differ": gettext_lazy("The months add up to %(value)s, the year says %(plan)s."),
    "months_without_plan": gettext_lazy("The months are stated, the year's plan is not."),
    "cycle": gettext_lazy("A project cannot be part of itself or of its own sub-project."),
    "foreign_parent": gettext_lazy("The main project belongs to another organisation."),
    "future": gettext_lazy("%(day)s lies in the future."),
}
PERCENTS = {"percent_over_100", "less_visible_percent"}


def sentence(issue: Issue) -> str:
    """Return an issue in the active language, amounts as people read them."""

    def shown(value: Any) -> str:
        if isinstance(value, Decimal):
            plain = issue.code in PERCENTS
            return f"{value.normalize():f}" if plain else yuan_text(value, chinese=chinese())
        return value.isoformat() if isinstance(value, date) else str(value)

    return str(SENTENCES[issue.code]) % {name: shown(value) for name, value in issue.params.items()}


class NeedsConfirmation(ValidationError):  # noqa: N818  (named for what happened)
    """Something looks wrong, but may be right: the same call with `confirmed` goes through."""


def messages_of(issues: Iterable[Issue]) -> dict[str, list[str]]:
    """Return the sentences by field."""
    result: dict[str, list[str]] = {}
    for issue in issues:
        result.setdefault(issue.field, []).append(sentence(issue))
    return result


def enforce(issues: Iterable[Issue], *, confirmed: bool) -> None:
    """Raise `ValidationError` for errors, :class:`NeedsConfirmation` for warnings that nobody confirmed."""
    issues = list(issues)
    if errors := [issue for issue in issues if issue.level == ERROR]:
        raise ValidationError(messages_of(errors))
    warnings = [issue for issue in issues if issue.level == WARNING]
    if warnings and not confirmed:
        raise NeedsConfirmation(messages_of(warnings))


def reason_needed(reason: str) -> str:
    """Return a reason without blanks around it; raises `ValidationError` where there is none."""
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": [_("Say why: it stays in the history.")]})
    return reason[:500]
