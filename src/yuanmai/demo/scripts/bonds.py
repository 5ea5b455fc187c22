"""Special bonds of the places: tranches, allotments, reserve projects, contracts and payments; sums as published."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from yuanmai.common.money import WAN
from yuanmai.core.actions import Act
from yuanmai.core.figures import Query
from yuanmai.demo.expand import split, weights
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.bond_payments import pay
from yuanmai.demo.scripts.common import fund, moment, named, wan, yuan
from yuanmai.demo.scripts.reserve import Plan, enter, forecast
from yuanmai.funds.coverage import record_coverage
from yuanmai.funds.findings.bonds import refresh_bond_findings, refresh_idle_findings
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import Allotment, Disbursement, Quota, Reserve, Tranche
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.recording import Entry, record

Given = dict[Project, dict[str, Decimal]]  # project → tranche code → yuan


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record the bonds of all places; return the number of reserve projects. Projects and places must be there."""
    data = preset("bonds")
    tranches = _tranches(data, orgs)
    Quota.objects.bulk_create(
        [
            Quota(org=orgs[q["place"]], year=q["year"], amount=yuan(q["amount"]), effective_on=q["from"], recorded_at=moment(q["from"]))
            for q in data["quotas"]
        ]
    )  # fmt: skip
    given: Given = defaultdict(dict)
    plans = [
        *_heshan(act, orgs, data, given),
        *_longyan(orgs, data, given),
        *_tanzhou(act, orgs, data, given),
        *_zhaoqing(orgs, data, given),
    ]
    _allot(act, tranches, given)
    reserves = enter(plans)
    for place in ("heshan-park", "longyan", "tanzhou", "zhaoqing-cluster"):
        _finish(act, orgs[place], reserves, plans)
    _disburse_longyan(data["longyan"], tranches, given)
    pay(data["heshan"], tranches, reserves)
    _look(act, orgs, reserves)
    return len(reserves)


def _look(act: Act, orgs: dict[str, Organisation], reserves: list[Reserve]) -> None:
    """Look for contradictions where money has moved: Heshan's payments, idle money of Heshan and Longyan."""
    heshan = orgs["heshan-park"]
    assert heshan.default_as_of is not None
    refresh_bond_findings(act, [heshan.pk], heshan.default_as_of)
    refresh_paying(act, [row.project_id for row in reserves if row.org_id == heshan.pk])
    longyan = orgs["longyan"]
    assert longyan.default_as_of is not None
    ids = {row.org_id for row in reserves} & set(subtree_ids([longyan.path])[longyan.path])
    refresh_idle_findings(act, ids, longyan.default_as_of)


def _tranches(data: dict[str, Any], orgs: dict[str, Organisation]) -> dict[str, Tranche]:
    fees = {f"{name}_fee_rate": Decimal(rate) for name, rate in data["fees"].items()}
    return {
        row["code"]: Tranche(
            org=orgs[row["place"]],
            uid=uuid5(NAMESPACE_URL, f"demo-tranche-{row['code']}"),
            code=row["code"],
            name=row["name"],
            batch_name=row["batch"],
            issuer=row["issuer"],
            amount=Decimal(0),
            rate=Decimal(row["rate"]),
            term_years=row["term"],
            tendered_on=row["tendered"],
            value_date=row["value"],
            frequency=2,
            recorded_at=moment(row["tendered"]),
            synthetic=True,
            **fees,
        )
        for row in data["tranches"]
    }


def _allot(act: Act, tranches: dict[str, Tranche], given: Given) -> None:
    """Make each tranche as large as what is allotted of it, allot it, and record it as a source of the projects."""
    for code, tranche in tranches.items():
        parts = {project: amounts[code] for project, amounts in given.items() if code in amounts}
        tranche.amount = tranche.allotted = sum(parts.values(), Decimal(0))
        tranche.save()
        day = tranche.value_date
        Allotment.objects.bulk_create(
            [
                Allotment(project=project, tranche=tranche, amount=amount, effective_on=day, recorded_at=moment(day), document=f"示例〔{day.year}〕下达")
                for project, amount in parts.items()
            ]
        )  # fmt: skip
        line = {"source": "special_bond", "security": "issued", "year": day.year, "tranche": code}
        fund(
            act,
            [(project, {**line, "amount": amount}) for project, amount in parts.items()],
            day,
            moment(day),
        )


def _by_name(org: Organisation) -> dict[str, Project]:
    """Return the projects of a place and all below it by their present names."""
    states = ProjectState.objects.current().filter(org__path__startswith=org.path, effective_until__year=9999)
    return {state.name: state.project for state in states.select_related("project")}


def _finish(act: Act, org: Organisation, reserves: list[Reserve], plans: list[Plan]) -> None:
    """Write the forecasts of a place's reserve projects and what the bond engine makes of them."""
    ids = set(subtree_ids([org.path])[org.path])
    mine = [(r, p) for r, p in zip(reserves, plans, strict=True) if r.org_id in ids]
    day = org.default_as_of or date(2022, 12, 31)
    rows = [reserve for reserve, _plan in mine]
    forecast(rows, [plan for _reserve, plan in mine], Query(tuple(sorted(ids)), day))
    record_coverage(act, rows, day)


def _life(start: date, until: str, marks: dict[str, date]) -> list[tuple[str, date]]:
    """Return the steps from the entry to `until`; steps without a day of their own follow at intervals of three weeks."""
    steps, day = [], start
    for state in ("reserve", "reviewed", "reported", "approved", "issued", "drawn", "completed"):
        day = marks.get(state, day)
        steps.append((state, day))
        if state == until:
            break
        day += timedelta(days=21)
    return steps


def _heshan(act: Act, orgs: dict[str, Organisation], data: dict[str, Any], given: Given) -> list[Plan]:
    place = data["heshan"]
    org, one = orgs[place["place"]], place["finished"]
    version = {
        "name": named(one["name"]),
        "category": one["category"],
        "responsible": "鹤山工业城管理委员会",
        "leader": "园区领导乙",
        "start_on": one["start"],
        "finish_on": one["finish"],
        "stage": "operating",
        "total_investment": wan(one["total"]),
    }
    opening = one["start"]
    entry = Entry(org.pk, version=version, lists={"专项债券项目": True}, synthetic=True)
    finished = record(act, [entry], opening, recorded_at=moment(opening))[0]
    line = {"source": "fiscal", "security": "secured", "year": opening.year, "amount": wan(one["fiscal"])}
    fund(act, [(finished, line)], opening, moment(opening))
    main = _by_name(org)[preset("heshan")["main"]["name"]]
    plans = []
    for key, project in (("main", main), ("finished", finished)):
        given[project] = {code: yuan(amount) for code, amount in place["allotted"][key].items()}
        terms = place[key]
        total = yuan(preset("heshan")["main"]["total"] if key == "main" else one["total"])
        approved = yuan(terms["approved"])
        marks = {"reported": date(2021, 3, 10), "approved": date(2021, 4, 15), "issued": date(2021, 5, 27)}
        marks |= {"drawn": date(2021, 9, 10), "completed": date(2022, 6, 30)}
        main_plan = preset("heshan")["main"]
        plans.append(
            Plan(
                project,
                2021,
                total,
                approved,
                terms["field"],
                terms["sector"],
                _life(date(2021, 1, 12), "drawn" if key == "main" else "completed", marks),
                approved=approved,
                capital=wan(terms.get("capital") or one["fiscal"]),
                term=terms["term"],
                rate=Decimal(terms["rate"]),
                coverage=Decimal(terms["coverage"]),
                ramp=terms["ramp"],
                repayment=terms.get("repayment", "bullet"),
                construction=(main_plan["start"], main_plan["finish"]) if key == "main" else (one["start"], one["finish"]),
                operation=terms["operation"],
                bonds={year: yuan(amount) for year, amount in terms.get("bonds", {}).items()},
                uses=[(name, yuan(amount)) for name, amount in place["uses"]] if key == "main" else [],
            )
        )  # fmt: skip
    return plans


def _longyan(orgs: dict[str, Organisation], data: dict[str, Any], given: Given) -> list[Plan]:
    place, whole = data["longyan"], preset("longyan")["bonds"]
    projects = [p for p, _amount in _longyan_parts(orgs[place["place"]], whole)]
    plans = []
    for index, (project, amount) in enumerate(_longyan_parts(orgs[place["place"]], whole)):
        first, second = place["shares"]
        part = (amount * place["shares"][first] / 100 / WAN).to_integral_value() * WAN
        given[project] = {first: part, second: amount - part}
        total = _total(project)
        drawn = date(2020, 3, 27)
        plans.append(
            Plan(
                project, 2020, total, amount, "park_infrastructure", "infrastructure",
                _life(date(2019, 10, 8), "drawn", {"issued": date(2020, 1, 15), "drawn": drawn}),
                approved=amount, term=15, rate=Decimal("0.036"),
                capital=((total - amount) * 6 / 10 / WAN).to_integral_value() * WAN,
                coverage=Decimal(120 + index * 7) / 100, construction=(date(2019, 12, 1), date(2021, 12, 31)),
            )
        )  # fmt: skip
    assert len(projects) == place["count"]
    return plans


def _longyan_parts(org: Organisation, whole: dict[str, Any]) -> list[tuple[Project, Decimal]]:
    """Return the projects with bonds and their amounts: the first of the library, whose own funds leave room for them."""
    amounts = split(Decimal(whole["total"]) * WAN, weights(whole["count"], 17), 100 * WAN)
    rows = Project.objects.filter(org__path__startswith=org.path).order_by("id")[: whole["count"]]
    return list(zip(rows, amounts, strict=True))


def _total(project: Project) -> Decimal:
    state = ProjectState.objects.current().filter(project=project).order_by("-effective_from").first()
    assert state is not None and state.total_investment is not None
    return Decimal(state.total_investment)


def _disburse_longyan(place: dict[str, Any], tranches: dict[str, Tranche], given: Given) -> None:
    """Pay out the published part of the bonds, at most each project's part of each tranche."""
    first, second = place["shares"]
    projects = [project for project, amounts in given.items() if first in amounts]
    left = yuan(place["paid_out"])
    rows = []
    for code in (first, second):
        for project in projects:
            amount = min(left, given[project][code])
            if amount:
                day = place["paid_on"][code]
                rows.append(
                    Disbursement(project=project, tranche=tranches[code], amount=amount, effective_on=day, recorded_at=moment(day), document=f"示例〔{day.year}〕拨付")
                )  # fmt: skip
            left -= amount
    Disbursement.objects.bulk_create(rows)


def _tanzhou(act: Act, orgs: dict[str, Organisation], data: dict[str, Any], given: Given) -> list[Plan]:
    place = data["tanzhou"]
    org = orgs[place["place"]]
    known = _by_name(org)
    rows = {row[0]: row for row in preset("tanzhou")["projects"]}
    plans = []
    for index, name in enumerate(place["issued"]):
        project, amount = known[named(name)], yuan(rows[name][12]["special_bond"])
        given[project] = {place["tranche"]: amount}
        steps = _life(date(2021, 10, 11), "issued", {"reported": date(2022, 1, 5), "approved": date(2022, 1, 12), "issued": date(2022, 1, 19)})  # fmt: skip
        plans.append(_tanzhou_plan(project, wan(rows[name][3]), amount, index, steps, amount))
    for index, name in enumerate(place["library"]):
        total = yuan(rows[name][3])
        amount = wan(rows[name][12].get("special_bond")) or (total * 6 / 10 / WAN).to_integral_value() * WAN
        steps = _life(date(2021, 11, 1), "reported", {"reported": date(2022, 1, 20) + timedelta(days=5 * index)})  # fmt: skip
        plans.append(_tanzhou_plan(known[named(name)], total, amount, index, steps))
    return plans + _tanzhou_new(act, org, place)


def _tanzhou_new(act: Act, org: Organisation, place: dict[str, Any]) -> list[Plan]:
    """Return the made-up infrastructure projects: some reported in the first quarter, the others in preparation."""
    names = [f"{area}{work}" for work in place["works"] for area in place["areas"]]
    reported = place["applied"] - len(place["issued"]) - len(place["library"])
    names = names[: reported + place["preparing"]]
    totals = [yuan(4000 + part * 9) for part in weights(len(names), 23)]
    opening = date(2022, 1, 1)
    entries = [
        Entry(
            org.pk,
            version={
                "name": named(name), "category": "产业园区配套设施", "responsible": "坦洲镇城市建设和管理局",
                "leader": "镇领导丁", "stage": "reserve", "total_investment": total,
            },
            lists={"专项债券储备": True},
            synthetic=True,
        )
        for name, total in zip(names, totals, strict=True)
    ]  # fmt: skip
    projects = record(act, entries, opening, recorded_at=moment(opening))
    plans = []
    for index, (project, total) in enumerate(zip(projects, totals, strict=True)):
        amount = (total * 7 / 10 / WAN).to_integral_value() * WAN
        day = date(2022, 1, 10) + timedelta(days=index)
        until = "reported" if index < reported else ("reserve", "reserve", "reviewed")[index % 3]
        steps = _life(day, until, {"reported": date(2022, 3, 1) + timedelta(days=4 * index)})
        plan = _tanzhou_plan(project, total, amount, index, steps)
        plan.use_field = place["fields"][index // len(place["areas"])]
        plan.joint_start = "2022年第二批集体动工" if index % 4 == 0 else ""
        plan.deadline = date(2022, 6, 30) + timedelta(days=30 * (index % 6))
        plans.append(plan)
    return plans


def _tanzhou_plan(
    project: Project, total: Decimal | None, amount: Decimal, index: int, steps: list[tuple[str, date]], approved: Decimal | None = None
) -> Plan:  # fmt: skip
    assert total is not None
    return Plan(
        project, 2022, total, amount, "park_infrastructure", "infrastructure", steps,
        approved=approved, term=(10, 15, 20)[index % 3], coverage=Decimal(108 + index * 5 % 70) / 100, ramp=2 + index % 5,
        construction=(date(2021, 9, 1), date(2023, 12, 31)) if approved else (date(2022, 7, 1), date(2024, 6, 30)),
    )  # fmt: skip


def _zhaoqing(orgs: dict[str, Organisation], data: dict[str, Any], given: Given) -> list[Plan]:
    place = data["zhaoqing"]
    states = ProjectState.objects.current().filter(
        org=orgs[place["place"]], category="基础设施", effective_until__year=9999
    )
    plans = []
    for index, state in enumerate(states.select_related("project").order_by("project_id")):
        total = Decimal(state.total_investment or 0)
        amount = (total * place["percent"] / 100 / WAN).to_integral_value() * WAN
        given[state.project] = {place["tranche"]: amount}
        steps = _life(
            date(2021, 9, 6),
            "issued",
            {"reported": date(2021, 12, 20), "approved": date(2022, 1, 12), "issued": date(2022, 1, 19)},
        )
        plans.append(_tanzhou_plan(state.project, total, amount, index, steps, amount))
    return plans
