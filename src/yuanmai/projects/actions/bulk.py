"""Changing many projects at once: lists, the leader in charge, the responsible organisation. All of them or none."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.temporal import Fact
from yuanmai.projects import permissions
from yuanmai.projects.findings import refresh_findings
from yuanmai.projects.models import Project, ProjectFact, ProjectState, ProjectVersion
from yuanmai.projects.queries import states
from yuanmai.projects.recording import Entry, record

MOST = 1_000  # projects of one call
ASSIGNED = ("leader", "responsible")
# What a version says: all its columns but those of the fact itself.
SAID = tuple(
    field.attname
    for field in ProjectVersion._meta.concrete_fields
    if field.name not in {own.name for own in ProjectFact._meta.get_fields()} | {"id", "project"}
)


def _standing(act: Act, projects: Sequence[Project], day: date) -> dict[int, ProjectState]:
    """Return the states of the projects that stand on the day (one query); raises for too many and for foreign ones."""
    if not projects:
        raise ValidationError(_("Choose at least one project."))
    if len(projects) > MOST:
        raise ValidationError(_("At most %(n)s projects can be changed at once.") % {"n": MOST})
    for project in projects:
        act.require(project.org_id)
    orgs = tuple(sorted({project.org_id for project in projects}))
    rows = states(Query(orgs, day)).filter(project_id__in=[project.pk for project in projects])
    return {state.project_id: state for state in rows.select_related("version")}


@action("projects.list_many", permission=permissions.EDIT_PROJECTS, local=True)
def set_list_of_many(
    act: Act, projects: Sequence[Project], effective_on: date, list_code: str, *, on: bool
) -> list[Fact]:
    """Put projects on a list, or take them off, from a day on; those that are so already are left alone.

    Returns the facts that were added. Raises `ValidationError` where the list has no proper name.
    """
    list_code = list_code.strip()
    if not list_code or "|" in list_code or len(list_code) > 60:
        raise ValidationError({"value": [_("The name of a list has 1 to 60 characters, without “|”.")]})
    found = _standing(act, projects, effective_on)
    entries = [
        (Entry(project.org_id, project, lists={list_code: on}), found[project.pk])
        for project in projects
        if project.pk in found and (f"|{list_code}|" in found[project.pk].lists) is not on
    ]
    record(act, [entry for entry, _state in entries], effective_on)
    change = {"list": list_code, "on": on, "effective_on": effective_on}
    for entry, state in entries:
        act.log(entry.project, before={"list": list_code, "on": not on}, after=change, name=state.name)
    return _done(act, projects, [entry for entry, _state in entries], change)


@action("projects.assign_many", permission=permissions.EDIT_PROJECTS, local=True)
def assign_many(
    act: Act, projects: Sequence[Project], effective_on: date, values: Mapping[str, str]
) -> list[Fact]:
    """Set the `leader` in charge or the `responsible` organisation of projects from a day on; the other attributes stay.

    Projects of which this is known already are left alone. Returns the facts that were added. Raises `ValidationError` for
    other attributes and for texts that are too long.
    """
    kept: dict[str, str] = {}
    for name, value in values.items():
        if name not in ASSIGNED:
            raise ValidationError(_("This cannot be set for many projects at once."))
        kept[name] = " ".join(value.split())
        most = getattr(ProjectVersion._meta.get_field(name), "max_length", None) or 0
        if len(kept[name]) > most:
            raise ValidationError({"value": [_("At most %(n)s characters.") % {"n": most}]})
    found = _standing(act, projects, effective_on)
    changed: list[tuple[Entry, ProjectState]] = []
    for project in projects:
        state = found.get(project.pk)
        if state is None or all(getattr(state, name) == value for name, value in kept.items()):
            continue
        version = {name: getattr(state.version, name) for name in SAID}
        changed.append((Entry(project.org_id, project, version={**version, **kept}), state))
    record(act, [entry for entry, _state in changed], effective_on)
    for entry, state in changed:
        before = {name: getattr(state, name) for name in kept}
        after = {**kept, "effective_on": effective_on}
        act.log(entry.project, before=before, after=after, name=state.name)
    return _done(act, projects, [entry for entry, _state in changed], kept)


def _done(
    act: Act, projects: Sequence[Project], entries: Sequence[Entry], change: Mapping[str, Any]
) -> list[Fact]:
    if not entries:
        act.log(projects[0], after={**change, "changed": 0})
    else:
        day = max(fact.effective_on for entry in entries for fact in entry.facts)
        ids = [entry.project.pk for entry in entries if entry.project is not None]
        refresh_findings({entry.org_id for entry in entries}, day, act, ids)
    return [fact for entry in entries for fact in entry.facts]
