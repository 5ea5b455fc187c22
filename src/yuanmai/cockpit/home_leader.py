"""The leader's home: figures with trend and change, lights and who is behind, findings, what needs the leader, the units."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Max, Min, Q, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.cockpit.answers import change_text, figure_url, visible
from yuanmai.cockpit.keeping import kept, rooms_of
from yuanmai.core.figures import (
    FIGURES,
    Query,
    Result,
    breakdown,
    evaluate_days,
    evaluate_many,
    evaluate_places,
)
from yuanmai.core.figures.display import display
from yuanmai.core.figures.evaluate import month_ends
from yuanmai.core.figures.sums import kept_by_org
from yuanmai.core.findings_queries import open_findings
from yuanmai.core.permissions import SEE_FINDINGS
from yuanmai.core.policy import Actor
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.people.view_context import OrgView, ViewContext
from yuanmai.projects.engine import lights as light_engine
from yuanmai.projects.models import Blocker, ProjectState
from yuanmai.projects.permissions import IMPORT_PROJECTS, SEE_PROJECTS
from yuanmai.projects.queries import planned_projects
from yuanmai.projects.queries.lights import RANKS, completion_order, light_of, rule_for, with_light, words

CARDS = (
    "projects.count",
    "projects.total_investment",
    "projects.planned_investment",
    "projects.investment_done",
    "projects.completion_rate",
    "projects.time_progress",
    "projects.ahead_points",
    "projects.start_rate",
    "projects.resumption_rate",
    "projects.over_1bn_count",
    "funds.secured",
    "funds.gap",
)
TRENDS = (
    "projects.investment_done",
    "projects.completion_rate",
    "projects.start_rate",
    "projects.resumption_rate",
)
COMPARED = (
    "projects.count",
    "projects.planned_investment",
    "projects.investment_done",
    "projects.completion_rate",
    "projects.start_rate",
    "projects.resumption_rate",
    "projects.red_count",
)
LIGHT_ROOMS = ("projects", "people", "core")
UNITS_MAX = 60
BEHIND_MAX = 8
LIST_MAX = 6


def may_see(actor: Actor, codes: tuple[str, ...]) -> list[str]:
    """Return those of the figures that the actor may see."""
    seen = {figure.code for figure in visible(actor)}
    return [code for code in codes if code in seen]


def asked(code: str, query: Query) -> Query:
    """Return the question of a card: money of the projects on the plan, so that it adds up with the cards beside it."""
    return query.where(planned="yes") if code.startswith("funds.") else query


def cards(actor: Actor, view: ViewContext, wanted: tuple[str, ...] = CARDS) -> list[dict[str, Any]]:
    """Return the figure cards of a home."""
    query = view.query()
    codes = may_see(actor, wanted)
    rooms = {room for code in codes for room in rooms_of(FIGURES[code])}

    def compute() -> dict[date, dict[str, Result]]:
        days = month_ends(query.as_of, query.as_of.month)
        trends = [code for code in codes if code in TRENDS]
        answers = dict(zip(days, evaluate_days(trends, [query.on(day) for day in days]), strict=True))
        # Only what is a trend is asked for every month; the rest now, and before for the change.
        for day in days[-2:]:
            answers[day] = {}
            for question in dict.fromkeys(asked(code, query.on(day)) for code in codes):
                these = [code for code in codes if asked(code, query.on(day)) == question]
                answers[day] |= evaluate_many(these, question)
        return answers

    live = any(FIGURES[code].live for code in codes)
    answers = kept(f"cards:{','.join(codes)}", rooms, query, compute, live=live)
    return [_card(code, answers, view) for code in codes]


def _card(code: str, answers: dict[date, dict[str, Result]], view: ViewContext) -> dict[str, Any]:
    figure, days = FIGURES[code], sorted(answers)
    now = answers[days[-1]][code]
    change, tone = "", ""
    if len(days) > 1 and not figure.live:  # what is of this moment was nothing at the end of a month
        change, tone = change_text(figure, now, answers[days[-2]][code])
    trend = [answers[day][code].value for day in days if code in answers[day]]
    known = [value for value in trend if value is not None]
    label = str(figure.name)
    if asked(code, view.query()) != view.query():
        label = _("%(figure)s (year's plan)") % {"figure": label}
    light, light_text = "", ""
    if code == "projects.completion_rate" and view.org is not None:
        light, light_text = _light(now, view)
    return {
        "label": label,
        "display": display(figure, now),
        "url": figure_url(code, asked(code, view.query()), view.org.code if view.org else None),
        "change": change,
        "change_tone": tone,
        "note": _("against the end of %(month)s") % {"month": f"{days[-2]:%Y-%m}"} if change else "",
        "trend": [f"{value:f}" for value in known] if code in TRENDS and len(known) > 1 else [],
        "light": light,
        "light_text": light_text,
    }


def _light(rate: Result, view: ViewContext) -> tuple[str, str]:
    """Return the light of the whole scope by the rule of the chosen organisation, and its reason."""
    assert view.org is not None
    facts = light_engine.Facts(kind="continuing", planned=rate.denominator, done=rate.numerator)
    light = light_engine.light(facts, view.as_of, rule_for(view.query(), view.org.id))
    return (light.value, "") if light.causes else ("", "")


@dataclass(frozen=True)
class Behind:
    """A project that is behind, with the reason in words."""

    name: str
    url: str
    light: str
    words: str
    responsible: str
    leader: str


def lights(actor: Actor, view: ViewContext) -> dict[str, Any] | None:
    """Return how many projects stand at which light, and the ones furthest behind; None without the right."""
    if actor.why_not(SEE_PROJECTS):
        return None
    query = view.query()
    org = view.org.code if view.org else None

    def compute() -> dict[str, Any]:
        counts = {
            group.value: group.result.value or Decimal(0)
            for group in breakdown("projects.count", query, "light")
        }
        rows = furthest_behind(query)
        behind = [
            Behind(
                row.name,
                reverse("projects:record", args=[row.project.uid]),
                row.light,  # type: ignore[attr-defined]
                words(light_of(row, query)),
                row.responsible,
                row.leader,
            )
            for row in rows
        ]
        return {"counts": counts, "behind": behind}

    found = kept("lights", LIGHT_ROOMS, query, compute, words=True)
    total = sum(found["counts"].values(), Decimal(0))
    return {
        "total": int(total),
        "parts": [
            {
                "light": light,
                "count": int(found["counts"].get(light, 0)),
                "url": figure_url("projects.count", query.where(light=light), org),
            }
            for light in ("red", "yellow", "green", "grey")
        ],
        "behind": found["behind"],
        "more": int(found["counts"].get("red", 0) + found["counts"].get("yellow", 0)) - len(found["behind"]),
        "all_url": f"{reverse('cockpit:wall')}?{urlencode({**view.parameters, 'view': 'table', 'sort': 'light'})}",
    }


def furthest_behind(query: Query) -> list[ProjectState]:
    """Return the projects with a red or yellow light, the worst first; each organisation's are kept until it changes."""

    def read(part: Query) -> dict[int, list[tuple[Any, ...]]]:
        worst = (F("light_rank").desc(), F("completion").asc(nulls_last=True), F("name").asc(), F("pk").asc())
        rows = (
            with_light(planned_projects(part), part)
            .filter(light__in=["red", "yellow"])
            .annotate(light_rank=RANKS, completion=completion_order())
            .annotate(place=Window(RowNumber(), partition_by="org_id", order_by=worst))
            .filter(place__lte=BEHIND_MAX)
            .order_by()
        )
        found: dict[int, list[tuple[Any, ...]]] = {}
        for org, rank, rate, name, pk in rows.values_list("org_id", "light_rank", "completion", "name", "pk"):
            found.setdefault(org, []).append((-rank, rate is None, rate or 0, name, pk))
        return found

    candidates = sorted(
        row for rows in kept_by_org("behind", LIGHT_ROOMS, query, read).values() for row in rows
    )
    keys = [row[-1] for row in candidates[:BEHIND_MAX]]
    states = with_light(ProjectState.objects.filter(pk__in=keys).select_related("project"), query)
    by_key = {state.pk: state for state in states}
    return [by_key[key] for key in keys if key in by_key]


def findings(actor: Actor, view: ViewContext) -> dict[str, Any] | None:
    """Return the open findings: the first few and their number; None without the right."""
    if actor.why_not(SEE_FINDINGS):
        return None
    rows = open_findings(view.org_ids, view.as_of, view.known_at)
    shown = list(rows.select_related("org", "owner")[:LIST_MAX])
    return {"rows": shown, "count": rows.count() if len(shown) == LIST_MAX else len(shown)}


def blockers_on(view: ViewContext) -> Any:
    """Return the blockers that were open on the day, as known at the moment."""
    rows = Blocker.objects.filter(org_id__in=view.org_ids, opened_on__lte=view.as_of)
    rows = rows.filter(Q(closed_on=None) | Q(closed_on__gt=view.as_of))
    return rows if view.known_at is None else rows.filter(recorded_at__lte=view.known_at)


def needs_me(actor: Actor, view: ViewContext) -> dict[str, Any] | None:
    """Return blockers that were raised to a leader or whose deadline has passed, the oldest deadline first."""
    if actor.why_not(SEE_PROJECTS):
        return None
    rows = blockers_on(view).filter(Q(level__gte=1) | Q(due_on__lt=view.as_of))
    rows = rows.order_by(F("due_on").asc(nulls_last=True), "id")
    shown = list(rows[: LIST_MAX + 1])
    return {
        "rows": [
            {
                "title": blocker.title,
                "url": reverse("projects:blocker", args=[blocker.pk]),
                "kind": blocker.get_kind_display(),
                "body": blocker.body,
                "due": blocker.due_on,
                "late": (view.as_of - blocker.due_on).days
                if blocker.due_on and blocker.due_on < view.as_of
                else 0,
                "level": blocker.level,
            }
            for blocker in shown[:LIST_MAX]
        ],
        "more": len(shown) > LIST_MAX,
    }


def children(view: ViewContext) -> list[OrgView]:
    """Return the organisations directly below the chosen one, offices and teams left out."""
    if view.org is None:
        return []
    own = view.org
    return [
        org for org in view.orgs
        if org.path.startswith(own.path) and org.depth == own.depth + 1
        and org.kind in {"province", "city", "county", "town", "park"}
    ]  # fmt: skip


def compare(actor: Actor, view: ViewContext) -> dict[str, Any] | None:
    """Return the units below the chosen organisation with their figures; None where there are fewer than two."""
    units = children(view)[:UNITS_MAX]
    if len(units) < 2:
        return None
    codes = may_see(actor, COMPARED)

    def compute() -> list[tuple[OrgView, dict[str, Result]]]:
        places = {unit.id: [org.id for org in view.orgs if org.path.startswith(unit.path)] for unit in units}
        ids = tuple(sorted({org_id for below in places.values() for org_id in below}))
        answers = evaluate_places(codes, Query(ids, view.as_of, view.known_at), places)
        return [(unit, answers[unit.id]) for unit in units]

    rooms = {room for code in codes for room in rooms_of(FIGURES[code])}
    rows = kept(f"units:{','.join(codes)}", rooms, view.query(), compute, words=True)
    filled = [(unit, answers) for unit, answers in rows if answers["projects.count"].value]
    if not filled:
        return None

    def order(row: tuple[OrgView, dict[str, Result]]) -> tuple[bool, Decimal]:
        rate = row[1]["projects.completion_rate"].value
        return rate is None, -(rate or Decimal(0))

    return {
        "heads": [FIGURES[code].name for code in codes],
        "rows": [
            {
                "name": unit.name,
                "url": f"/?{urlencode({**view.parameters, 'org': unit.code})}",
                "cells": [
                    {
                        "display": display(FIGURES[code], answers[code]),
                        "url": figure_url(code, Query((), view.as_of, view.known_at), unit.code),
                    }
                    for code in codes
                ],
            }
            for unit, answers in sorted(filled, key=order)
        ],
        "empty": len(rows) - len(filled),
    }


def emptiness(actor: Actor, view: ViewContext) -> dict[str, Any] | None:
    """Return what to do first where the scope has no projects on the day; None where it has some."""
    if "projects.library_count" not in FIGURES or actor.why_not(SEE_PROJECTS) or not view.org_ids:
        return None
    if evaluate_many(["projects.library_count"], view.query())["projects.library_count"].value:
        return None
    day = nearest_day(view)
    parameters = dict(view.parameters)
    return {
        "day": day,
        "day_url": f"/?{urlencode({**parameters, 'as_of': day.isoformat()})}" if day else "",
        "import_url": "" if actor.why_not(IMPORT_PROJECTS) else reverse("imports:new"),
    }


def nearest_day(view: ViewContext) -> date | None:
    """Return the day of the latest report in the scope, for "there is data at …"; None where there is none at all."""
    states = ProjectState.objects.filter(org_id__in=view.org_ids, known_until=KNOWN_FOREVER)
    latest = states.aggregate(day=Max("reported_on"), first=Min("effective_from"))
    found: date | None = latest["day"] or latest["first"]
    return found
