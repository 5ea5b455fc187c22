"""API tokens: shown once, kept as a hash, no more than their owner may, ended when anything about them ends."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from tests.conftest import Orgs
from tests.people.clock import Clock
from yuanmai.core.policy import Denied
from yuanmai.people import actions
from yuanmai.people.actor import UserActor
from yuanmai.people.models import ApiToken, Post, User
from yuanmai.people.tokens import actor_of_token

pytestmark = pytest.mark.django_db


def made(user: User, *codes: str, days: int = 30) -> str:
    _row, text = actions.create_token(
        UserActor.of(user), name="bureau", codes=codes or ("projects.view",), days=days
    )
    return text


def test_a_token_acts_for_its_owner_with_the_rights_it_was_given(
    make_user: Any, orgs: Orgs, english: None
) -> None:
    user = make_user("project_officer", orgs.north)
    actor = actor_of_token(made(user, "projects.view"), "10.0.0.9")
    assert actor is not None
    assert (actor.user_id, actor.via, actor.address) == (user.pk, "api", "10.0.0.9")
    assert actor.why_not("projects.view", orgs.north.pk) is None
    assert actor.why_not("projects.view", orgs.south.pk)
    assert "token" in (actor.why_not("projects.edit") or "")


def test_only_a_hash_is_kept(make_user: Any) -> None:
    text = made(make_user("leader"))
    row = ApiToken.objects.get()
    assert text.split("_", 2)[2] not in f"{row.__dict__}"
    assert len(text) > 50


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t + "x",
        lambda t: t.replace("ym_", "xx_"),
        lambda t: "",
        lambda t: "ym_",
        lambda t: t.upper(),
        lambda t: "ym_" + "a" * 10 + "_x",
    ],
)
def test_anything_else_is_nobody(make_user: Any, spoil: Any) -> None:
    assert actor_of_token(spoil(made(make_user("leader"))), "") is None


def test_a_token_ends_by_time_by_revoking_and_with_its_owner(make_user: Any, clock: Clock) -> None:
    user = make_user("leader")
    short, long = made(user, days=7), made(user, days=60)
    clock.forward(days=7, seconds=1)
    assert actor_of_token(short, "") is None
    assert actor_of_token(long, "") is not None
    actions.revoke_token(UserActor.of(user), ApiToken.objects.last())
    assert actor_of_token(long, "") is None
    third = made(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert actor_of_token(third, "") is None
    User.objects.filter(pk=user.pk).update(is_active=True, must_change_password=True)
    assert actor_of_token(third, "") is None


def test_a_lost_post_is_lost_for_the_token_too(make_user: Any, orgs: Orgs) -> None:
    user = make_user("leader", orgs.north)
    text = made(user)
    Post.objects.all().delete()
    cache.clear()
    actor = actor_of_token(text, "")
    assert actor is not None
    assert actor.why_not("projects.view")


def test_use_is_noted_every_five_minutes(
    make_user: Any, clock: Clock, django_assert_num_queries: Any
) -> None:
    text = made(make_user("leader"))
    actor_of_token(text, "")
    first = ApiToken.objects.get().last_used_at
    clock.forward(minutes=4)
    with django_assert_num_queries(2):  # the token with its owner, the versions
        actor_of_token(text, "")
    assert ApiToken.objects.get().last_used_at == first
    clock.forward(minutes=2)
    actor_of_token(text, "")
    last = ApiToken.objects.get().last_used_at
    assert first is not None and last is not None and last - first >= timedelta(minutes=5)


def test_nobody_makes_a_token_with_more_rights_or_by_a_token(make_user: Any) -> None:
    user = make_user("leader")
    with pytest.raises(Denied):
        made(user, "projects.edit")
    with pytest.raises(Denied):
        made(make_user("enterprise_user"), "projects.view")
    by_token = actor_of_token(made(user, "projects.view", "people.api"), "")
    assert by_token is not None
    with pytest.raises(Denied):
        actions.create_token(by_token, name="x", codes=["projects.view"], days=1)
    for days in (0, 366):
        with pytest.raises(ValidationError):
            made(user, days=days)


def test_the_page_shows_it_once_and_ends_it(make_user: Any, client_as: Any) -> None:
    client = client_as(make_user("leader"))
    page = client.post("/account/tokens/", {"name": "bureau", "days": "30", "codes": ["projects.view"]})
    text = re.search(r'id="token">(ym_\S+?)<', page.content.decode())
    assert text
    assert actor_of_token(text[1], "") is not None
    assert text[1] not in client.get("/account/tokens/").content.decode()
    row = ApiToken.objects.get()
    assert client_as(make_user("leader")).post(f"/account/tokens/{row.pk}/revoke/").status_code == 404
    assert client.post(f"/account/tokens/{row.pk}/revoke/").status_code == 302
    assert actor_of_token(text[1], "") is None
    assert row.expires_at is not None and row.expires_at > timezone.now()
