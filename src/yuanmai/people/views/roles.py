"""Pages of roles: what each allows, and who needs a second factor."""

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.policy import PERMISSIONS
from yuanmai.core.web import page
from yuanmai.people import actions, permissions, queries
from yuanmai.people.engine.separation import BUSINESS, RESERVED
from yuanmai.people.models import Role
from yuanmai.people.passwords import HistoryValidator, ProfileValidator, by_asvs, rotation_days


@page(permissions.GRANT_ROLES)
def role_list(request: HttpRequest) -> HttpResponse:
    """The permissions matrix, the rule of second factors, and the rules for passwords and sessions."""
    actor = request.actor  # type: ignore[attr-defined]
    roles = list(Role.objects.annotate(holders=Count("posts__user", distinct=True)).order_by("order", "code"))
    context = {
        "roles": roles,
        "matrix": queries.matrix(roles),
        "may_edit": queries.holds_everywhere(actor, permissions.GRANT_ROLES),
        "rules": {
            "profile": "asvs" if by_asvs() else "dengbao3",
            "password": f"{ProfileValidator().get_help_text()} {HistoryValidator().get_help_text()}".strip(),
            "rotation": rotation_days(),
            "failures": settings.AXES_FAILURE_LIMIT,
            "lock_minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60),
            "idle_minutes": int(settings.SESSION_IDLE.total_seconds() // 60),
            "absolute_hours": int(settings.SESSION_ABSOLUTE.total_seconds() // 3600),
        },
    }
    return render(request, "people/role_list.html", context)


@page(permissions.GRANT_ROLES)
def role(request: HttpRequest, code: str) -> HttpResponse:
    """One role: tick what it allows."""
    actor = request.actor  # type: ignore[attr-defined]
    row = get_object_or_404(Role, code=code)
    if request.method == "POST":
        try:
            actions.set_role_permissions(actor, row, codes=request.POST.getlist("codes"))
            messages.success(request, _("Saved. It counts from everybody's next request on."))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return redirect("people:role", code=code)
    rooms: dict[str, list[dict[str, object]]] = {}
    for key, right in sorted(PERMISSIONS.items()):
        if row.group == BUSINESS and key in RESERVED:
            continue
        rooms.setdefault(str(apps.get_app_config(key.split(".")[0]).verbose_name), []).append(
            {"code": key, "name": right.name, "writes": right.writes, "held": queries.carries(row, key)}
        )
    context = {
        "role": row,
        "rooms": rooms,
        "may_edit": row.group == BUSINESS and queries.holds_everywhere(actor, permissions.GRANT_ROLES),
    }
    return render(request, "people/role.html", context)


@page(permissions.GRANT_ROLES)
@require_POST
def role_second_factor(request: HttpRequest, code: str) -> HttpResponse:
    """Switch the demand for a second factor."""
    row = get_object_or_404(Role, code=code)
    actions.require_second_factor(request.actor, row, required=request.POST.get("required") == "1")  # type: ignore[attr-defined]
    messages.success(request, _("Saved. It counts from everybody's next request on."))
    return redirect("people:roles")
