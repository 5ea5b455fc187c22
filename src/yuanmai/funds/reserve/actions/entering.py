"""Putting a project in reserve, changing what is asked for, and withdrawing it."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.funds.coverage import record_coverage
from yuanmai.funds.engine.application import check_application
from yuanmai.funds.findings.reserve import refresh_reserve
from yuanmai.funds.models import Allotment, Frequency, Repayment, Reserve, ReserveItem
from yuanmai.funds.permissions import KEEP_RESERVE
from yuanmai.funds.reserve.moving import last_day, log, record_step
from yuanmai.funds.reserve.rules import Rules, rules_for
from yuanmai.funds.reserve.wording import sentence
from yuanmai.projects.actions import NeedsConfirmation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import ERROR
from yuanmai.projects.models import Project

MONEY = ("requested", "bonds_as_capital", "capital", "other_debt", "total_investment")
FIELDS = (
    "year", "field", "sector", *MONEY, "term_years", "rate", "frequency", "repayment", "construction_start",
    "construction_end", "operation_start", "joint_start", "deadline", "public_benefit", "gap_closing",
)  # fmt: skip
# The steps in which the figures of the application may be changed: while it is being prepared.
PREPARED = Reserve.State.RESERVE


def complete(given: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """Return every attribute of an application, those left out by their defaults; the frequency follows the term by rule."""
    values: dict[str, Any] = {
        "other_debt": Decimal(0), "bonds_as_capital": Decimal(0), "construction_start": None, "construction_end": None,
        "operation_start": None, "joint_start": "", "deadline": None, "public_benefit": "", "gap_closing": False,
        "repayment": Repayment.BULLET.value, "frequency": None,
    }  # fmt: skip
    values |= {name: given[name] for name in FIELDS if name in given}
    if absent := [name for name in FIELDS if name not in values or (values[name] is None and name in MONEY)]:
        raise ValidationError({name: [_("This must be stated.")] for name in absent})
    values["frequency"] = values["frequency"] or rules.frequency(values["term_years"])
    if values["frequency"] not in Frequency.values or values["repayment"] not in Repayment.values:
        raise ValidationError({"frequency": [_("Choose one of the list.")]})
    return values


def checked(values: Mapping[str, Any], rules: Rules, *, confirmed: bool) -> None:
    """Raise `ValidationError` by field for what is impossible, `NeedsConfirmation` for what is doubtful."""
    issues = check_application(values, rules)
    errors: dict[str, list[str]] = {}
    doubts: dict[str, list[str]] = {}
    for issue in issues:
        place = errors if issue.level == ERROR else doubts
        place.setdefault(issue.field or "__all__", []).append(sentence(issue))
    if errors:
        raise ValidationError(errors)
    if doubts and not confirmed:
        raise NeedsConfirmation(doubts)


@action("funds.enter_reserve", permission=KEEP_RESERVE)
def enter_reserve(
    act: Act,
    project: Project,
    on: date,
    given: Mapping[str, Any],
    *,
    depends_on: Iterable[Reserve] = (),
    confirmed: bool = True,
    synthetic: bool = False,
) -> Reserve:
    """Put a project in reserve from a day on; `given` are the attributes `FIELDS`, amounts in yuan, rate as a fraction.

    The lines of the checklist in force are laid out as missing. Raises `ValidationError` by field, also where the project
    stands in the reserve of that year already, and `NeedsConfirmation` for doubts unless `confirmed`.
    """
    act.require(project.org_id)
    rules = rules_for(project.org_id, on)
    values = complete(given, rules)
    checked(values, rules, confirmed=confirmed)
    if Reserve.objects.filter(project=project, year=values["year"], withdrawn_at=None).exists():
        raise ValidationError(
            {
                "year": [
                    _("This project stands in the reserve of %(year)s already.") % {"year": values["year"]}
                ]
            }
        )
    reserve = Reserve.objects.create(
        org_id=project.org_id,
        project=project,
        uid=uuid.uuid4(),
        recorded_at=act.now,
        editors=[act.actor.user_id] if act.actor.user_id else [],
        synthetic=synthetic,
        **values,
    )
    reserve.depends_on.set(depends_on)
    ReserveItem.objects.bulk_create(ReserveItem(reserve=reserve, code=code) for code in rules["checklist"])
    record_step(act, reserve, "enter", on)
    record_coverage(act, [reserve], on)
    log(act, reserve, after={**values, "effective_on": on})
    refresh_reserve(act, [reserve], on)
    return reserve


def locked(reserve: Reserve) -> Reserve:
    """Return the row as it stands now, held until the end of the transaction."""
    rows = Reserve.objects.select_for_update(of=("self",)).select_related("org", "project")
    return rows.get(pk=reserve.pk)


def changeable(reserve: Reserve) -> None:
    """Raise `ValidationError` unless the application is being prepared."""
    if reserve.withdrawn_at is not None:
        raise ValidationError(_("This project was withdrawn from the reserve; put it back first."))
    if reserve.state != PREPARED:
        raise ValidationError(
            _("The application is “%(state)s”; its figures can be changed only after it was sent back.")
            % {"state": reserve.get_state_display()}
        )
    if reserve.submitted_at is not None:
        raise ValidationError(
            _("The application is being reviewed. Take it back from the review before you change it.")
        )


def edited(act: Act, reserve: Reserve) -> dict[str, Any]:
    """Return the columns that remember who changed the application."""
    user = act.actor.user_id
    return {"editors": sorted({*reserve.editors, user})} if user else {"editors": reserve.editors}


@action("funds.change_reserve", permission=KEEP_RESERVE)
def change_reserve(
    act: Act,
    reserve: Reserve,
    on: date,
    given: Mapping[str, Any],
    *,
    depends_on: Iterable[Reserve] | None = None,
    confirmed: bool = True,
) -> Reserve:
    """Change what a reserve project asks for, while it is being prepared. Only what is given changes."""
    reserve = locked(reserve)
    act.require(reserve.org_id)
    changeable(reserve)
    rules = rules_for(reserve.org_id, on)
    before = {name: getattr(reserve, name) for name in FIELDS}
    values = complete({**before, **given}, rules)
    checked(values, rules, confirmed=confirmed)
    changed = {name: value for name, value in values.items() if value != before[name]}
    others = None if depends_on is None else {row.pk for row in depends_on}
    if others is not None:
        if reserve.pk in others:
            raise ValidationError({"depends_on": [_("A project cannot wait for itself.")]})
        if others == set(reserve.depends_on.values_list("pk", flat=True)):
            others = None
    if not changed and others is None:
        raise ValidationError(_("Nothing was changed."))
    taken = Reserve.objects.filter(project=reserve.project, year=values["year"], withdrawn_at=None)
    if taken.exclude(pk=reserve.pk).exists():
        raise ValidationError(
            {
                "year": [
                    _("This project stands in the reserve of %(year)s already.") % {"year": values["year"]}
                ]
            }
        )
    for name, value in {**changed, **edited(act, reserve)}.items():
        setattr(reserve, name, value)
    reserve.save(update_fields=[*changed, "editors"])
    if others is not None:
        reserve.depends_on.set(others)
    day = max(on, last_day(reserve) or on)
    record_step(act, reserve, "change", day)
    record_coverage(act, [reserve], day)
    log(act, reserve, before={n: before[n] for n in changed}, after=changed)
    refresh_reserve(act, [reserve], day)
    return reserve


@action("funds.withdraw_reserve", permission=KEEP_RESERVE)
def withdraw_reserve(act: Act, reserve: Reserve, on: date, reason: str) -> Reserve:
    """Withdraw a project from the reserve: it no longer asks for bonds. Refused where tranches are allotted to it."""
    reserve = locked(reserve)
    act.require(reserve.org_id)
    reason = reason_needed(reason)
    if reserve.withdrawn_at is not None:
        raise ValidationError(_("This project was withdrawn already."))
    if reserve.state not in {PREPARED, Reserve.State.REVIEWED, Reserve.State.REPORTED}:
        raise ValidationError(
            _("The application is “%(state)s”; take the approval back first.")
            % {"state": reserve.get_state_display()}
        )
    if (
        Allotment.objects.filter(project=reserve.project, retracted_at=None).exists()
        and reserve.state != PREPARED
    ):
        raise ValidationError(_("Tranches are allotted to this project; take the allotment back first."))
    reserve.withdrawn_at, reserve.submitted_at = act.now, None
    reserve.save(update_fields=["withdrawn_at", "submitted_at"])
    day = max(on, last_day(reserve) or on)
    record_step(act, reserve, "withdraw", day, text=reason)
    log(act, reserve, after={"withdrawn": True, "reason": reason})
    refresh_reserve(act, [reserve], day)
    return reserve


@action("funds.restore_reserve", permission=KEEP_RESERVE)
def restore_reserve(act: Act, reserve: Reserve, on: date) -> Reserve:
    """Put a withdrawn project back in reserve, where it stood."""
    reserve = locked(reserve)
    act.require(reserve.org_id)
    if reserve.withdrawn_at is None:
        raise ValidationError(_("This project stands in the reserve."))
    if Reserve.objects.filter(project=reserve.project, year=reserve.year, withdrawn_at=None).exists():
        raise ValidationError(
            _("This project stands in the reserve of %(year)s already.") % {"year": reserve.year}
        )
    reserve.withdrawn_at = None
    reserve.save(update_fields=["withdrawn_at"])
    day = max(on, last_day(reserve) or on)
    record_step(act, reserve, "restore", day)
    log(act, reserve, after={"withdrawn": False})
    refresh_reserve(act, [reserve], day)
    return reserve
