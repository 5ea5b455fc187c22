"""From the tables to the rules of changing the use: what both projects look like on a day."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext

from django.db.models import Count, Q, Sum

from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds import terms
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.schedule import maturity
from yuanmai.funds.engine.bonds.terms import exact
from yuanmai.funds.engine.change_of_use import ChangeFacts, Check, Restraint, check_change
from yuanmai.funds.engine.payments import least_balance
from yuanmai.funds.engine.review import readiness
from yuanmai.funds.issuing.service import PLANNED, engine_terms, plan_of
from yuanmai.funds.models import (
    Allotment,
    ChangeOfUse,
    Disbursement,
    Payment,
    PlanYear,
    Reserve,
    Tranche,
)
from yuanmai.funds.paying.loading import flows, summed
from yuanmai.funds.queries import ZERO, standing
from yuanmai.funds.reserve.queries import items_of, with_files
from yuanmai.funds.reserve.rules import rules_for, rules_of
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project
from yuanmai.projects.queries import states

OPEN = (
    Reserve.State.REVIEWED,
    Reserve.State.REPORTED,
    Reserve.State.APPROVED,
    Reserve.State.ISSUED,
    Reserve.State.DRAWN,
)


def reserve_of(project: Project) -> Reserve | None:
    """Return the reserve project of a project that is furthest on; None without one."""
    order = {state: rank for rank, state in enumerate(Reserve.State.values)}
    rows = Reserve.objects.filter(project=project, withdrawn_at=None).select_related("project", "org")
    return max(rows, key=lambda row: (order[row.state], row.pk), default=None)


def coverage_with(reserve: Reserve, tranche: Tranche, amount: Decimal, query: Query) -> Decimal | None:
    """Return the coverage of a reserve project with `amount` more of a tranche; None where no income is planned.

    What is issued takes the place of what was planned to be issued, so planned issues shrink by as much.
    """
    plan = plan_of(reserve, PlanYear.Version.OPERATING, query)
    if not plan.years:
        return None
    left, kept = amount, []
    for each in plan.tranches:
        if not each.id.startswith(PLANNED):
            kept.append(each)
            continue
        part = min(each.principal, left)
        left -= part
        if each.principal > part:
            kept.append(_shrunk(each, each.principal - part))
    more = replace(engine_terms(tranche, amount), id=f"{tranche.code}+")
    return statement(replace(plan, tranches=(*kept, more))).coverage.all_interest.value


def _shrunk(tranche: terms.Tranche, principal: Decimal) -> terms.Tranche:
    with localcontext(exact()):
        share = principal / tranche.principal
        parts = tuple(replace(part, principal=part.principal * share) for part in tranche.instalments)
    return replace(tranche, principal=principal, instalments=parts)


def _completed(project: Project, query: Query) -> bool:
    state = states(query).filter(project=project).first()
    done = Reserve.objects.filter(
        project=project, withdrawn_at=None, state__in=(Reserve.State.COMPLETED, Reserve.State.REPAID)
    )
    return (state is not None and state.stage in {"completed", "operating"}) or done.exists()


def change_facts(
    tranche: Tranche,
    giver: Project,
    receiver: Project,
    amount: Decimal,
    case: str,
    requested_on: date,
    on: date,
    *,
    document: str = "",
) -> ChangeFacts:
    """Return a change of use with what its conditions look at, as of `on` by present knowledge."""
    query = Query((giver.org_id, receiver.org_id), on)
    held = rules_for(receiver.org_id, on)
    reserve = reserve_of(receiver)
    ready, missing, coverage, until = None, 0, None, None
    if reserve is not None:
        items = items_of([reserve.pk]).get(reserve.pk, {})
        files = with_files(items.values())
        codes = {code: item.state for code, item in items.items()}
        holding = frozenset(code for code, item in items.items() if item.pk in files)
        found = readiness(codes, holding, held["checklist"])
        ready, missing = found.lines_done == found.lines, found.lines - found.lines_done
        if amount > ZERO:
            coverage = coverage_with(reserve, tranche, amount, query)
        plan = plan_of(reserve, PlanYear.Version.OPERATING, query)
        until = max((year.year for year in plan.years if year.revenue > 0), default=None)
    allotted = flows(Allotment, giver.pk, tranche.pk)
    spent = flows(Payment, giver.pk, tranche.pk)
    paid = sum((flow.amount for flow in spent), ZERO)
    return ChangeFacts(
        amount=amount,
        case=case,
        requested_on=requested_on,
        allotted=least_balance(allotted, spent, on) + paid,
        disbursed=summed(Disbursement.objects.filter(project=giver, tranche=tranche)),
        paid=paid,
        giver_completed=_completed(giver, query),
        document=document,
        receiver_state=str(reserve.get_state_display()) if reserve else "",
        receiver_reviewed=reserve is not None and reserve.state in OPEN,
        receiver_ready=ready,
        receiver_missing=missing,
        coverage=coverage,
        threshold=held["coverage_threshold"],
        maturity=maturity(engine_terms(tranche, tranche.amount)),
        income_until=until,
        same_project=giver.pk == receiver.pk,
        receiver_in_reach=receiver.org.path.startswith(tranche.org.path),
    )


def judged(change: ChangeOfUse, on: date) -> tuple[ChangeFacts, list[Check]]:
    """Return a request with its conditions, as of a day."""
    facts = change_facts(
        change.tranche,
        change.giver,
        change.receiver,
        change.amount,
        change.case,
        change.requested_on,
        on,
        document=change.document,
    )
    return facts, check_change(facts)


@dataclass(frozen=True)
class PlaceRestraint:
    """A place's changes of use in a year."""

    org: Organisation
    year: int
    restraint: Restraint


def restraints(query: Query, year: int) -> list[PlaceRestraint]:
    """Return, for each place with allotments or changes in a year, how often and how much it changed; four queries.

    A change counts for the place of the project that gave the money away, in the year of its approval, and allotments in the
    year of their day.
    """
    changed = ChangeOfUse.objects.filter(
        giver__org_id__in=query.org_ids,
        state=ChangeOfUse.State.APPROVED,
        decided_on__year=year,
        decided_on__lte=query.as_of,
    )
    if query.known_at is not None:
        changed = changed.filter(steps__transition="approve", steps__recorded_at__lte=query.known_at)
    moved = {
        org_id: (number, amount or ZERO)
        for org_id, number, amount in changed.order_by()
        .values_list("giver__org_id")
        .annotate(number=Count("id"), amount=Sum("amount"))
    }
    given = dict(
        Allotment.objects.filter(
            standing(query), Q(change=None), project__org_id__in=query.org_ids, effective_on__year=year
        )
        .order_by()
        .values_list("project__org_id")
        .annotate(total=Sum("amount"))
    )
    orgs = Organisation.objects.in_bulk({*moved, *given})
    rules = rules_of(orgs, min(query.as_of, date(year, 12, 31)), query.known_at)
    found = []
    for org_id, org in orgs.items():
        number, amount = moved.get(org_id, (0, ZERO))
        bounds = rules[org_id]
        restraint = Restraint(
            number,
            amount,
            given.get(org_id) or ZERO,
            bounds["change_most_number"],
            bounds["change_most_share"],
        )
        found.append(PlaceRestraint(org, year, restraint))
    return sorted(found, key=lambda row: (-row.restraint.amount, row.org.path))


def years_of_changes(org_ids: Iterable[int]) -> list[int]:
    """Return the years in which changes were approved, the newest first."""
    rows = ChangeOfUse.objects.filter(giver__org_id__in=list(org_ids), state=ChangeOfUse.State.APPROVED)
    return sorted({day.year for day in rows.values_list("decided_on", flat=True) if day}, reverse=True)
