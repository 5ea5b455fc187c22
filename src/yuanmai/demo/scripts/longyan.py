"""Longyan: 124 standardization projects of ten parks, 66 key projects of 2020, technical upgrades, a joint start."""

from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.common.money import WAN
from yuanmai.core.actions import Act
from yuanmai.demo.expand import paced, split, weights
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import block, fund, moment, month_ends, named, sites, wan
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project, ProjectVersion
from yuanmai.projects.recording import Entry, record

THINGS = (
    "标准厂房",
    "道路工程",
    "污水管网",
    "公共服务中心",
    "研发平台",
    "边坡整治",
    "供水工程",
    "停车场",
    "变电配套",
    "雨污分流",
)


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record Longyan; return the number of projects."""
    data = preset("longyan")
    opening = date(2020, 1, 1)
    rows = _standardization(data, orgs)
    projects = record(act, [row["entry"] for row in rows], opening, recorded_at=moment(opening))
    others = record(
        act, [*_upgrades(data, orgs), *_batch(data, orgs)], opening, recorded_at=moment(opening, 18)
    )
    _history(act, data, [(row, project) for row, project in zip(rows, projects, strict=True) if row["plan"]])
    fund(act, [*_funding(data, rows, projects), *_own(others)], opening, moment(opening, 18))
    block(dict(zip([row["entry"].version["name"] for row in rows], projects, strict=True)), data["blockers"])
    _report_batch(act, data, others[data["technical_upgrade"]["count"] :])
    return len(projects) + len(others)


def _standardization(data: dict[str, Any], orgs: dict[str, Organisation]) -> list[dict[str, Any]]:
    """Return the 124 projects: two named ones, the rest split so that every sum comes out."""
    named_ones, whole, key = data["named"], data["standardization"], data["key"]
    count, keys = whole["count"] - len(named_ones), key["count"] - len(named_ones)
    left = {name: key[name] - sum(n[name] for n in named_ones) for name in ("plan", "done")}
    totals = split(
        wan(whole["total"] - sum(n["total"] for n in named_ones)) or Decimal(0), weights(count, 3), WAN
    )
    plans = split(Decimal(left["plan"]) * WAN, weights(keys, 5), WAN)
    first_waiting = key["count"] - key["new_start"] + key["started"]
    runs = [len(named_ones) + rest < first_waiting for rest in range(keys)]
    dones = split(Decimal(left["done"]) * WAN, paced([plan / WAN for plan in plans], 6, runs), WAN)
    longitude, latitude = data["map"]["centre"]
    places = sites((longitude, latitude), whole["count"])
    rows = []
    for index in range(whole["count"]):
        special = named_ones[index] if index < len(named_ones) else None
        rest = index - len(named_ones)
        is_key = index < key["count"]
        new = is_key and index >= key["count"] - key["new_start"]
        park = data["parks"][index % len(data["parks"])]
        org = orgs[special["org"] if special else park]
        total = wan(special["total"]) if special else totals[rest]
        plan = (wan(special["plan"]) if special else plans[rest]) if is_key else None
        row: dict[str, Any] = {
            "org": org,
            "kind": "new_start" if new else "continuing",
            "plan": plan,
            "done": (wan(special["done"]) if special else dones[rest]) if is_key else None,
            "started": not new or index < first_waiting,
            "completed": bool(special and special.get("completed")),
            "visible": special["visible"] if special else "",
            "total": total,
        }
        lists = [whole["list"]] + [item["name"] for item in data["lists"] if index < item["count"]]
        row["entry"] = Entry(
            org.pk,
            version={
                "name": special["name"]
                if special
                else named(f"{org.name.replace('(示例)', '')}{THINGS[index % 10]}{index:03d}"),
                "category": special["category"]
                if special
                else data["categories"][index % len(data["categories"])],
                "responsible": data["responsible"][index % len(data["responsible"])],
                "leader": f"市领导{'甲乙丙丁'[index % 4]}",
                "start_on": special["start"] if special else date(2020 if new else 2019, 2 + index % 10, 1),
                "finish_on": special["finish"] if special else date(2021 + index % 3, 6, 30),
                "total_investment": total,
                "content": special["content"] if special else "",
                "stage": "" if is_key else ("operating", "construction", "preparation")[index % 3],
                "site": places[index],
            },
            plans=[{"year": 2020, "kind": row["kind"], "planned_investment": plan}] if is_key else [],
            lists=dict.fromkeys(lists, True),
            synthetic=special is None,
        )
        rows.append(row)
    return rows


def _history(act: Act, data: dict[str, Any], rows: list[tuple[dict[str, Any], Project]]) -> None:
    shares = [Decimal(share) for share in data["history"]]
    for month, (day, share) in enumerate(zip(month_ends(2020, len(shares)), shares, strict=True), start=1):
        last = month == len(shares)
        entries = []
        for row, project in rows:
            # A third of the new starts begins each quarter; all that ever start have started by the last report.
            running = row["started"] and (row["kind"] == "continuing" or last or month >= 3)
            done = row["done"] if last else (row["done"] * share / WAN).to_integral_value() * WAN
            report = {
                "investment_done": done if running or last else Decimal(0),
                "started" if row["kind"] == "new_start" else "resumed": running,
                "visible_progress": row["visible"] if last else ("主体施工" if running else "办理前期手续"),
                "problems": "" if row["started"] else "用地报批未完成",
                "completed": True if row["completed"] and last else None,
            }
            entries.append(Entry(row["org"].pk, project, reports=[report]))
        record(act, entries, day, recorded_at=moment(day))


def _funding(
    data: dict[str, Any], rows: list[dict[str, Any]], projects: list[Project]
) -> list[tuple[Project, dict[str, Any]]]:
    """Return the sources: what the bonds of thirteen projects leave, as own funds and loans; `bonds.py` adds the bonds."""
    bonds = data["bonds"]
    issued = split(Decimal(bonds["total"]) * WAN, weights(bonds["count"], 17), 100 * WAN)
    lines = []
    for index, (row, project) in enumerate(zip(rows, projects, strict=True)):
        bond = issued[index] if index < len(issued) else Decimal(0)
        own = ((row["total"] - bond) * 6 / 10 / WAN).to_integral_value() * WAN
        sources = (
            ("own", "secured", own),
            ("loan", "planned", row["total"] - bond - own),
        )
        lines += [
            (project, {"source": source, "security": security, "year": None, "amount": amount})
            for source, security, amount in sources
            if amount
        ]
    return lines


def _own(projects: list[Project]) -> list[tuple[Project, dict[str, Any]]]:
    """Return the sources of enterprises' own projects: all of the total investment is their own money."""
    totals = ProjectVersion.objects.filter(project__in=projects).values_list("project_id", "total_investment")
    amounts = {project_id: total for project_id, total in totals if total}
    line = {"source": "own", "security": "secured", "year": None}
    return [
        (project, {**line, "amount": amounts[project.pk]}) for project in projects if project.pk in amounts
    ]


def _upgrades(data: dict[str, Any], orgs: dict[str, Organisation]) -> list[Entry]:
    """Return the technical-upgrade projects of the list; they have no plan of the year here."""
    upgrade = data["technical_upgrade"]
    parts = weights(upgrade["count"], 11)
    low, high = min(parts), max(parts)
    entries = []
    for index, part in enumerate(parts):
        org = orgs[data["parks"][index % len(data["parks"])]]
        total = upgrade["smallest"] + (upgrade["largest"] - upgrade["smallest"]) * (part - low) // (
            high - low
        )
        version = {
            "name": named(f"技术改造项目{index + 1:03d}"),
            "category": "技术改造",
            "total_investment": wan(total),
        }
        entries.append(Entry(org.pk, version=version, lists={upgrade["list"]: True}, synthetic=True))
    return entries


def _batch(data: dict[str, Any], orgs: dict[str, Organisation]) -> list[Entry]:
    """Return the joint start and completion of the third quarter."""
    batch = data["batch"]
    entries = []
    for state in ("started", "completed"):
        part = batch[state]
        for index, total in enumerate(
            split(Decimal(part["total"]) * WAN, weights(part["count"], 13), WAN), start=1
        ):
            name = named(f"武平{'开工' if state == 'started' else '竣工'}项目{index}")
            version = {
                "name": name,
                "category": "集中开竣工",
                "total_investment": total,
                "responsible": "武平县工信局",
            }
            entries.append(
                Entry(orgs[batch["org"]].pk, version=version, lists={batch["list"]: True}, synthetic=True)
            )
    return entries


def _report_batch(act: Act, data: dict[str, Any], projects: list[Project]) -> None:
    day, started = date(2020, 8, 20), data["batch"]["started"]["count"]
    entries = [
        Entry(p.org_id, p, reports=[{"started": True, "completed": index >= started}])
        for index, p in enumerate(projects)
    ]
    record(act, entries, day, recorded_at=moment(day))
