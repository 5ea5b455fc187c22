"""Actions: one transaction, right and scope checked, always in the log; a refusal leaves its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from yuanmai.core import actions
from yuanmai.core.actions import ACTIONS, Act, action, request_id, touch
from yuanmai.core.audit.log import verify, versions
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.people.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Actions that exist in these tests only."""
    monkeypatch.setattr(actions, "ACTIONS", dict(ACTIONS))

    @action("test.rename", permission="people.organise")
    def rename(act: Act, org: Organisation, name: str) -> str:
        act.require(org.pk)
        before = org.name
        org.name = name
        org.save()
        act.log(org, org_id=org.pk, before={"name": before}, after={"name": name})
        if name == "fail":
            raise RuntimeError("after the change")
        return name

    @action("test.silent", permission="people.organise")
    def silent(act: Act, org: Organisation) -> None:
        org.name = "silent"
        org.save()

    @action("test.outer", permission="people.organise")
    def outer(act: Act, org: Organisation) -> None:
        rename(act.actor, org, "inner")
        act.log(org, org_id=org.pk)

    @action("test.touching", permission="people.organise")
    def touching(act: Act, org: Organisation) -> None:
        touch("projects")
        act.log(org, org_id=org.pk)

    yield {"rename": rename, "silent": silent, "outer": outer, "touching": touching}


def name_of(org: Organisation) -> str:
    return Organisation.objects.get(pk=org.pk).name


def test_what_is_done_stands_in_the_log_with_before_and_after(verbs, orgs, make_user, actor_of) -> None:
    actor = actor_of(make_user("system_administrator", orgs.city), address="10.1.2.3")
    token = request_id.set("r-1")
    assert verbs["rename"](actor, orgs.north, "new") == "new"
    request_id.reset(token)
    entry = AuditEntry.objects.get(action="test.rename")
    assert (entry.before, entry.after, entry.result) == ({"name": "北园"}, {"name": "new"}, "done")
    assert (entry.user_id, entry.via, entry.address, entry.request_id) == (
        actor.user_id,
        "web",
        "10.1.2.3",
        "r-1",
    )
    assert (entry.target_type, entry.target_id, entry.org_id) == (
        "people.organisation", str(orgs.north.pk), orgs.north.pk,
    )  # fmt: skip
    assert verify().whole


def test_a_failure_leaves_nothing_behind(verbs, orgs) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(RuntimeError, match="after the change"):
        verbs["rename"](SYSTEM, orgs.north, "fail")
    assert name_of(orgs.north) == "北园"
    assert AuditEntry.objects.count() == before


def test_an_action_that_logs_nothing_is_rolled_back(verbs, orgs) -> None:
    with pytest.raises(RuntimeError, match="nothing in the audit log"):
        verbs["silent"](SYSTEM, orgs.north)
    assert name_of(orgs.north) == "北园"


@pytest.mark.parametrize(("role", "where"), [("leader", "north"), ("system_administrator", "south")])
def test_a_refusal_changes_nothing_and_is_logged_with_its_reason(
    verbs, orgs, make_user, actor_of, role: str, where: str
) -> None:
    actor = actor_of(make_user(role, getattr(orgs, where)))
    with pytest.raises(Denied) as refused:
        verbs["rename"](actor, orgs.north, "new")
    assert name_of(orgs.north) == "北园"
    entry = AuditEntry.objects.get(action="test.rename")
    assert (entry.result, entry.user_id, entry.after) == (
        "refused",
        actor.user_id,
        {"reason": refused.value.reason},
    )
    assert "test" not in versions(), "a refusal changes no data, so it forgets no figure"
    assert verify().whole


def test_an_action_within_an_action_is_one_transaction(verbs, orgs) -> None:
    verbs["outer"](SYSTEM, orgs.north)
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["test.rename", "test.outer"]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        verbs["outer"](SYSTEM, orgs.south)
        raise ZeroDivisionError
    assert name_of(orgs.south) == "南镇"
    assert AuditEntry.objects.count() == 2
    assert verify().whole


def test_the_version_of_a_room_rises_with_every_change_in_it(verbs, orgs) -> None:
    verbs["rename"](SYSTEM, orgs.north, "a")
    first = versions()
    verbs["touching"](SYSTEM, orgs.north)
    second = versions()
    assert second["projects"] > first.get("projects", 0)
    assert second["test"] > first["test"]
    with pytest.raises(RuntimeError, match="only inside an action"):
        touch("projects")


def test_declarations_are_unique_and_their_right_exists(verbs, orgs) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        action("test.rename", permission="people.organise")(lambda act: None)
    undeclared = action("test.undeclared", permission="people.fly")(lambda act: None)
    with pytest.raises(KeyError, match=r"people\.fly"):
        undeclared(SYSTEM)
