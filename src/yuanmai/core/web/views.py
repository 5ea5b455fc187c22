"""Pages of the ground floor that belong to no room: the frame's switches, health."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from yuanmai import __version__
from yuanmai.core.web.frame import SESSION_KEY, parse_day, parse_moment
from yuanmai.core.web.metrics import metrics as metrics_page
from yuanmai.core.web.pages import page, public_page

FRAME = ("org", "as_of", "known_at")


def _next(request: HttpRequest) -> str:
    """Return where to go back to, without the frame's parameters, which would win over what was just chosen."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(target)
    rest = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in FRAME]
    return urlunsplit(parts._replace(query=urlencode(rest)))


@page()
@require_POST
def change_context(request: HttpRequest) -> HttpResponse:
    """Remember the chosen organisation, as-of date and moment of knowledge for the pages that follow."""
    remembered: dict[str, Any] = dict(request.session.get(SESSION_KEY, {}))
    if request.POST.get("today"):
        remembered.pop("as_of", None)
        remembered.pop("known_at", None)
    for name in FRAME:
        if name in request.POST:
            value = request.POST[name].strip()
            if not value:
                remembered.pop(name, None)
                continue
            if name == "as_of":
                parse_day(value)
            elif name == "known_at":
                parse_moment(value)
            remembered[name] = value
    request.session[SESSION_KEY] = remembered
    return HttpResponseRedirect(_next(request))


@public_page("a load balancer asks whether the process lives")
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok", "version": __version__})


metrics = public_page(
    "Prometheus asks from this machine, or with the token of the settings; it holds no data"
)(require_GET(metrics_page))


@public_page("a load balancer asks whether requests can be served")
@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers and is migrated."""
    try:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Exception:  # whatever the driver raises, the answer is "not ready"
        return JsonResponse({"status": "no database"}, status=503)
    if pending:
        return JsonResponse({"status": "migrations pending", "pending": pending}, status=503)
    return JsonResponse({"status": "ok"})
