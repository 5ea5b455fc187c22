"""Zhaoqing: eighteen infrastructure plans of the cluster, and the library of manufacturing projects."""

from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.common.money import WAN
from yuanmai.core.actions import Act
from yuanmai.demo.expand import paced, split, weights
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import block, fund, moment, month_ends, named, register, sites
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project
from yuanmai.projects.recording import Entry, record

NINE = (
    "市政道路",
    "雨水管网",
    "污水管网",
    "供水管网",
    "天然气管网",
    "电力设施",
    "通信管道",
    "供热管网",
    "土地平整",
)


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record Zhaoqing; return the number of projects."""
    data, org = preset("zhaoqing"), orgs["zhaoqing-cluster"]
    register(org, data["enterprises"])
    infra, opening = data["infrastructure"], date(2022, 1, 1)
    count = infra["count"]
    totals, plans = (
        split(Decimal(infra[name]) * WAN, weights(count, seed), WAN)
        for name, seed in (("total", 2), ("plan", 4))
    )
    runs = [
        index < infra["started"] or infra["new_start"] <= index < infra["new_start"] + infra["resumed"]
        for index in range(count)
    ]
    dones = split(Decimal(infra["done"]) * WAN, paced([plan / WAN for plan in plans], 6, runs), WAN)
    longitude, latitude = data["map"]["centre"]
    places = sites((longitude, latitude), count + len(data["library"]["projects"]))
    entries = []
    for index in range(count):
        new = index < infra["new_start"]
        zone = data["map"]["zones"][index % 4]
        entries.append(
            Entry(
                org.pk,
                version={
                    "name": named(f"{zone}{NINE[index % 9]}工程"),
                    "category": "基础设施",
                    "responsible": ("肇庆新区管委会", "端州区政府", "高新区管委会", "高要区政府")[index % 4],
                    "leader": f"市领导{'甲乙丙'[index % 3]}",
                    "total_investment": totals[index],
                    "start_on": date(2022, 1 + index % 6, 1) if new else date(2021, 3 + index % 6, 1),
                    "finish_on": date(2024, 12, 31),
                    "site": places[index],
                },
                plans=[
                    {
                        "year": 2022,
                        "kind": "new_start" if new else "continuing",
                        "planned_investment": plans[index],
                    }
                ],
                lists={infra["list"]: True},
                synthetic=True,
            )
        )
    library = data["library"]
    entries += [
        Entry(
            org.pk,
            version={"name": project["name"], "category": project["chain"], "site": site},
            lists={library["list"]: True},
        )
        for project, site in zip(library["projects"], places[count:], strict=True)
    ]
    projects = record(act, entries, opening, recorded_at=moment(opening))
    for month, day in enumerate(month_ends(2022, 3), start=1):
        reports = []
        for index, project in enumerate(projects[:count]):
            new, running = index < infra["new_start"], runs[index]
            done = dones[index] if month == 3 else (dones[index] * month / 3 / WAN).to_integral_value() * WAN
            reports.append(
                Entry(
                    org.pk,
                    project,
                    reports=[
                        {
                            "investment_done": done,
                            "started" if new else "resumed": running,
                            "visible_progress": "主体施工" if running else "办理前期手续",
                            "problems": "" if running else "前期手续未完成",
                        }
                    ],
                )
            )
        record(act, reports, day, recorded_at=moment(day))
    names = [entry.version["name"] for entry in entries if entry.version]
    block(dict(zip(names, projects, strict=True)), data["blockers"])
    fund(act, _funding(data, projects[:count], totals), opening, moment(opening, 18))
    return len(projects)


def _funding(
    data: dict[str, Any], projects: list[Project], totals: list[Decimal]
) -> list[tuple[Project, dict[str, Any]]]:
    """Return the made-up sources of the infrastructure plans: shares of each project's total investment."""
    lines = []
    for project, total in zip(projects, totals, strict=True):
        for source, security, percent in data["infrastructure"]["funding"]:
            amount = (total * percent / 100 / WAN).to_integral_value() * WAN
            lines.append((project, {"source": source, "security": security, "year": None, "amount": amount}))
    return lines
