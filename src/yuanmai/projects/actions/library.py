"""Adding, revising and removing projects; their plans and lists."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.temporal import KNOWN_FOREVER, Fact
from yuanmai.projects import permissions
from yuanmai.projects.actions.progress import states_before
from yuanmai.projects.actions.wording import enforce, reason_needed
from yuanmai.projects.engine.checks import WARNING, Issue, check_plan, check_version, makes_cycle
from yuanmai.projects.findings import refresh_findings
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.queries import states
from yuanmai.projects.recording import FACT_MODELS, Entry, record, repeat_facts, retract_facts


@action("projects.create", permission=permissions.EDIT_PROJECTS)
def create_project(
    act: Act,
    org_id: int,
    effective_on: date,
    version: dict[str, Any],
    *,
    plan: dict[str, Any] | None = None,
    lists: Mapping[str, bool] | None = None,
    confirmed: bool = True,
) -> Project:
    """Add a project to the library; `version` holds its attributes, amounts in yuan, `plan` a first year plan.

    Raises `ValidationError` by field, `NeedsConfirmation` for a name that is already there unless `confirmed`.
    """
    act.require(org_id)
    _check_parent(act, None, org_id, version.get("parent"))
    issues = check_version(version) + _same_name(org_id, version, effective_on, None)
    if plan is not None:
        issues += check_plan(
            plan.get("planned_investment"), plan.get("monthly"), version.get("total_investment")
        )
    enforce(issues, confirmed=confirmed)
    entry = Entry(org_id, version=version, plans=[_stored(plan)] if plan else [], lists=dict(lists or {}))
    (project,) = record(act, [entry], effective_on)
    after = {**_plain(version), "plan": _stored(plan) if plan else None, "effective_on": effective_on}
    act.log(project, after=after, name=version["name"])
    refresh_findings({org_id}, effective_on, act, [project.pk, *_parent_of(version)])
    return project


@action("projects.revise", permission=permissions.EDIT_PROJECTS)
def revise_project(
    act: Act, project: Project, effective_on: date, version: dict[str, Any], *, confirmed: bool = True
) -> Fact:
    """State the attributes of a project anew, complete, from a day on; returns the fact that was added."""
    act.require(project.org_id)
    _check_parent(act, project, project.org_id, version.get("parent"))
    state = states_before([project], effective_on).get(project.pk)
    issues = check_version(version, done_total=state.done_total if state else None)
    if state is None or state.name != version.get("name"):
        issues += _same_name(project.org_id, version, effective_on, project)
    enforce(issues, confirmed=confirmed)
    entry = Entry(project.org_id, project, version=version)
    record(act, [entry], effective_on)
    plain = _plain(version)
    known = {name: getattr(state, name, None) for name in plain if hasattr(state, name)} if state else None
    changed = {n: v for n, v in plain.items() if known is None or n not in known or known[n] != v}
    before = {n: known[n] for n in changed if n in known} if known is not None else None
    act.log(project, before=before, after={**changed, "effective_on": effective_on}, name=version["name"])
    old_parent = [state.parent_id] if state and state.parent_id else []
    touched = [project.pk, *_parent_of(version), *old_parent]
    refresh_findings({project.org_id}, effective_on, act, touched)
    return entry.facts[0]


@action("projects.plan", permission=permissions.EDIT_PROJECTS, local=True)
def plan_year(act: Act, project: Project, effective_on: date, plan: dict[str, Any]) -> Fact:
    """Set the plan of a year: `year`, `kind`, `planned_investment` (yuan), `monthly` (twelve amounts or None)."""
    act.require(project.org_id)
    state = states_before([project], max(effective_on, date(plan["year"], 1, 1))).get(project.pk)
    total = state.total_investment if state else None
    enforce(check_plan(plan.get("planned_investment"), plan.get("monthly"), total), confirmed=True)
    entry = Entry(project.org_id, project, plans=[_stored(plan)])
    record(act, [entry], effective_on)
    before = None
    if state is not None and state.plan_year == plan["year"]:
        before = {"kind": state.kind, "planned_investment": state.planned_investment}
    after = {**_stored(plan), "effective_on": effective_on}
    act.log(project, before=before, after=after, name=state.name if state else "")
    refresh_findings({project.org_id}, effective_on, act, [project.pk])
    return entry.facts[0]


@action("projects.list", permission=permissions.EDIT_PROJECTS, local=True)
def set_list(act: Act, project: Project, effective_on: date, list_code: str, *, on: bool) -> Fact:
    """Put a project on a list (市重点, 技改 …), or take it off, from a day on."""
    act.require(project.org_id)
    list_code = list_code.strip()
    if not list_code or "|" in list_code or len(list_code) > 60:
        raise ValidationError({"list_code": [_("The name of a list has 1 to 60 characters, without “|”.")]})
    state = states_before([project], effective_on).get(project.pk)
    is_on = state is not None and f"|{list_code}|" in state.lists
    if is_on == on:
        text = _("The project is already on this list.") if on else _("The project is not on this list.")
        raise ValidationError({"list_code": [text]})
    entry = Entry(project.org_id, project, lists={list_code: on})
    record(act, [entry], effective_on)
    change = {"list": list_code, "on": on, "effective_on": effective_on}
    act.log(project, before={"list": list_code, "on": is_on}, after=change, name=state.name if state else "")
    return entry.facts[0]


@action("projects.remove", permission=permissions.EDIT_PROJECTS)
def remove_project(act: Act, project: Project, reason: str) -> None:
    """Take a project out of the library with everything said of it; what was known before stays readable.

    Raises `ValidationError` while it has sub-projects.
    """
    act.require(project.org_id)
    reason = reason_needed(reason)
    children = ProjectState.objects.filter(parent=project, known_until=KNOWN_FOREVER)
    if names := sorted(set(children.values_list("name", flat=True)[:5])):
        text = _("Remove or move its sub-projects first: %(names)s.") % {"names": ", ".join(names)}
        raise ValidationError({"reason": [text]})
    last = (
        ProjectState.objects.filter(project=project, known_until=KNOWN_FOREVER)
        .order_by("-effective_from")
        .first()
    )
    if last is None:
        raise ValidationError({"reason": [_("The project has already been removed.")]})
    facts = [f for model in FACT_MODELS for f in model.objects.filter(project=project, retracted_at=None)]
    retract_facts(act, facts)
    act.log(
        project, before={"name": last.name, "facts": len(facts)}, after={"reason": reason}, name=last.name
    )
    touched = [project.pk, *([last.parent_id] if last.parent_id else [])]
    refresh_findings({project.org_id}, max(f.effective_on for f in facts), act, touched)


@action("projects.restore", permission=permissions.EDIT_PROJECTS)
def restore_project(act: Act, project: Project) -> None:
    """Bring a removed project back as it was: what had been taken back with it is said again."""
    act.require(project.org_id)
    if ProjectState.objects.filter(project=project, known_until=KNOWN_FOREVER).exists():
        raise ValidationError(_("The project is in the library."))
    moments = [
        moment
        for model in FACT_MODELS
        if (
            moment := model.objects.filter(project=project)
            .order_by("-retracted_at")
            .values_list("retracted_at", flat=True)
            .first()
        )
    ]
    if not moments:
        raise ValidationError(_("Nothing is known of this project."))
    facts: list[Any] = list(repeat_facts(act, project, max(moments)))
    name = next((f.name for f in facts if hasattr(f, "name")), "")
    act.log(project, after={"facts": len(facts)}, name=name)
    refresh_findings({project.org_id}, max(f.effective_on for f in facts), act, [project.pk])


def _same_name(org_id: int, version: Mapping[str, Any], day: date, project: Project | None) -> list[Issue]:
    name = str(version.get("name") or "").strip()
    if not name:
        return []
    rows = states(Query((org_id,), day)).filter(name=name)
    if project is not None:
        rows = rows.exclude(project=project)
    other = rows.first()
    return [Issue("name", "same_name", WARNING, {"code": other.code or other.name})] if other else []


def _check_parent(act: Act, project: Project | None, org_id: int, parent: Project | None) -> None:
    if parent is None:
        return
    act.require(parent.org_id)
    if parent.org_id != org_id:
        enforce([Issue("parent", "foreign_parent")], confirmed=False)
    if project is None:
        return
    rows = ProjectState.objects.filter(org_id=org_id, known_until=KNOWN_FOREVER).exclude(parent=None)
    parents: dict[int, int | None] = dict(
        rows.order_by("effective_from").values_list("project_id", "parent_id")
    )
    if makes_cycle(project.pk, parent.pk, parents):
        enforce([Issue("parent", "cycle")], confirmed=False)


def _parent_of(version: Mapping[str, Any]) -> list[int]:
    parent = version.get("parent")
    return [parent.pk] if parent is not None else []


def _plain(version: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes for the audit log: related objects by their ids."""
    return {
        (f"{name}_id" if hasattr(value, "pk") else name): getattr(value, "pk", value)
        for name, value in version.items()
        if value is not None and name != "site"
    }


def _stored(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan as the table holds it: the months as text."""
    monthly = plan.get("monthly")
    texts = [None if month is None else str(month) for month in monthly] if monthly else None
    return {**plan, "monthly": texts if texts and any(texts) else None}
