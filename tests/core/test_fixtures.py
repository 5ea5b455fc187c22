"""The shared fixtures do what they say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from tests.conftest import AS_OF
from yuanmai.core.figures import Query, evaluate


@pytest.mark.django_db
def test_a_project_made_by_the_fixture_is_counted(orgs, make_project, in_scope) -> None:
    make_project(orgs.north, plan=200, done=50, started=True)
    make_project(orgs.foreign, plan=1000, done=1000, started=True)
    with in_scope(orgs.city):
        question = Query(orgs.below(orgs.city), AS_OF)
        assert evaluate("projects.count", question).value == 1
        assert evaluate("projects.completion_rate", question).value == Decimal("0.25")
        assert evaluate("projects.start_rate", question).value == 1


@pytest.mark.django_db
def test_a_user_made_by_the_fixture_is_signed_in_with_the_rights_of_the_post(
    orgs, make_user, client_as, actor_of
) -> None:
    user = make_user("project_officer", orgs.north)
    actor = actor_of(user)
    assert actor.org_ids() == {orgs.north.pk}
    assert actor.why_not("projects.view", orgs.north.pk) is None
    assert actor.why_not("projects.view", orgs.south.pk)
    answer = client_as(user).post(reverse("core:context"), {"org": "north", "next": "/projects/"})
    assert (answer.status_code, answer.url) == (302, "/projects/")
