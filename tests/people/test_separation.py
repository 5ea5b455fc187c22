"""Three administrators: every pairing and every way to help oneself is tried, and none leads round the separation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.people import actions
from yuanmai.people.actor import UserActor
from yuanmai.people.engine.separation import RESERVED, conflicting, effective_groups, misplaced
from yuanmai.people.models import Post, Role, User

ADMINS = ("system_administrator", "security_administrator", "audit_administrator")
BUSINESS = ("leader", "project_officer", "finance_officer", "auditor")
pytestmark = pytest.mark.django_db


@pytest.fixture
def admins(make_user: Callable[..., User], orgs: Orgs) -> dict[str, UserActor]:
    """The three, at the province."""
    made = {code: make_user(code, orgs.province) for code in ADMINS}
    return {code: UserActor.of(user) for code, user in made.items()}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ADMINS, 2)))
def test_no_account_gets_two_of_the_three(
    first: str, second: str, admins: dict[str, UserActor], make_user: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    person = make_user(first, orgs.city)
    with pytest.raises(ValidationError):
        actions.give_post(admins["security_administrator"], person, role=roles[second], org=orgs.city)
    with pytest.raises(ValidationError):
        actions.give_post(SYSTEM, person, role=roles[second], org=orgs.foreign)
    assert Post.objects.filter(user=person).count() == 1


@pytest.mark.parametrize(
    ("held", "wanted"), [*itertools.product(ADMINS, BUSINESS), *itertools.product(BUSINESS, ADMINS)]
)
def test_an_administrators_account_does_no_business(
    held: str, wanted: str, admins: dict[str, UserActor], make_user: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    person = make_user(held, orgs.city)
    with pytest.raises(ValidationError):
        actions.give_post(admins["security_administrator"], person, role=roles[wanted], org=orgs.city)


def test_a_post_that_begins_tomorrow_counts_already(
    admins: dict[str, UserActor], make_user: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    person = make_user("leader", orgs.city)
    Post.objects.filter(user=person).delete()
    tomorrow = timezone.localdate() + timedelta(days=1)
    actions.give_post(
        admins["security_administrator"], person, role=roles[ADMINS[0]], org=orgs.city, since=tomorrow
    )
    with pytest.raises(ValidationError):
        actions.give_post(admins["security_administrator"], person, role=roles[ADMINS[2]], org=orgs.city)


@pytest.mark.parametrize("role", [*ADMINS, *BUSINESS])
def test_nobody_gives_roles_to_themselves(
    role: str, admins: dict[str, UserActor], orgs: Orgs, roles: dict[str, Role]
) -> None:
    for actor in admins.values():
        with pytest.raises(Denied):
            actions.give_post(actor, actor.user, role=roles[role], org=orgs.city)
    assert Post.objects.count() == 3


@pytest.mark.parametrize("giver", [code for code in (*ADMINS, *BUSINESS) if code != "security_administrator"])
def test_only_the_security_administrator_gives_roles(
    giver: str, make_user: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    actor = UserActor.of(make_user(giver, orgs.province))
    person = make_user("leader", orgs.city)
    with pytest.raises(Denied):
        actions.give_post(actor, person, role=roles["project_officer"], org=orgs.city)
    assert AuditEntry.objects.filter(action="people.give_post", result="refused").exists()


@pytest.mark.parametrize("keeper", [code for code in (*ADMINS, *BUSINESS) if code != "system_administrator"])
def test_only_the_system_administrator_keeps_accounts(keeper: str, make_user: Any, orgs: Orgs) -> None:
    actor = UserActor.of(make_user(keeper, orgs.province))
    person = make_user("leader", orgs.city)
    for attempt in (
        lambda: actions.add_user(actor, username="new", full_name="New", org_code="linzhou"),
        lambda: actions.lock_user(actor, person),
        lambda: actions.unlock_user(actor, person),
        lambda: actions.reset_password(actor, person),
        lambda: actions.remove_second_factor(actor, person),
        lambda: actions.edit_user(actor, person, full_name="X"),
    ):
        with pytest.raises(Denied):
            attempt()


def test_the_system_administrator_adds_accounts_without_roles(admins: dict[str, UserActor]) -> None:
    system = admins["system_administrator"]
    with pytest.raises(Denied):
        actions.add_user(
            system, username="new", full_name="New", org_code="linzhou", role_code="audit_administrator"
        )
    user, password = actions.add_user(system, username="new", full_name="New", org_code="linzhou")
    assert password
    assert user.must_change_password
    assert not UserActor.of(user).grants.posts


@pytest.mark.parametrize("code", ["security_administrator", "audit_administrator"])
def test_the_system_administrator_cannot_take_over_the_others_accounts(
    code: str, admins: dict[str, UserActor], make_user: Any, orgs: Orgs
) -> None:
    other = make_user(code, orgs.city)
    before = User.objects.get(pk=other.pk).password
    with pytest.raises(Denied):
        actions.reset_password(admins["system_administrator"], other)
    with pytest.raises(Denied):
        actions.remove_second_factor(admins["system_administrator"], other)
    assert User.objects.get(pk=other.pk).password == before
    assert actions.reset_password(SYSTEM, other)


def test_nobody_resets_locks_or_unlocks_themselves(admins: dict[str, UserActor]) -> None:
    system = admins["system_administrator"]
    for verb in (
        actions.reset_password,
        actions.lock_user,
        actions.unlock_user,
        actions.remove_second_factor,
    ):
        with pytest.raises(Denied):
            verb(system, system.user)


def test_an_account_that_came_to_hold_two_has_neither(make_user: Any, orgs: Orgs) -> None:
    """As when somebody writes into the table of posts directly."""
    person = make_user("system_administrator", orgs.city, posts=[("security_administrator", orgs.city)])
    assert UserActor.of(person).grants.by_permission == {}
    person = make_user("leader", orgs.city, posts=[("security_administrator", orgs.city)])
    assert UserActor.of(person).why_not("people.grant")
    assert UserActor.of(person).why_not("projects.view") is None


def test_the_administrators_roles_are_fixed_and_their_rights_go_nowhere_else(
    admins: dict[str, UserActor], roles: dict[str, Role]
) -> None:
    security = admins["security_administrator"]
    for code in ADMINS:
        with pytest.raises(Denied):
            actions.set_role_permissions(security, roles[code], codes=["people.view"])
    for right in RESERVED:
        with pytest.raises(ValidationError):
            actions.set_role_permissions(security, roles["leader"], codes=["people.view", right])
    with pytest.raises(ValidationError):
        actions.set_role_permissions(security, roles["leader"], codes=["*"])
    actions.set_role_permissions(security, roles["leader"], codes=["people.view"])
    roles["leader"].refresh_from_db()
    assert roles["leader"].permissions == ["people.view"]


@pytest.mark.parametrize("code", ADMINS)
def test_the_last_administrator_of_a_kind_stays(
    code: str, admins: dict[str, UserActor], make_user: Any, orgs: Orgs
) -> None:
    security = admins["security_administrator"]
    person = admins[code].user
    helper = UserActor.of(make_user("system_administrator", orgs.province))
    if code != "security_administrator":
        if code == "system_administrator":
            Post.objects.filter(user=helper.user).delete()
        with pytest.raises(ValidationError):
            actions.take_post(security, person.posts.get())
    if code != "system_administrator":
        with pytest.raises(ValidationError):
            actions.lock_user(helper, person)
    make_user(code, orgs.province)
    cache.clear()
    if code != "security_administrator":
        actions.take_post(security, person.posts.get())
        assert not person.posts.exists()


def test_grants_stay_within_the_givers_scope(make_user: Any, orgs: Orgs, roles: dict[str, Role]) -> None:
    security = UserActor.of(make_user("security_administrator", orgs.north))
    person = make_user("leader", orgs.north)
    for org in (orgs.city, orgs.foreign, orgs.province):
        with pytest.raises(Denied):
            actions.give_post(security, person, role=roles["project_officer"], org=org)
    foreign = make_user("leader", orgs.foreign)
    with pytest.raises(Denied):
        actions.take_post(security, foreign.posts.get())
    actions.give_post(security, person, role=roles["project_officer"], org=orgs.north)
    with pytest.raises(Denied):
        actions.require_second_factor(security, roles["leader"], required=True)
    with pytest.raises(Denied):
        actions.set_role_permissions(security, roles["leader"], codes=["people.view"])


def test_a_parks_administrator_does_not_lock_the_city_out(make_user: Any, orgs: Orgs) -> None:
    system = UserActor.of(make_user("system_administrator", orgs.north))
    mayor = make_user("leader", orgs.city)
    both = make_user("leader", orgs.north, posts=[("leader", orgs.city)])
    nobody = User.objects.create(username="nobody")
    for person in (mayor, both, nobody):
        for verb in (actions.lock_user, actions.reset_password, actions.unlock_user):
            with pytest.raises(Denied):
                verb(system, person)


def test_the_pages_offer_no_way_round_either(
    admins: dict[str, UserActor], client_as: Callable[..., Client], roles: dict[str, Role], orgs: Orgs
) -> None:
    for code, actor in admins.items():
        client = client_as(actor.user)
        for role in ADMINS:
            answer = client.post(
                f"/manage/users/{actor.user.pk}/posts/", {"role": roles[role].pk, "org": orgs.city.pk}
            )
            assert answer.status_code == 403, (code, role)
        assert client.post(f"/manage/users/{actor.user.pk}/reset/").status_code == 403
    assert Post.objects.count() == 3


def test_rules_of_separation() -> None:
    assert conflicting(set(), "system") is None
    assert conflicting({"business"}, "business") is None
    assert conflicting({"system"}, "system") is None
    assert conflicting({"business"}, "audit") == "business"
    assert effective_groups({"business", "audit"}) == {"business"}
    assert effective_groups({"system", "audit"}) == set()
    assert misplaced(["people.view", "people.*"], "business") == ["people.*"]
    assert misplaced(["people.grant"], "security") == []
