"""The rules of special bonds: what holds, who decided it, and deciding anew."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.engine.rules import DEFAULT, Statement
from yuanmai.funds.models import BondRule
from yuanmai.funds.permissions import SEE_FUNDS, SET_RULES
from yuanmai.funds.reserve.actions import retract_rule, set_rule
from yuanmai.funds.reserve.rule_forms import LEVEL_CHOICES, RuleForm, value_text
from yuanmai.funds.reserve.rules import Parameter, known, name_of, names, parameters, rules_for, typed
from yuanmai.funds.reserve.views.planning import NEEDED
from yuanmai.funds.reserve.wording import percent
from yuanmai.people.models import Organisation
from yuanmai.projects.views.edit import writable_orgs

HISTORY = 20


def shown_value(parameter: Parameter, value: Any) -> str:
    """Return a single value in words; tables are shown by :func:`shown_table`."""
    kind = parameter.kind
    found = typed(kind, value)
    if kind == "share":
        return percent(found, 4)
    if kind in {"ratio", "points"}:
        return f"{found.normalize():f}"
    if kind == "months":
        return ngettext("%(n)s month", "%(n)s months", found) % {"n": found}
    if kind == "years":
        return ngettext("%(n)s year", "%(n)s years", found) % {"n": found}
    if kind == "level":
        return str(dict(LEVEL_CHOICES)[found])
    if kind == "terms":
        return _("%(terms)s years") % {"terms": ", ".join(str(term) for term in found)}
    return str(found)


def shown_table(parameter: Parameter, value: Any) -> list[tuple[str, str, str]]:
    """Return the lines of a table in words: (code, name, value)."""
    if parameter.kind not in {"shares", "weights", "fields", "checklist"}:
        return []
    found = typed(parameter.kind, value)
    order = list(names(parameter.names)) if parameter.names else []
    codes = sorted(found, key=lambda code: order.index(code) if code in order else len(order))
    return [(code, name_of(parameter.names, code), _cell(parameter.kind, found[code])) for code in codes]


def _cell(kind: str, entry: Any) -> str:
    if kind == "shares":
        return percent(entry)
    if kind == "weights":
        return f"{Decimal(entry).normalize():f}"
    if kind == "checklist":
        parts = [
            name_of("checklist_groups", entry["group"]),
            str(entry["weight"]),
            str(NEEDED.get(entry["needed"], "")),
        ]
        return " · ".join([*parts, *([_("with file")] if entry.get("file") else [])])
    if entry.get("negative"):
        return _("Negative list")
    if entry.get("capital") == "any":
        return _("Bonds may be capital")
    if entry.get("capital") == "park":
        levels = ", ".join(name_of("park_levels", level) for level in entry.get("levels", ()))
        return _("Bonds may be capital in parks: %(levels)s") % {"levels": levels}
    return _("Open to special bonds")


def _line(parameter: Parameter, held: Statement | None, orgs: dict[int, str]) -> dict[str, Any]:
    return {
        "parameter": parameter,
        "held": held,
        "value": shown_value(parameter, held.value) if held else "–",
        "table": shown_table(parameter, held.value) if held else [],
        "decided_by": _("Default")
        if held is None or held.distance == DEFAULT
        else orgs.get(held.org_id or 0, "–"),
        "is_default": held is None or held.distance == DEFAULT,
    }


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """Every parameter with the value that holds for the chosen organisation on the page's day, and its source."""
    view = request.view  # type: ignore[attr-defined]
    if view.org is None:
        raise Http404
    held = rules_for(view.org.id, view.as_of, view.known_at).held
    ids = {entry.org_id for entry in held.values() if entry.org_id}
    orgs = {org.pk: org.label for org in Organisation.objects.filter(pk__in=ids)}
    groups = [
        {
            "code": group,
            "name": name,
            "lines": [_line(p, held.get(p.code), orgs) for p in parameters().values() if p.group == group],
        }
        for group, name in names("groups").items()
    ]
    context = {
        "groups": [group for group in groups if group["lines"]],
        "may_set": request.actor.why_not(SET_RULES) is None,  # type: ignore[attr-defined]
    }
    return render(request, "funds/reserve/rules.html", context)


@page(SEE_FUNDS)
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """One parameter: what holds, what held before, and a form to decide it anew."""
    parameter = parameters().get(code)
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    if parameter is None or view.org is None:
        raise Http404
    held = rules_for(view.org.id, view.as_of, view.known_at).held.get(code)
    form = None
    if actor.why_not(SET_RULES) is None:
        initial = {
            "org": view.org.id,
            "effective_on": view.as_of,
            "value": value_text(parameter.kind, held.value) if held else "",
        }
        form = RuleForm(
            request.POST or None, initial=initial, parameter=parameter, orgs=writable_orgs(request, SET_RULES)
        )
        if request.method == "POST" and form.is_valid() and (row := _decide(request, form, code)) is not None:
            undo = reverse("funds:retract_rule", args=[row.pk])
            messages.success(request, _("The rule was saved."), extra_tags=f"undo={undo}")
            return HttpResponseRedirect(reverse("funds:rule", args=[code]))
    rows = BondRule.objects.filter(known(view.known_at), code=code).select_related("org", "recorded_by")
    deciders = [held.org_id] if held and held.org_id else []
    orgs = {org.pk: org.label for org in Organisation.objects.filter(pk__in=deciders)}
    context = {
        "line": _line(parameter, held, orgs),
        "decided": [
            {
                "row": row,
                "value": shown_value(parameter, row.value) if not shown_table(parameter, row.value) else "",
                "mine": actor.why_not(SET_RULES, row.org_id) is None and row.retracted_at is None,
            }
            for row in rows.order_by("-effective_on", "-recorded_at")[:HISTORY]
        ],
        "defaults": [
            {"entry": entry, "value": shown_value(parameter, entry.value) if not shown_table(parameter, entry.value) else ""}
            for entry in reversed(parameter.defaults)
        ],
        "form": form,
        "breadcrumbs": [
            {"label": _("Rules of special bonds"), "url": reverse("funds:rules")},
            {"label": parameter.label, "url": ""},
        ],
    }  # fmt: skip
    wrong = form is not None and bool(form.errors)
    return render(request, "funds/reserve/rule.html", context, status=422 if wrong else 200)


def _decide(request: HttpRequest, form: RuleForm, code: str) -> BondRule | None:
    values = form.cleaned_data

    def save(_confirmed: bool) -> BondRule:
        return set_rule(
            request.actor,  # type: ignore[attr-defined]
            values["org"],
            code,
            values["effective_on"],
            form.stored(),
            values["source"],
        )

    return form.carry_out(save)


@page(SET_RULES)
@require_POST
def retract(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rule back."""
    row = BondRule.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    try:
        retract_rule(request.actor, row)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The rule was taken back."))
    return HttpResponseRedirect(reverse("funds:rule", args=[row.code]))
