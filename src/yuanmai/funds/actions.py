"""The verbs of the funds room."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.funds.engine.checks import check_lines
from yuanmai.funds.engine.fold import Key
from yuanmai.funds.findings import refresh_findings
from yuanmai.funds.models import FundingFact, FundingState, Security, Source
from yuanmai.funds.permissions import EDIT_FUNDS
from yuanmai.funds.projection import refold
from yuanmai.projects.actions import NeedsConfirmation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import ERROR, Issue
from yuanmai.projects.models import Project
from yuanmai.projects.queries import states


def key_of(line: Mapping[str, Any]) -> Key:
    """Return what identifies a source: source, state, year, tranche; raises `ValidationError` for unknown words."""
    source, security = str(line["source"]), str(line["security"])
    if source not in Source.values or security not in Security.values:
        raise ValidationError(_("Unknown source or state: %(words)s") % {"words": f"{source}, {security}"})
    return source, security, line.get("year") or None, str(line.get("tranche") or "").strip()


def sentence(issue: Issue) -> str:
    """Return an issue in words."""
    amounts = {k: yuan_text(v, chinese=chinese()) for k, v in issue.params.items() if isinstance(v, Decimal)}
    return {
        "no_amount": _("State the amount."),
        "negative": _("Must not be negative."),
        "same_source": _("The same source, state, year and tranche stands in line %(line)s."),
        "sources_over_total": _("The sources add up to %(value)s, the total investment is %(total)s."),
    }[issue.code] % {**issue.params, **amounts}


@action("funds.set", permission=EDIT_FUNDS)
def set_funding(
    act: Act,
    project: Project,
    effective_on: date,
    lines: Sequence[Mapping[str, Any]],
    *,
    complete: bool = True,
    confirmed: bool = True,
) -> list[FundingFact]:
    """State the sources of a project from a day on: `source`, `security`, `amount` (yuan), and `year`, `tranche` if known.

    With `complete` a source that is not named any more ends on that day. Returns the facts that were added; only what
    changes is recorded. Raises `ValidationError` (field ``line_<index>``), `NeedsConfirmation` when the sources exceed the
    total investment unless `confirmed`.
    """
    act.require(project.org_id)
    query = Query((project.org_id,), effective_on)
    state = states(query).filter(project=project).first()
    keyed = [(key_of(line), line.get("amount")) for line in lines]
    issues = check_lines(keyed, state.total_investment if state else None)
    errors = [issue for issue in issues if issue.level == ERROR]
    if errors:
        raise ValidationError({issue.field: [sentence(issue)] for issue in errors})
    if issues and not confirmed:
        raise NeedsConfirmation({"__all__": [sentence(issue) for issue in issues]})
    present = FundingState.objects.at(effective_on).filter(project=project)
    before: dict[Key, Decimal] = {(s.source, s.security, s.year, s.tranche): s.amount for s in present}
    wanted: dict[Key, Decimal] = {key: amount for key, amount in keyed if amount is not None}
    if complete:
        wanted |= dict.fromkeys(before.keys() - wanted.keys(), Decimal(0))
    changed = {key: amount for key, amount in wanted.items() if before.get(key, Decimal(0)) != amount}
    if not changed:
        raise ValidationError(_("Nothing was changed."))
    facts = [_fact(act, project, effective_on, key, amount) for key, amount in changed.items()]
    FundingFact.objects.bulk_create(facts)
    refold([project.pk], act.now)
    act.log(
        project,
        before={"sources": [_plain(key, before[key]) for key in changed if key in before]},
        after={
            "sources": [_plain(key, amount) for key, amount in changed.items()],
            "effective_on": effective_on,
        },
        name=state.name if state else "",
    )
    refresh_findings([project.org_id], effective_on, act, [project.pk])
    return facts


def _fact(act: Act, project: Project, day: date, key: Key, amount: Decimal) -> FundingFact:
    source, security, year, tranche = key
    return FundingFact(
        project=project,
        effective_on=day,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
        source=source,
        security=security,
        year=year,
        tranche=tranche,
        amount=amount,
    )


def _plain(key: Key, amount: Decimal) -> dict[str, Any]:
    source, security, year, tranche = key
    return {"source": source, "security": security, "year": year, "tranche": tranche, "amount": str(amount)}


@action("funds.undo", permission=EDIT_FUNDS)
def undo_funding(act: Act, facts: Sequence[FundingFact], reason: str) -> None:
    """Take back entries of funding; they stay in the history, struck out."""
    reason = reason_needed(reason)
    if not facts:
        raise ValidationError(_("There is nothing to take back."))
    for fact in facts:
        act.require(fact.project.org_id)
        if fact.retracted_at is not None:
            raise ValidationError(_("This entry has already been taken back."))
    FundingFact.objects.filter(pk__in=[fact.pk for fact in facts]).update(retracted_at=act.now)
    ids = sorted({fact.project_id for fact in facts})
    refold(ids, act.now)
    for fact in facts:
        key: Key = (fact.source, fact.security, fact.year, fact.tranche)
        act.log(
            fact.project,
            before=_plain(key, fact.amount),
            after={"reason": reason},
            name=fact.get_source_display(),
        )
    orgs = {fact.project.org_id for fact in facts}
    refresh_findings(orgs, max(fact.effective_on for fact in facts), act, ids)
