"""Pages of the cockpit: home by role, to-do, search."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from yuanmai.cockpit import home_admin, home_leader, home_officer, home_operator
from yuanmai.core.policy import Text
from yuanmai.core.search import SOURCES, clean, search
from yuanmai.core.todo import todos, waiting
from yuanmai.core.web import page

Home = Callable[[HttpRequest], dict[str, Any]]


def leader_home(request: HttpRequest) -> dict[str, Any]:
    """Return what the leader's home shows."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    empty = home_leader.emptiness(actor, view)
    if empty:
        return {"empty": empty, "findings": home_leader.findings(actor, view)}
    return {
        "cards": home_leader.cards(actor, view),
        "lights": home_leader.lights(actor, view),
        "findings": home_leader.findings(actor, view),
        "needs": home_leader.needs_me(actor, view),
        "compare": home_leader.compare(actor, view),
    }


HOMES: dict[str, tuple[Text, str, Home]] = {
    "leader": (gettext_lazy("Overview"), "chart-bar", leader_home),
    "officer": (gettext_lazy("My work"), "checklist", home_officer.home),
    "operator": (gettext_lazy("Control room"), "gauge", home_operator.home),
    "system": (gettext_lazy("System"), "server", home_admin.system),
    "security": (gettext_lazy("Security"), "shield-lock", home_admin.security),
    "audit": (gettext_lazy("Audit"), "clipboard-check", home_admin.audit),
    "enterprise": (gettext_lazy("Enterprise"), "building-factory-2", home_admin.enterprise),
}


@page()
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in: one home per role, several as tabs. With `part=1` only what of it moves by itself."""
    homes = [code for code in request.actor.homes if code in HOMES]  # type: ignore[attr-defined]
    asked = request.GET.get("home", "")
    shown = asked if asked in homes else (homes[0] if homes else "")
    if request.GET.get("part") and shown == "operator":
        return render(request, "cockpit/home/_operator_now.html", home_operator.now(request))
    rest = {key: value for key, value in request.GET.items() if key != "home"}
    tabs = [
        {"label": HOMES[code][0], "icon": HOMES[code][1], "active": code == shown,
         "url": f"?{urlencode({**rest, 'home': code})}"}
        for code in homes
    ]  # fmt: skip
    context: dict[str, Any] = {"tabs": tabs if len(tabs) > 1 else [], "shown": shown}
    if not shown:
        return render(request, "cockpit/home/nobody.html", context)
    context.update(HOMES[shown][2](request))
    return render(request, f"cockpit/home/{shown}.html", context)


@page()
@require_GET
def todo(request: HttpRequest) -> HttpResponse:
    """Everything that waits for the person, the nearest deadline first."""
    actor, today = request.actor, request.view.as_of  # type: ignore[attr-defined]
    parts = waiting(actor, today)
    chosen = request.GET.get("of", "")
    items = todos(actor, today)
    if any(part.source.code == chosen for part in parts):
        items = [item for part in parts if part.source.code == chosen for item in part.items]
        items.sort(key=lambda item: (item.due is None, item.due or today))
    context = {
        "items": [
            {"item": item, "days": None if item.due is None else (item.due - today).days} for item in items
        ],
        "tabs": [
            {"label": _("Everything"), "count": sum(len(p.items) for p in parts), "active": not chosen, "url": "?"},
            *(
                {"label": p.source.name, "count": len(p.items), "active": p.source.code == chosen,
                 "url": f"?of={p.source.code}"}
                for p in parts
            ),
        ] if len(parts) > 1 else [],
        "today": today,
    }  # fmt: skip
    return render(request, "cockpit/todo.html", context)


@page()
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Search over everything; `format=json` answers the box (Ctrl+K)."""
    text = clean(request.GET.get("q", ""))
    only = [request.GET["of"]] if request.GET.get("of") in SOURCES else []
    as_json = request.GET.get("format") == "json"
    found = search(request.actor, text, limit=6 if as_json else (100 if only else 12), only=only)  # type: ignore[attr-defined]
    if as_json:
        return JsonResponse(
            {
                "results": [
                    {
                        "title": hit.title,
                        "kind": str(part.source.name),
                        "detail": hit.detail,
                        "url": hit.url,
                        "icon": hit.icon or part.source.icon,
                    }
                    for part in found
                    for hit in part.hits
                ]
            }
        )
    context = {
        "q": text,
        "found": found,
        "only": only[0] if only else "",
        "count": sum(len(part.hits) for part in found),
        "search_page": reverse("cockpit:search"),
    }
    return render(request, "cockpit/search.html", context)
