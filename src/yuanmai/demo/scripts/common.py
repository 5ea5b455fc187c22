"""What the places' scripts share: moments of recording, funding, enterprises, sites."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from yuanmai.common.money import WAN
from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.actions import Act
from yuanmai.demo.geography import Point, blocks, rectangle
from yuanmai.enterprises.models import Enterprise
from yuanmai.funds.models import FundingFact
from yuanmai.funds.projection import refold
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Blocker, Project

SHANGHAI = ZoneInfo("Asia/Shanghai")


def named(name: str) -> str:
    """Return a made-up record's name, marked as one."""
    return f"{name}(示例)"


def moment(day: date, hour: int = 17) -> datetime:
    """Return the moment at which a day's report was entered: that afternoon."""
    return datetime.combine(day, time(hour, 30), tzinfo=SHANGHAI)


def wan(amount: Any) -> Decimal | None:
    """Return 万元 as yuan; None stays None."""
    return None if amount is None else Decimal(str(amount)) * WAN


def yuan(amount: Any) -> Decimal:
    """Return 万元 that must be stated as yuan."""
    return Decimal(str(amount)) * WAN


def fund(act: Act, lines: Iterable[tuple[Project, dict[str, Any]]], on: date, recorded_at: datetime) -> None:
    """Record funding lines (`source`, `security`, `year`, `tranche`, `amount` in yuan) of projects."""
    facts = [
        FundingFact(
            project=project,
            effective_on=on,
            recorded_at=recorded_at,
            recorded_by_id=act.actor.user_id,
            **values,
        )
        for project, values in lines
    ]
    FundingFact.objects.bulk_create(facts, batch_size=500)
    refold({fact.project_id for fact in facts}, recorded_at)


def block(by_name: dict[str, Project], items: Iterable[dict[str, Any]]) -> None:
    """Record blockers of projects that are named as the ledger names them."""
    Blocker.objects.bulk_create(
        [
            Blocker(
                org_id=by_name[item["project"]].org_id,
                recorded_at=moment(item["opened_on"]),
                synthetic=True,
                **{**item, "project": by_name[item["project"]], "title": named(item["title"])},
            )
            for item in items
        ]
    )


def register(org: Organisation, records: Iterable[dict[str, Any]]) -> list[Enterprise]:
    """Enter enterprises in the register."""
    return Enterprise.objects.bulk_create(
        [Enterprise(org=org, pinyin=pinyin_of(r["name"])[:200], synthetic=True, **r) for r in records]
    )


def sites(centre: Point, count: int) -> list[dict[str, Any]]:
    """Return the sites of `count` projects around a centre."""
    return [rectangle(centre, x + 40, y + 40, 170, 130) for x, y in blocks(centre, count, 300.0)]


def month_ends(year: int, count: int) -> list[date]:
    """Return the last days of the first `count` months of a year."""
    return [date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(1, count + 1)]
