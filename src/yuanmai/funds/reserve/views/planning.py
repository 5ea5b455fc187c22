"""The plan by year as a sheet, the checklist with its files, the named uses and the loans."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.engine.application import AMOUNTS
from yuanmai.funds.files import ACCEPT, attach_file, attachments, max_bytes, target_of
from yuanmai.funds.models import PlanYear, Reserve, ReserveItem
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve.actions import set_items, set_loans, set_plan, set_uses
from yuanmai.funds.reserve.actions.planning import OPENED
from yuanmai.funds.reserve.forms import FileForm, ItemForm, LoanForm, LoanFormSet, UseForm, UseFormSet
from yuanmai.funds.reserve.queries import horizon_years, items_of, loans_of, plan_years, uses_of
from yuanmai.funds.reserve.rules import name_of, names, rules_for
from yuanmai.funds.reserve.views.shared import Shown, reserve_or_404, shown
from yuanmai.funds.reserve.wording import percent
from yuanmai.projects.forms import WanField, attach, wan_text

ZERO = Decimal(0)
AMOUNT_NAMES = {
    "investment": gettext_lazy("Investment"),
    "capital": gettext_lazy("Capital"),
    "bonds": gettext_lazy("Bonds"),
    "bonds_as_capital": gettext_lazy("Bonds as capital"),
    "other_debt": gettext_lazy("Other debt"),
    "revenue": gettext_lazy("Revenue"),
    "operating_cost": gettext_lazy("Operating cost"),
    "tax": gettext_lazy("Tax"),
}
STEP_TONES = {"missing": "danger", "under_way": "warning", "done": "success", "not_needed": "secondary"}
NEEDED = {
    "review": gettext_lazy("before the review"), "approval": gettext_lazy("before approval"), "issue": gettext_lazy("before issue"),
}  # fmt: skip


def _version(request: HttpRequest) -> str:
    asked = request.GET.get("version", "")
    return asked if asked in PlanYear.Version.values else PlanYear.Version.PLAN.value


def _may_plan(found: Shown, version: str) -> bool:
    if not found.context["may_keep"] or found.reserve.withdrawn_at is not None:
        return False
    return bool(found.context["open"]) if version == PlanYear.Version.PLAN else found.reserve.state in OPENED


@page(SEE_FUNDS)
def plan(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Investment, sources, income and cost by year; one version to enter, the others beside it."""
    found = shown(request, uid, "plan")
    version = _version(request)
    stored = plan_years(found.reserve)
    may = _may_plan(found, version)
    as_sheet = may and request.GET.get("mode") == "sheet"
    years = sorted(stored[version])
    totals = {name: sum((getattr(stored[version][y], name) for y in years), ZERO) for name in AMOUNTS}
    others = [code for code in PlanYear.Version.values if code != version and stored[code]]
    context = {
        **found.context,
        "version": version,
        "versions": [
            {"label": label, "url": f"?version={code}", "active": code == version, "count": len(stored[code]) or ""}
            for code, label in PlanYear.Version.choices
        ],
        "heads": list(AMOUNT_NAMES.values()),
        "rows": [
            {"year": y, "cells": [getattr(stored[version][y], name) for name in AMOUNTS], "net": _net(stored[version][y])}
            for y in years
        ],
        "totals": list(totals.values()),
        "net_total": totals["revenue"] - totals["operating_cost"] - totals["tax"],
        "sums": _sums(found.reserve, totals) if years else [],
        "may_plan": may,
        "as_sheet": as_sheet,
        "sheet": _sheet(found.reserve, stored, version) if as_sheet else None,
        "save_url": f"{reverse('funds:save_reserve_plan', args=[uid])}?version={version}",
        "beside": [
            {"label": PlanYear.Version(code).label, "rows": _beside(stored, version, code)} for code in others
        ],
        "own_label": PlanYear.Version(version).label,
    }  # fmt: skip
    return render(request, "funds/reserve/plan.html", context)


def _net(row: PlanYear) -> Decimal:
    return row.revenue - row.operating_cost - row.tax


def _sums(reserve: Reserve, totals: dict[str, Decimal]) -> list[dict[str, Any]]:
    """Return the sums of the plan against what the application says."""
    pairs = (
        (_("Investment"), totals["investment"], reserve.total_investment),
        (_("Capital"), totals["capital"], reserve.capital),
        (_("Bonds"), totals["bonds"], reserve.requested),
        (_("Bonds as capital"), totals["bonds_as_capital"], reserve.bonds_as_capital),
        (_("Other debt"), totals["other_debt"], reserve.other_debt),
    )
    return [
        {"name": name, "planned": planned, "asked": asked, "same": planned == asked}
        for name, planned, asked in pairs
    ]


def _beside(stored: dict[str, dict[int, PlanYear]], version: str, other: str) -> list[dict[str, Any]]:
    years = sorted({*stored[version], *stored[other]})
    result = []
    for year in years:
        mine, theirs = stored[version].get(year), stored[other].get(year)
        own, net = (_net(mine) if mine else None), (_net(theirs) if theirs else None)
        difference = None if own is None or net is None else net - own
        result.append({"year": year, "mine": own, "theirs": net, "difference": difference})
    return result


def _sheet(reserve: Reserve, stored: dict[str, dict[int, PlanYear]], version: str) -> dict[str, Any]:
    """Return the years as ``<ym-sheet>`` takes them, in 万元; beside each cell what the plan says."""
    unit = _("10,000 yuan")
    columns: list[dict[str, Any]] = [{"key": "year", "label": _("Year"), "readonly": True, "width": 70}]
    columns += [
        {
            "key": name,
            "label": str(label),
            "unit": unit,
            "type": "number",
            "decimals": 6,
            "min": 0,
            "width": 112,
        }
        for name, label in AMOUNT_NAMES.items()
    ]
    base = stored[PlanYear.Version.PLAN] if version != PlanYear.Version.PLAN else {}
    years = horizon_years(reserve, {*stored[version], *base})
    rows = []
    for year in years:
        row, planned = stored[version].get(year), base.get(year)
        rows.append(
            {
                "id": year,
                "values": {"year": str(year), **{n: _cell(row, n) for n in AMOUNTS}},
                "previous": {n: _cell(planned, n) for n in AMOUNTS} if planned else {},
            }
        )
    return {"columns": columns, "rows": rows}


def _cell(row: PlanYear | None, name: str) -> str:
    value = getattr(row, name) if row is not None else ZERO
    return wan_text(value) if value else ""


@page(KEEP_RESERVE)
@require_POST
def save_plan(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Save the changed years of the sheet in one action, or none of them."""
    reserve, version = reserve_or_404(uid), _version(request)
    try:
        given = json.loads(request.body)["rows"]
        rows = [(int(row["id"]), dict(row["values"])) for row in given]
    except (ValueError, KeyError, TypeError):
        raise BadRequest(_("The rows could not be read. Load the page again.")) from None
    stored = plan_years(reserve)[version]
    errors: list[dict[str, Any]] = []
    wanted: dict[int, dict[str, Decimal | None]] = {}
    field = WanField(required=False)
    for year, values in rows:
        present = stored.get(year)
        wanted[year] = {name: getattr(present, name) if present else None for name in AMOUNTS}
        for name, text in values.items():
            if name not in AMOUNTS:
                continue
            try:
                wanted[year][name] = field.clean(str(text or ""))
            except ValidationError as error:
                errors += [{"id": year, "key": name, "message": message} for message in error.messages]
    if not errors:
        try:
            set_plan(request.actor, reserve, request.view.as_of, version, wanted)  # type: ignore[attr-defined]
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                return JsonResponse({"detail": " ".join(error.messages)}, status=422)
            for key, messages_of in error.message_dict.items():
                year_text, _dot, name = key.partition(".")
                errors += [{"id": int(year_text), "key": name, "message": message} for message in messages_of]
    if errors:
        return JsonResponse({"errors": errors, "detail": _("Nothing was saved yet.")}, status=422)
    text = ngettext("%(n)s year was saved.", "%(n)s years were saved.", len(wanted)) % {"n": len(wanted)}
    messages.success(request, text)
    url = f"{reverse('funds:reserve_plan', args=[uid])}?version={version}"
    return JsonResponse({"saved": len(wanted), "url": url, "message": text})


@page(SEE_FUNDS)
def checklist(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Permits, land, design and offering file, line by line, with their papers."""
    found = shown(request, uid, "checklist")
    reserve, actor = found.reserve, request.actor  # type: ignore[attr-defined]
    wanted = rules_for(reserve.org_id, found.query.as_of, found.query.known_at)["checklist"]
    items = items_of([reserve.pk]).get(reserve.pk, {})
    codes = [*wanted, *(code for code in items if code not in wanted)]
    forms = {
        code: _item_form(code, items.get(code), request.POST if request.method == "POST" else None)
        for code in codes
    }
    errors: list[str] = []
    if request.method == "POST":
        actor.require(KEEP_RESERVE, reserve.org_id)
        if all(form.is_valid() for form in forms.values()):
            try:
                set_items(actor, reserve, request.view.as_of, {c: f.cleaned_data for c, f in forms.items()})  # type: ignore[attr-defined]
            except ValidationError as error:
                errors = error.messages
            else:
                messages.success(request, _("The checklist was saved."))
                return HttpResponseRedirect(reverse("funds:reserve_checklist", args=[uid]))
    files = attachments(items.values())
    lines = [
        {
            "code": code,
            "name": name_of("checklist", code),
            "group": wanted.get(code, {}).get("group", ""),
            "needed": NEEDED.get(wanted.get(code, {}).get("needed", ""), ""),
            "file_needed": bool(wanted.get(code, {}).get("file")),
            "item": items.get(code),
            "tone": STEP_TONES[items[code].state] if code in items else "danger",
            "form": forms[code],
            "files": files.get(target_of(items[code]), []) if code in items else [],
        }
        for code in codes
    ]
    groups = [
        {"name": name, "lines": [line for line in lines if line["group"] == group]}
        for group, name in names("checklist_groups").items()
    ]
    editable = (
        found.context["may_keep"] and reserve.withdrawn_at is None and reserve.state != Reserve.State.REPAID
    )
    context = {
        **found.context,
        "groups": [group for group in groups if group["lines"]],
        "editing": (editable and request.GET.get("mode") == "edit") or request.method == "POST",
        "editable": editable,
        "errors": errors,
        "file_form": FileForm(items=[(code, name_of("checklist", code)) for code in items]),
        "accept": ACCEPT,
        "max_mb": max_bytes() // 1024**2,
    }
    wrong = errors or any(form.errors for form in forms.values())
    return render(request, "funds/reserve/checklist.html", context, status=422 if wrong else 200)


def _item_form(code: str, item: ReserveItem | None, data: Any) -> ItemForm:
    initial = (
        {name: getattr(item, name) for name in ("state", "document", "dated_on", "note")} if item else {}
    )
    return ItemForm(data, prefix=code, initial=initial)


@page(KEEP_RESERVE)
@require_POST
def add_file(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Keep a file with a line of the checklist."""
    reserve = reserve_or_404(uid)
    items = items_of([reserve.pk]).get(reserve.pk, {})
    form = FileForm(request.POST, request.FILES, items=[(code, code) for code in items])
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    else:
        item = items[form.cleaned_data["item"]]
        try:
            attach_file(request.actor, item, "offering", form.cleaned_data["file"])  # type: ignore[attr-defined]
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(
                request, _("The file was added to “%(line)s”.") % {"line": name_of("checklist", item.code)}
            )
    return HttpResponseRedirect(reverse("funds:reserve_checklist", args=[uid]))


@page(SEE_FUNDS)
def uses(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the money is used for, and the loans beside it."""
    found = shown(request, uid, "uses")
    reserve, actor = found.reserve, request.actor  # type: ignore[attr-defined]
    editing = request.GET.get("edit", "")
    named, loans = list(uses_of(reserve)), list(loans_of(reserve))
    use_set: Any = UseFormSet(
        request.POST if request.method == "POST" and editing == "uses" else None, prefix="use",
        initial=[{n: getattr(u, n) for n in ("id", "name", "amount", "capital_expenditure")} for u in named],
    )  # fmt: skip
    loan_set: Any = LoanFormSet(
        request.POST if request.method == "POST" and editing == "loans" else None, prefix="loan",
        initial=[{n: getattr(loan, n) for n in LoanForm.base_fields} for loan in loans],
    )  # fmt: skip
    errors: list[str] = []
    formset = {"uses": use_set, "loans": loan_set}.get(editing)
    if request.method == "POST" and formset is not None:
        actor.require(KEEP_RESERVE, reserve.org_id)
        if formset.is_valid():
            stated = [(form, line) for form in formset if (line := form.line()) is not None]
            act = set_uses if editing == "uses" else set_loans
            try:
                act(actor, reserve, request.view.as_of, [line for _form, line in stated])  # type: ignore[attr-defined]
            except ValidationError as error:
                errors = _at_lines([form for form, _line in stated], error)
            else:
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(reverse("funds:reserve_uses", args=[uid]))
    planning = found.context["open"] and found.context["may_keep"]
    late = found.context["may_keep"] and reserve.state in OPENED and reserve.withdrawn_at is None
    whole = sum((use.amount for use in named), ZERO)
    context = {
        **found.context,
        "uses": named,
        "loans": loans_shown(loans),
        "whole": whole,
        "loans_whole": sum((loan.principal for loan in loans), ZERO),
        "differs": whole != reserve.requested,
        "editing": editing if (planning or late) else "",
        "may_uses": planning,
        "may_loans": planning or late,
        "use_set": use_set,
        "loan_set": loan_set,
        "errors": errors,
    }
    wrong = bool(errors) or (formset is not None and formset.is_bound and any(f.errors for f in formset))
    return render(request, "funds/reserve/uses.html", context, status=422 if wrong else 200)


def loans_shown(loans: list[Any]) -> list[Any]:
    """Return the loans with their rates in words, as `rate_text`."""
    for loan in loans:
        loan.rate_text = percent(loan.rate, 4)
    return loans


def _at_lines(forms: list[UseForm | LoanForm], error: ValidationError) -> list[str]:
    """Show the faults of an action at the lines they name; the others are returned."""
    rest: list[str] = []
    if not hasattr(error, "error_dict"):
        return error.messages
    for name, texts in error.message_dict.items():
        index = name.removeprefix("line_")
        if index.isdigit() and int(index) < len(forms):
            form = forms[int(index)]
            attach(form, ValidationError({"amount" if "amount" in form.fields else "principal": texts}))
        else:
            rest += texts
    return rest or [_("Please correct the lines that are marked.")]
