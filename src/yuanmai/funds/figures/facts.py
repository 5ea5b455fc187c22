"""The facts that the figures of special bonds are sums of."""

from collections import defaultdict
from typing import Any

from django.db.models import F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, ExtractYear

from yuanmai.core.figures import Query
from yuanmai.funds.engine.idle import month_later
from yuanmai.funds.models import Allotment, CoverageRecord, Disbursement, Payment, Quota, Reserve, ReserveStep
from yuanmai.funds.queries import MONEY, ZERO, standing
from yuanmai.funds.reserve.rules import rules_of
from yuanmai.projects.queries import states

IN_RESERVE = (Reserve.State.RESERVE, Reserve.State.REVIEWED)


def with_project(rows: QuerySet[Any], query: Query) -> QuerySet[Any]:
    """Annotate rows that have a project with its `name`, `category` and `park_name` as of the query."""
    found = states(Query(query.org_ids, query.as_of, query.known_at)).filter(
        project_id=OuterRef("project_id")
    )
    return rows.annotate(
        name=Coalesce(Subquery(found.values("name")[:1]), Value("")),
        category=Coalesce(Subquery(found.values("category")[:1]), Value("")),
        park_name=Coalesce(Subquery(found.values("park__name")[:1]), Value("")),
    )


def reserves(query: Query) -> QuerySet[Any]:
    """Return reserve projects with `state_then` and `approved_then`, as they stood; those not yet entered are left out."""
    steps = ReserveStep.objects.filter(reserve_id=OuterRef("id"), effective_on__lte=query.as_of)
    if query.known_at is not None:
        steps = steps.filter(recorded_at__lte=query.known_at)
    newest = steps.order_by("-effective_on", "-id")
    rows = Reserve.objects.filter(org_id__in=query.org_ids)
    if query.known_at is None:
        rows = rows.filter(withdrawn_at=None)
    else:
        rows = rows.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=query.known_at))
    rows = rows.annotate(
        state_then=Subquery(newest.values("state")[:1]), approved_then=Subquery(newest.values("approved")[:1])
    ).exclude(state_then=None)
    return with_project(rows.select_related("project", "org"), query).order_by("name", "id")


def waiting(query: Query) -> QuerySet[Any]:
    """Return the reserve projects that have not been reported yet."""
    return reserves(query).filter(state_then__in=IN_RESERVE)


def applied(query: Query) -> QuerySet[Any]:
    """Return the reserve projects that were reported for bonds, whatever came of it."""
    return reserves(query).exclude(state_then__in=IN_RESERVE)


def approved(query: Query) -> QuerySet[Any]:
    """Return the reserve projects whose bonds are approved."""
    return applied(query).exclude(approved_then=None)


def _movements(model: type[Model], query: Query) -> QuerySet[Any]:
    rows = model._default_manager.filter(standing(query), project__org_id__in=query.org_ids)
    rows = rows.annotate(value_year=ExtractYear("tranche__value_date"))
    return with_project(rows.select_related("project__org", "tranche"), query).order_by("name", "id")


def allotments(query: Query) -> QuerySet[Any]:
    """Return the allotments in force."""
    return _movements(Allotment, query)


def disbursements(query: Query) -> QuerySet[Any]:
    """Return what the treasury has paid out to owners."""
    return _movements(Disbursement, query)


def payments(query: Query) -> QuerySet[Any]:
    """Return what owners have paid to payees."""
    return _movements(Payment, query)


def idle(query: Query) -> QuerySet[Any]:
    """Return one row for each project's part of a tranche whose time has passed, with `unspent` > 0.

    The row is the part's first disbursement; the time is the rule ``idle_months`` of the project's organisation.
    """
    by_months: dict[int, list[int]] = defaultdict(list)
    for org_id, rules in rules_of(query.org_ids, query.as_of, query.known_at).items():
        by_months[rules["idle_months"]].append(org_id)
    late = Q(pk__in=[])
    for months, org_ids in by_months.items():
        late |= Q(project__org_id__in=org_ids, tranche__value_date__lt=month_later(query.as_of, -months))
    same = {"project_id": OuterRef("project_id"), "tranche_id": OuterRef("tranche_id")}
    out = Disbursement.objects.filter(standing(query), **same)
    spent = Payment.objects.filter(standing(query), **same)
    rows = disbursements(query).filter(late, id=Subquery(out.order_by("effective_on", "id").values("id")[:1]))
    return rows.annotate(unspent=_total(out) - _total(spent)).filter(unspent__gt=0)


def _total(rows: QuerySet[Any]) -> Coalesce:
    total = rows.order_by().values("project_id").annotate(total=Sum("amount")).values("total")
    return Coalesce(Subquery(total, output_field=MONEY), Value(ZERO, output_field=MONEY), output_field=MONEY)


def coverage(query: Query) -> QuerySet[Any]:
    """Return the newest coverage record of each reserve project that has debt service."""
    records = CoverageRecord.objects.filter(reserve_id=OuterRef("reserve_id"), effective_on__lte=query.as_of)
    if query.known_at is not None:
        records = records.filter(recorded_at__lte=query.known_at)
    newest = records.order_by("-effective_on", "-id").values("id")[:1]
    rows = CoverageRecord.objects.filter(reserve__org_id__in=query.org_ids, reserve__withdrawn_at=None)
    rows = rows.filter(id=Subquery(newest), service__gt=0)
    rows = rows.annotate(project_id=F("reserve__project_id")).select_related(
        "reserve__project", "reserve__org"
    )
    return with_project(rows, query).order_by("name", "id")


def quotas(query: Query) -> QuerySet[Any]:
    """Return the quota in force of each place and year."""
    stated = Quota.objects.filter(standing(query), org_id=OuterRef("org_id"), year=OuterRef("year"))
    newest = stated.order_by("-effective_on", "-id").values("id")[:1]
    rows = Quota.objects.filter(standing(query), org_id__in=query.org_ids, id=Subquery(newest))
    return rows.select_related("org").order_by("-year", "org__name")


ONE = Value(1, output_field=IntegerField())
