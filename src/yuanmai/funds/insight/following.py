"""From the tables to the strands of money: what was recorded, as of a question, and what its nodes are called.

The number of queries does not depend on the number of rows. Names carry the frame of the page in their addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.core.web.links import link
from yuanmai.enterprises.models import Tenancy
from yuanmai.funds.engine import flow
from yuanmai.funds.engine.flow import Books, Given, Issue, Lending, Paid, Space, Strand, Work, key
from yuanmai.funds.issuing import queries as issuing
from yuanmai.funds.models import Allotment, Contract, Disbursement, NamedUse, OnLending, Payment, Tranche
from yuanmai.funds.paying import queries as paying
from yuanmai.funds.queries import ZERO, standing
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, Unit
from yuanmai.projects.queries import states

STEP = Organisation.steplen


@dataclass(frozen=True, slots=True)
class Name:
    """What a node is called: its name, a line of detail, and the address of its record ("" where it has none)."""

    name: str
    detail: str = ""
    url: str = ""


@dataclass
class Flow:
    """The strands of a place and the names of their nodes."""

    strands: list[Strand]
    names: Mapping[str, Name]

    def name(self, node: str) -> Name:
        """Return what a node is called."""
        return self.names.get(node) or Name(stage_word(node))


def stage_names() -> dict[str, str]:
    """Return the names of the stages, in their order."""
    return {
        flow.PLACE: _("Issuing place"),
        flow.TRANCHE: _("Tranche"),
        flow.LENT: _("On-lent to"),
        flow.PROJECT: _("Project"),
        flow.USE: _("Named use"),
        flow.CONTRACT: _("Contract"),
        flow.PAYMENT: _("Payments"),
        flow.WORK: _("Physical work"),
        flow.BUILDING: _("Building"),
        flow.TENANT: _("Tenant"),
        flow.REST: _("Rests"),
        flow.EXCESS: _("Unexplained"),
    }


def rest_names() -> dict[str, str]:
    """Return what the rests and excesses are called, by key of the node."""
    return {
        key(flow.REST, flow.UNALLOTTED): _("Not yet allotted"),
        key(flow.REST, flow.UNDISBURSED): _("Not yet disbursed"),
        key(flow.REST, flow.UNPAID): _("Not yet paid"),
        key(flow.REST, flow.UNRECORDED): _("Paid, no physical work recorded"),
        key(flow.REST, flow.UNBUILT): _("Paid, not yet on the ground"),
        key(flow.REST, flow.STANDING): _("Stands on the ground, outside buildings"),
        key(flow.REST, flow.UNLET): _("Built, not let"),
        key(flow.EXCESS, flow.BEYOND_TRANCHE): _("Allotted beyond the tranche"),
        key(flow.EXCESS, flow.BEYOND_LENDING): _("Allotted beyond what was on-lent"),
        key(flow.EXCESS, flow.BEYOND_ALLOTMENT): _("Spent without an allotment"),
    }


def rule_names() -> dict[str, str]:
    """Return the rules by which amounts are shared out, in words."""
    return {
        flow.QUANTITY: _("by planned quantity"),
        flow.EQUAL: _("in equal parts (different units)"),
        flow.AREA: _("by area"),
    }


def stage_word(node: str) -> str:
    """Return the name of a node's stage."""
    return stage_names().get(flow.stage_of(node), node)


@dataclass
class _Loading:
    """What one question has found so far."""

    query: Query
    frame: str
    names: dict[str, Name] = field(default_factory=dict)

    def address(self, name: str, *args: Any, **more: str) -> str:
        """Return the address of a record with the frame of the page."""
        url = link(name, *args)
        parameters = "&".join(part for part in (self.frame, urlencode(more)) if part)
        return f"{url}?{parameters}" if url and parameters else url


def load(query: Query, parameters: Mapping[str, str] | None = None) -> Flow:
    """Return the money of the query's organisations; `parameters` (the frame) go into the addresses of its records."""
    loading = _Loading(query, urlencode(parameters or {}))
    money = _money(query)
    projects, above, orgs = _projects(loading, {project for _tranche, project in money})
    lendings = list(issuing.on_lendings(query).order_by("effective_on", "id").select_related("org", "lender"))
    issues = _issues(loading, money, lendings, above, orgs)
    paid, contracts = _paid(loading, projects)
    works = _works(loading)
    books = Books(
        issues=issues,
        lendings=[Lending(str(r.tranche_id), str(r.lender_id), str(r.org_id), r.amount) for r in lendings],
        given=[Given(str(t), str(p), allotted, disbursed) for (t, p), (allotted, disbursed) in money.items()],
        paid=paid,
        works=works,
        spaces=_spaces(loading, {int(work.building) for work in works if work.building}),
        above={str(project): [str(pk) for pk in chain] for project, chain in above.items()},
        contracts=contracts,
    )
    loading.names |= {node: Name(word) for node, word in rest_names().items()}
    return Flow(flow.strands(books), loading.names)


def _money(query: Query) -> dict[tuple[int, int], tuple[Decimal, Decimal]]:
    """Return (allotted, disbursed) per (tranche, project), in the order of the first movement; two queries."""
    found: dict[tuple[int, int], list[Decimal]] = {}
    movements = (issuing.facts_of(Allotment, query), issuing.facts_of(Disbursement, query))
    for index, facts in enumerate(movements):
        rows = facts.values("tranche_id", "project_id")
        rows = rows.annotate(total=Sum("amount"), first=Min("effective_on"), entry=Min("id"))
        for row in rows.order_by("first", "entry"):
            found.setdefault((row["tranche_id"], row["project_id"]), [ZERO, ZERO])[index] = row["total"]
    return {pair: (sums[0], sums[1]) for pair, sums in found.items()}


def _projects(
    loading: _Loading, wanted: set[int]
) -> tuple[dict[int, str], dict[int, list[int]], dict[str, Organisation]]:
    """Name the projects; return their uids, the organisations from their own upwards, and organisations by path; two queries."""
    uids: dict[int, str] = {}
    paths: dict[int, str] = {}
    rows = (
        states(loading.query)
        .order_by()
        .values_list("project_id", "name", "project__uid", "org__path", "org__name")
    )
    for pk, name, uid, path, org in rows:
        uids[pk], paths[pk] = str(uid), path
        url = loading.address("projects:record", uid)
        loading.names[key(flow.PROJECT, str(pk))] = Name(name, org, url)
    prefixes = {path[:end] for path in paths.values() for end in range(STEP, len(path) + 1, STEP)}
    orgs = {org.path: org for org in Organisation.objects.filter(path__in=prefixes)}
    above = {
        pk: [orgs[path[:end]].pk for end in range(len(path), 0, -STEP) if path[:end] in orgs]
        for pk, path in paths.items()
        if pk in wanted
    }
    return uids, above, orgs


def _issues(
    loading: _Loading,
    money: Mapping[tuple[int, int], tuple[Decimal, Decimal]],
    lendings: list[OnLending],
    above: Mapping[int, list[int]],
    orgs: Mapping[str, Organisation],
) -> list[Issue]:
    """Return the tranches with what came here of each: all of it where its keeper is one of the query's organisations.

    A tranche that is kept above the reader's scope is known to them by its name and terms, as their own papers name it; what of
    it went to others is not shown. One query.
    """
    query = loading.query
    came: dict[int, Decimal] = {}
    borrowers: dict[int, set[int]] = {}
    for row in lendings:
        borrowers.setdefault(row.tranche_id, set()).add(row.org_id)
        _name_place(loading, key(flow.LENT, str(row.tranche_id), str(row.org_id)), row.org)
    for row in lendings:
        if row.lender_id not in borrowers[row.tranche_id]:
            came[row.tranche_id] = came.get(row.tranche_id, ZERO) + row.amount
    for (pk, project), (allotted, _disbursed) in money.items():
        came.setdefault(pk, ZERO)
        if not borrowers.get(pk, set()).intersection(above.get(project, ())) and allotted > 0:
            came[pk] += allotted
    with everywhere():
        mine = Q(org_id__in=query.org_ids, pk__in=issuing.known_tranches(query).values("pk"))
        tranches = list(
            Tranche.objects.filter(mine | Q(pk__in=list(came)))
            .select_related("org")
            .order_by("value_date", "code")
        )
    issues = []
    for tranche in tranches:
        whole = tranche.org_id in query.org_ids
        _name_place(loading, key(flow.PLACE, str(tranche.org_id)), tranche.org, tranche.issuer)
        detail = _("%(rate)s %%, %(years)s years, value date %(day)s") % {
            "rate": (tranche.rate * 100).normalize(),
            "years": tranche.term_years,
            "day": tranche.value_date.isoformat(),
        }
        url = loading.address("funds:tranche", tranche.uid) if whole else ""
        loading.names[key(flow.TRANCHE, str(tranche.pk))] = Name(tranche.name or tranche.code, detail, url)
        amount = tranche.amount if whole else came[tranche.pk]
        issues.append(Issue(str(tranche.pk), str(tranche.org_id), amount))
    return issues


def _name_place(loading: _Loading, node: str, org: Organisation, detail: str = "") -> None:
    url = link("funds:tranches")
    inside = org.pk in loading.query.org_ids
    own = "&".join(part for part in loading.frame.split("&") if not part.startswith("org="))
    frame = "&".join(part for part in (urlencode({"org": org.code}), own) if part)
    loading.names[node] = Name(org.label, detail, f"{url}?{frame}" if url and inside else "")


def _paid(
    loading: _Loading, projects: Mapping[int, str]
) -> tuple[list[Paid], dict[str, tuple[str, Decimal]]]:
    """Return payments by tranche, contract and use, and the contracts; three queries."""
    query = loading.query
    rows = list(
        Payment.objects.filter(standing(query), project__org_id__in=query.org_ids)
        .values("tranche_id", "project_id", "contract_id")
        .annotate(
            named=Coalesce("use_id", "contract__use_id"),
            total=Sum("amount"),
            count=Count("id"),
            first=Min("effective_on"),
            entry=Min("id"),
        )
        .order_by("first", "entry")
    )
    counts: dict[int, int] = {}
    for row in rows:
        counts[row["contract_id"]] = counts.get(row["contract_id"], 0) + row["count"]
    known = Q(project__org_id__in=query.org_ids) & paying.contract_standing(query)
    contracts: dict[str, tuple[str, Decimal]] = {}
    for contract in Contract.objects.filter(known | Q(pk__in=list(counts))).order_by("signed_on", "id"):
        pk = str(contract.pk)
        contracts[pk] = (str(contract.project_id), contract.amount)
        count = counts.get(contract.pk, 0)
        url = loading.address("funds:contract", contract.uid)
        loading.names[key(flow.CONTRACT, pk)] = Name(
            contract.name, f"{contract.number} · {contract.payee}", url
        )
        paid = ngettext("%(n)d payment", "%(n)d payments", count) % {"n": count}
        loading.names[key(flow.PAYMENT, pk)] = Name(paid, contract.name, url)
    uses = NamedUse.objects.filter(pk__in={row["named"] for row in rows if row["named"]})
    for use in uses.select_related("reserve"):
        url = loading.address("funds:reserve_record", use.reserve.uid)
        loading.names[key(flow.USE, str(use.pk))] = Name(use.name, "", url)
    for row in rows:
        if row["named"] is None:
            node = key(flow.USE, "none", str(row["project_id"]))
            project = loading.names.get(key(flow.PROJECT, str(row["project_id"])), Name(""))
            loading.names[node] = Name(_("No named use"), project.name, project.url)
    return [
        Paid(
            str(row["tranche_id"]),
            str(row["project_id"]),
            str(row["contract_id"]),
            str(row["named"] or ""),
            row["total"],
        )
        for row in rows
    ], contracts


def _works(loading: _Loading) -> list[Work]:
    """Return the physical work; one query."""
    works = []
    for items in paying.work_done(loading.query).values():
        for item in items:
            contract = key(flow.CONTRACT, str(item.contract_id)) if item.contract_id else ""
            owner = contract or key(flow.PROJECT, str(item.project_id))
            detail = _("%(measured)s of %(planned)s %(unit)s") % {
                "measured": item.measured.normalize().__format__("f"),
                "planned": item.planned.normalize().__format__("f"),
                "unit": item.unit,
            }
            url = loading.names[owner].url if owner in loading.names else ""
            loading.names[key(flow.WORK, str(item.item_id))] = Name(item.name, detail, url)
            works.append(
                Work(
                    str(item.item_id),
                    str(item.project_id),
                    str(item.contract_id or ""),
                    str(item.building_id or ""),
                    item.unit,
                    item.planned,
                    item.measured,
                )
            )
    return works


def _spaces(loading: _Loading, buildings: set[int]) -> list[Space]:
    """Return the units of these buildings with who used them on the query's day; three queries."""
    query = loading.query
    for building in Building.objects.filter(pk__in=buildings):
        node = key(flow.BUILDING, str(building.pk))
        url = loading.address("places:record", "building", building.pk)
        loading.names[node] = Name(building.name, building.get_kind_display(), url)
    held = Tenancy.objects.filter(Q(until=None) | Q(until__gt=query.as_of), unit__building_id__in=buildings)
    held = held.filter(since__lte=query.as_of)
    if query.known_at is not None:
        held = held.filter(recorded_at__lte=query.known_at)
    tenants: dict[int, str] = {}
    for tenancy in held.select_related("enterprise").order_by("since", "id"):
        tenants[tenancy.unit_id] = str(tenancy.enterprise_id)
        node = key(flow.TENANT, str(tenancy.enterprise_id))
        url = loading.address("enterprises:record", tenancy.enterprise_id)
        loading.names[node] = Name(tenancy.enterprise.name, tenancy.enterprise.industry, url)
    units = Unit.objects.filter(building_id__in=buildings).order_by("id")
    return [
        Space(str(building), tenants.get(pk, ""), area)
        for pk, building, area in units.values_list("pk", "building_id", "area")
    ]
