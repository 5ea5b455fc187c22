"""The data scope fails closed: for every table whose rows belong to an organisation, present and future ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django_scopes.exceptions import ScopeError

from yuanmai.core.scope import OwnedManager, active_org_ids, everywhere, open_scope

pytestmark = pytest.mark.django_db


def owned_models() -> list[type[models.Model]]:
    """Every table of ours whose rows belong to an organisation, directly or through what they are about."""
    found = []
    for model in apps.get_models():
        if not model.__module__.startswith("yuanmai."):
            continue
        if isinstance(
            getattr(model, "objects", None), OwnedManager
        ) or model._default_manager.__class__.__name__.startswith("Owned"):
            found.append(model)
    return found


OWNED = owned_models()
NAMES = [model._meta.label for model in OWNED]
# Tables whose rows belong to nobody's organisation, or that only the system reads. Anything new must be scoped or argued.
WITHOUT_SCOPE = {
    "core.AuditEntry": "read through audit.queries, which filters by the reader's organisations",
    "core.SavedView": "a user's own address under a name; it holds no data",
    "projects.LightRule": "rules are public inside an installation",
    "people.Organisation": "the tree itself; filtered by the ids of the actor",
    "people.Post": "the source of the scope",
    "people.Subscription": "a user's own; it holds no data, and rights are looked at again at each delivery",
    "people.User": "people may stand in several organisations",
}


def test_there_are_owned_tables() -> None:
    assert {
        "projects.Project",
        "projects.ProjectState",
        "funds.FundingState",
        "core.Finding",
        "core.Job",
    } <= set(NAMES)


@pytest.mark.parametrize("model", OWNED, ids=NAMES)
def test_without_a_scope_nothing_is_read_or_changed(model: Any) -> None:
    for attempt in (
        lambda: list(model.objects.all()),
        lambda: model.objects.count(),
        lambda: model.objects.filter(pk=1).exists(),
        lambda: model.objects.filter(pk=1).delete(),
        lambda: model.objects.first(),
        lambda: list(model.objects.values_list("pk", flat=True)),
        lambda: model.objects.aggregate(n=models.Count("pk")),
    ):
        with pytest.raises(ScopeError):
            attempt()


@pytest.mark.parametrize("model", OWNED, ids=NAMES)
def test_in_a_scope_only_its_organisations_are_read(model: Any) -> None:
    path = model.objects.path if hasattr(model.objects, "path") else "org_id"
    with open_scope([3, 1, 2, 1]):
        statement = str(model.objects.all().query)
        assert "IN (1, 2, 3)" in statement, f"{path} is not narrowed: {statement}"
    with open_scope([]):
        assert list(model.objects.all()) == []
    with everywhere():
        assert "IN (" not in str(model.objects.all().query)


def test_every_table_with_an_organisation_is_scoped() -> None:
    """A table that names an organisation and is not scoped shows the rows of all of them."""
    loose = []
    for model in apps.get_models():
        if not model.__module__.startswith("yuanmai.") or model in OWNED:
            continue
        for name in ("org", "organisation"):
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                continue
            if field.is_relation and model._meta.label not in WITHOUT_SCOPE:
                loose.append(model._meta.label)
    assert loose == []


def test_the_inner_scope_counts_and_ends() -> None:
    assert active_org_ids() is None
    with open_scope([1, 2]):
        with open_scope([2]):
            assert active_org_ids() == [2]
            with everywhere():
                assert active_org_ids() is None
        assert active_org_ids() == [1, 2]
        with pytest.raises(ZeroDivisionError), open_scope([9]):
            raise ZeroDivisionError
        assert active_org_ids() == [1, 2]


def test_two_places_see_their_own(orgs, make_project, in_scope) -> None:
    from yuanmai.projects.models import ProjectState

    make_project(orgs.north, "here")
    make_project(orgs.foreign, "there")
    with in_scope(orgs.city):
        assert {state.name for state in ProjectState.objects.all()} == {"here"}
    with in_scope(orgs.province):
        assert {state.name for state in ProjectState.objects.all()} == {"here", "there"}
    with in_scope(orgs.south):
        assert not ProjectState.objects.exists()
