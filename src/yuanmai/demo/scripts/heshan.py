"""Heshan: one project with nineteen sub-projects, and the sources of its money."""

from datetime import date
from typing import Any

from yuanmai.core.actions import Act
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import fund, moment, month_ends, named, register, sites, wan
from yuanmai.people.models import Organisation
from yuanmai.projects.recording import Entry, record


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record Heshan; return the number of projects, sub-projects included."""
    data, org = preset("heshan"), orgs["heshan-park"]
    register(org, data["enterprises"])
    main, opening = data["main"], date(2021, 3, 1)
    rows = [dict(zip(data["columns"], values, strict=True)) for values in data["sub_projects"]]
    longitude, latitude = data["map"]["centre"]
    places = sites((longitude, latitude), len(rows) + 1)
    entries = [
        Entry(
            org.pk,
            version={
                "name": main["name"],
                "category": main["category"],
                "responsible": main["responsible"],
                "leader": main["leader"],
                "start_on": main["start"],
                "finish_on": main["finish"],
                "total_investment": wan(main["total"]),
                "site": places[0],
            },
            lists=dict.fromkeys(main["lists"], True),
            key="main",
        )
    ]
    entries += [
        Entry(
            org.pk,
            version={
                "name": named(row["name"]) if row["name"] != "鹤山工业城5G智慧园区(一期)" else row["name"],
                "category": row["category"],
                "responsible": main["responsible"],
                "leader": main["leader"],
                "start_on": main["start"],
                "finish_on": main["finish"],
                "total_investment": wan(row["total"]),
                "site": site,
            },
            parent_key="main",
            synthetic=row["name"] != "鹤山工业城5G智慧园区(一期)",
        )
        for row, site in zip(rows, places[1:], strict=True)
    ]
    projects = record(act, entries, opening, recorded_at=moment(opening))
    for line in data["funding"]:
        year = date(line["year"], 1, 1) if line["security"] != "planned" else date(2022, 12, 1)
        on = max(year, opening)
        values = {key: line[key] for key in ("source", "security", "year")} | {
            "tranche": line.get("tranche", "")
        }
        fund(act, [(projects[0], {**values, "amount": wan(line["amount"])})], on, moment(on))
    _history(act, org, data, rows, projects)
    return len(projects)


def _history(
    act: Act, org: Organisation, data: dict[str, Any], rows: list[dict[str, Any]], projects: list[Any]
) -> None:
    """Record the plan of 2022 and monthly reports, the last one on the day of the report itself."""
    main, opening = data["main"], date(2022, 1, 1)
    plan = {"year": 2022, "kind": "continuing", "planned_investment": wan(main["plan"])}
    record(act, [Entry(org.pk, projects[0], plans=[plan])], opening, recorded_at=moment(opening))
    before = wan(main["done_total"] - main["done"])
    days = [*month_ends(2022, 11), data["as_of"]]
    for index, day in enumerate(days, start=1):
        last = index == len(days)
        done = wan(main["done"] if last else main["done"] * index // len(days) // 100 * 100)
        assert done is not None and before is not None
        entries = [
            Entry(
                org.pk,
                projects[0],
                reports=[
                    {
                        "investment_done": done,
                        "done_total": before + done,
                        "resumed": True,
                        "started": True,
                        "visible_progress": main["visible"] if last else f"按计划推进({index}月)",
                    }
                ],
            )
        ]
        if last:
            entries += [
                Entry(
                    org.pk,
                    project,
                    reports=[
                        {
                            "done_total": wan(row["done_total"]),
                            "visible_percent": row["percent"],
                            "started": True,
                            "completed": row["state"] == "completed",
                        }
                    ],
                )
                for row, project in zip(rows, projects[1:], strict=True)
            ]
        record(act, entries, day, recorded_at=moment(day))
