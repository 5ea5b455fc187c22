"""A library of many projects for measurements: made by the program's own actions, the same on every run."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

PARKS = 10
USERS = 20
PASSWORD = "Bench-2468-Yuanmai"
CATEGORIES = ("电子信息", "高端装备", "新材料", "生物医药", "食品加工", "现代物流", "基础设施", "公共服务")
KINDS = ("new_start", "new_start", "continuing", "continuing", "continuing", "reserve")
LISTS = ("市重点", "重中之重", "技改")


def users() -> list[tuple[str, str, str]]:
    """(account, role, organisation) of the users who sign in: leaders of the city, officers of its parks."""
    leaders = [(f"leader{n:02d}", "leader", "bench") for n in range(USERS // 4)]
    officers = [
        (f"officer{n:02d}", "project_officer", f"bench-{n % PARKS}") for n in range(USERS - len(leaders))
    ]
    return leaders + officers


def entries(count: int, org_ids: list[int], day: date, seed: int = 20260101) -> Iterator[Any]:
    """``count`` projects, spread over the organisations, each with attributes, a plan of the year and two reports."""
    from yuanmai.projects.recording import Entry

    chance = random.Random(seed)
    year = day.year
    middle = date(year, max(1, day.month // 2), 28)
    for number in range(count):
        category = chance.choice(CATEGORIES)
        kind = chance.choice(KINDS)
        total = Decimal(chance.randrange(500, 300_000)) * 10_000
        planned = (total / chance.randrange(2, 6)).quantize(Decimal("0.01"))
        done = (planned * chance.randrange(0, 110) / 100).quantize(Decimal("0.01"))
        begun = kind == "continuing" or chance.random() < 0.8
        reports = [
            {"effective_on": when, "investment_done": (done * share / 100).quantize(Decimal("0.01")),
             "done_total": done, "started": begun and kind == "new_start", "resumed": begun and kind == "continuing",
             "visible_percent": Decimal(share) / 2, "visible_progress": f"主体施工至{share % 12 + 1}层"}
            for when, share in ((middle, 50), (day - timedelta(days=1), 100))
        ]  # fmt: skip
        yield Entry(
            org_id=org_ids[number % len(org_ids)],
            version={
                "name": f"{category}项目{number:05d}号厂房及配套设施工程",
                "code": f"BENCH-{number:06d}",
                "category": category,
                "responsible": f"第{number % 40 + 1}专班",
                "leader": f"领导{number % 25 + 1:02d}",
                "total_investment": total,
                "start_on": date(year - 1, number % 12 + 1, 1),
                "finish_on": date(year + 1, number % 12 + 1, 28),
                "content": "新建标准厂房、道路、给排水及配套设施。",
            },
            plans=[{"year": year, "kind": kind, "planned_investment": planned}],
            reports=[] if kind == "reserve" else reports,
            lists={chance.choice(LISTS): True} if number % 3 == 0 else {},
        )


def fill(count: int, day: date) -> None:
    """Make a city with parks, users and ``count`` projects in the database of the current settings."""
    from django.db import connection

    from yuanmai.config.commands import prepare
    from yuanmai.core.actions import Act, action
    from yuanmai.core.policy import SYSTEM
    from yuanmai.core.scope import everywhere
    from yuanmai.people.actions import add_organisation, add_user
    from yuanmai.people.models import Organisation
    from yuanmai.projects.permissions import EDIT_PROJECTS
    from yuanmai.projects.recording import record

    @action("projects.bench_fill", permission=EDIT_PROJECTS)
    def record_all(act: Act, ids: list[int]) -> None:
        projects = record(act, entries(count, ids, day), date(day.year, 1, 1))
        act.log(None, after={"projects": len(projects)})

    prepare()
    with everywhere():
        add_organisation(SYSTEM, code="bench", name="测试市", kind="city", name_en="Bench city")
        for n in range(PARKS):
            add_organisation(
                SYSTEM,
                code=f"bench-{n}",
                name=f"第{n}园区",
                kind="park",
                parent_code="bench",
                name_en=f"Park {n}",
            )
        for account, role, org in users():
            add_user(
                SYSTEM, username=account, full_name=account, role_code=role, org_code=org, password=PASSWORD
            )
        ids = list(Organisation.objects.filter(kind="park").order_by("code").values_list("id", flat=True))
        record_all(SYSTEM, ids)
    if connection.vendor == "postgresql":
        # What autovacuum does within a minute of a large change; a measurement that begins at once would run without
        # statistics, which no installation does for long. SQLite keeps none on purpose.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def keep_writing(every: float, day: date) -> None:
    """Record a progress report of a random project every ``every`` seconds, until stopped."""
    from django.db import connection

    from yuanmai.core.policy import SYSTEM
    from yuanmai.core.scope import everywhere
    from yuanmai.projects.actions import report_progress
    from yuanmai.projects.models import Project

    chance = random.Random(1)
    with everywhere():
        ids = list(Project.objects.values_list("id", flat=True))
        while True:
            time.sleep(every)
            project = Project.objects.get(pk=chance.choice(ids))
            done = Decimal(chance.randrange(1, 9000)) * 10_000
            report_progress(
                SYSTEM, day, [(project, {"investment_done": done, "visible_progress": "主体封顶"})]
            )
            connection.close()
