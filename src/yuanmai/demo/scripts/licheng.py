"""Licheng: the projects of the ten-minute circle and the leading enterprise; its space stands in the places."""

from datetime import date

from yuanmai.core.actions import Act
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import moment, named, register, sites, wan
from yuanmai.people.models import Organisation
from yuanmai.projects.recording import Entry, record


def load(act: Act, orgs: dict[str, Organisation]) -> int:
    """Record Licheng; return the number of projects."""
    data, org = preset("licheng"), orgs["licheng-park"]
    register(org, data["enterprises"])
    circle, opening = data["circle"], date(2024, 1, 1)
    longitude, latitude = data["map"]["centre"]
    places = sites((longitude, latitude), len(circle["projects"]))
    entries = [
        Entry(
            org.pk,
            version={
                "name": named(p["name"]),
                "category": p["category"],
                "content": p["content"],
                "site": site,
                "total_investment": wan(p["total"]),
                "responsible": "鲤城区教育局" if p["category"] == "教育" else "鲤城区住建局",
                "start_on": date(2024, 2, 1),
                "finish_on": date(2025, 8, 31),
                "leader": "区领导甲",
            },
            plans=[{"year": 2024, "kind": "new_start", "planned_investment": wan(p["total"] // 2)}],
            lists={circle["list"]: True},
            synthetic=True,
        )
        for p, site in zip(circle["projects"], places, strict=True)
    ]
    projects = record(act, entries, opening, recorded_at=moment(opening))
    for day, share in ((date(2024, 3, 31), 10), (date(2024, 6, 30), 22), (date(2024, 7, 31), 28)):
        reports = [
            Entry(
                org.pk,
                project,
                reports=[{"investment_done": wan(p["total"] * share // 100), "started": True}],
            )
            for p, project in zip(circle["projects"], projects, strict=True)
        ]
        record(act, reports, day, recorded_at=moment(day))
    return len(projects)
