"""Tanzhou: the key projects of 2022 with their half-monthly history, the reserve, and what was solved."""

from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.common.money import WAN
from yuanmai.core.actions import Act
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import fund, moment, named, register, sites, wan
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Blocker, Project, StatedTotal
from yuanmai.projects.recording import Entry, record

SOLVED = (
    "用地红线调整",
    "临时用电接入",
    "施工便道开设",
    "管线迁改",
    "环评批复",
    "苗木迁移",
    "弃土消纳",
    "材料进场受阻",
)


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record Tanzhou; return the number of projects."""
    data, org = preset("tanzhou"), orgs["tanzhou"]
    rows = [dict(zip(data["columns"], values, strict=True)) for values in data["projects"]]
    owners = register(org, [{"name": named(f"坦洲建设单位{i:02d}")} for i in range(1, len(rows) + 1)])
    entries = [
        _entry(org, row, owner, site)
        for row, owner, site in zip(rows, owners, _sites(data, rows), strict=True)
    ]
    opening = date(2022, 1, 1)
    projects = record(act, entries, opening, recorded_at=moment(opening))
    by_name = {row["name"]: project for row, project in zip(rows, projects, strict=True)}
    fund(act, _funding(rows, projects), opening, moment(opening, 18))
    _history(act, org, data, rows, projects)
    for stated in data["stated_totals"]:
        StatedTotal.objects.create(
            org=org, effective_on=data["as_of"], recorded_at=moment(data["as_of"], 18), **stated
        )
    _blockers(org, data["blockers"], by_name)
    return len(projects)


def _sites(data: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    longitude, latitude = data["map"]["centre"]
    return sites((longitude, latitude), len(rows))


def _entry(org: Organisation, row: dict[str, Any], owner: Any, site: dict[str, Any]) -> Entry:
    return Entry(
        org.pk,
        version={
            "name": named(row["name"]),
            "category": row["category"],
            "owner": owner,
            "responsible": row["responsible"],
            "leader": row["leader"],
            "start_on": row["start"],
            "finish_on": row["finish"],
            "total_investment": wan(row["total"]),
            "site": site,
        },
        plans=[{"year": 2022, "kind": row["kind"], "planned_investment": wan(row["plan"])}],
        lists={"市重点项目": True} | dict.fromkeys(row["lists"], True)
        if row["kind"] != "reserve"
        else dict.fromkeys(row["lists"], True),
        synthetic=True,
    )


def _funding(rows: list[dict[str, Any]], projects: list[Project]) -> list[tuple[Project, dict[str, Any]]]:
    lines = []
    for row, project in zip(rows, projects, strict=True):
        for source, amount in row["funding"].items():
            security = "secured"
            if source == "special_bond":
                if row["kind"] == "continuing":  # issued: `bonds.py` records it with its tranche
                    continue
                security = "planned"
            year = 2022 if security == "planned" else None
            lines.append(
                (project, {"source": source, "security": security, "year": year, "amount": wan(amount)})
            )
    return lines


def _history(
    act: Act, org: Organisation, data: dict[str, Any], rows: list[dict[str, Any]], projects: list[Project]
) -> None:
    """Record every half-month report at its time, so that knowledge grows as it did."""
    for index, step in enumerate(data["history"]):
        day, share = step["day"], Decimal(step["share"])
        entries = []
        for row, project in zip(rows, projects, strict=True):
            if row["kind"] == "reserve":
                continue
            running = row["from"] is not None and day >= row["from"]
            done = (Decimal(row["done"]) * share).to_integral_value() * WAN
            report = {
                "investment_done": done if running else Decimal(0),
                "visible_progress": row["visible"][index // 2],
                "started" if row["kind"] == "new_start" else "resumed": running,
                "problems": "用地手续未完成" if row["from"] is None else "",
            }
            entries.append(Entry(org.pk, project, reports=[report]))
        record(act, entries, day, recorded_at=moment(day))


def _blockers(org: Organisation, data: dict[str, Any], by_name: dict[str, Project]) -> None:
    projects = list(by_name.values())
    ways = [way for way, count in data["ways"].items() for _ in range(count)]
    kinds = [kind for kind in Blocker.Kind.values if kind != "money"]
    rows = []
    for index, way in enumerate(ways):
        opened, closed = date(2022, 1, 4 + index), date(2022, 2 + index % 2, 6 + index)
        rows.append(
            Blocker(
                org=org,
                project=projects[index % 12],
                kind=kinds[index % len(kinds)],
                way=way,
                state="closed",
                title=named(SOLVED[index % len(SOLVED)]),
                opened_on=opened,
                due_on=closed,
                closed_on=closed,
                answer="已办结",
                body="镇重点办",
                recorded_at=moment(opened),
                synthetic=True,
            )
        )
    for blocker in data["open"]:
        values = {**blocker, "project": by_name[blocker["project"]], "title": named(blocker["title"])}
        rows.append(Blocker(org=org, recorded_at=moment(blocker["opened_on"]), synthetic=True, **values))
    Blocker.objects.bulk_create(rows)
