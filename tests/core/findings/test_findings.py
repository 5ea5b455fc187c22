"""Findings: stored once, answered with an audit entry, listed with filters, seen only inside the scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests.conftest import AS_OF, Orgs
from yuanmai.core import findings_actions as verbs
from yuanmai.core.actions import Act
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.findings import Finding, Found
from yuanmai.core.findings_queries import counts_by_state, findings_at, open_findings
from yuanmai.core.policy import SYSTEM, Denied

pytestmark = pytest.mark.django_db
FRAME = {"as_of": AS_OF.isoformat()}


@pytest.fixture
def store(in_scope: Callable[..., Any]) -> Callable[..., list[Finding]]:
    def run(org: Any, *found: Found, day: date = AS_OF) -> list[Finding]:
        with in_scope(None), transaction.atomic():
            return verbs.store_findings(
                Act(SYSTEM, "test.look", "core.findings", timezone.now()), org.pk, found, day
            )

    return run


@pytest.fixture
def officer(orgs: Orgs, make_user: Callable[..., Any]) -> Any:
    return make_user("project_officer", orgs.city)


def test_a_known_contradiction_is_updated_not_doubled(store: Callable[..., Any], orgs: Orgs) -> None:
    (first,) = store(orgs.north, Found("k", "a", {"stated": "75.70"}))
    (again,) = store(orgs.north, Found("k", "a", {"stated": "75.71"}))
    assert (again.pk, again.params["stated"]) == (first.pk, "75.71")
    assert store(orgs.south, Found("k", "a"))[0].pk != first.pk


def test_an_answered_one_opens_again_when_its_values_change(
    store: Callable[..., Any],
    orgs: Orgs,
    officer: Any,
    actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
) -> None:
    (row,) = store(orgs.north, Found("k", "a", {"stated": "1"}))
    actor = actor_of(officer)
    with in_scope(actor):
        verbs.explain_finding(actor, row, "口径不同")
    assert store(orgs.north, Found("k", "a", {"stated": "1"}))[0].state == Finding.State.EXPLAINED
    assert store(orgs.north, Found("k", "a", {"stated": "2"}))[0].state == Finding.State.OPEN


def test_answers_need_words_and_a_fitting_state_and_are_audited(
    store: Callable[..., Any],
    orgs: Orgs,
    officer: Any,
    actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
) -> None:
    (row,) = store(orgs.north, Found("k", "a"))
    actor = actor_of(officer)
    with in_scope(actor):
        with pytest.raises(ValidationError):
            verbs.explain_finding(actor, row, "  ")
        with pytest.raises(ValidationError):
            verbs.reopen_finding(actor, row)
        verbs.explain_finding(actor, row, "口径不同")
        verbs.resolve_finding(actor, row)
        verbs.reopen_finding(actor, row, "又出现")
    assert (row.state, row.note) == (Finding.State.OPEN, "又出现")
    actions = list(
        AuditEntry.objects.filter(result="done").order_by("sequence").values_list("action", flat=True)
    )
    assert actions == ["core.explain_finding", "core.resolve_finding", "core.reopen_finding"]


def test_only_someone_who_may_answer_can_be_made_to(
    store: Callable[..., Any], orgs: Orgs, officer: Any, make_user: Callable[..., Any], actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
) -> None:  # fmt: skip
    (row,) = store(orgs.north, Found("k", "a"))
    actor = actor_of(officer)
    with in_scope(actor):
        verbs.assign_finding(actor, row, actor)
        with pytest.raises(Denied):
            verbs.assign_finding(actor, row, actor_of(make_user("leader", orgs.city)))
        with pytest.raises(Denied):
            verbs.assign_finding(actor, row, actor_of(make_user("project_officer", orgs.south)))
    assert row.owner_id == officer.pk


def test_time_travel(store: Callable[..., Any], orgs: Orgs, in_scope: Callable[..., Any]) -> None:
    store(orgs.north, Found("k", "a"), Found("k", "b"))
    store(orgs.north, Found("k", "later"), day=date(2022, 6, 30))
    with in_scope(None):
        Finding.objects.filter(key="b").update(gone_until=timezone.now())
        ids = [orgs.north.pk]
        assert [row.key for row in open_findings(ids, AS_OF)] == ["a"]
        before = timezone.now() - timedelta(hours=1)
        assert findings_at(ids, AS_OF, before).count() == 0
        assert counts_by_state(findings_at(ids, date(2022, 12, 31)))["open"] == 2


def test_the_list_is_narrowed_and_scoped(
    store: Callable[..., Any], orgs: Orgs, officer: Any, client_as: Callable[..., Client], in_scope: Callable[..., Any],
    actor_of: Callable[..., Any],
) -> None:  # fmt: skip
    first, _second = store(orgs.north, Found("k", "a"), Found("other", "b"))
    store(orgs.foreign, Found("k", "a"))
    client = client_as(officer)
    assert len(client.get("/findings/", FRAME).context["rows"]) == 2
    assert len(client.get("/findings/", {**FRAME, "kind": "k"}).context["rows"]) == 1
    actor = actor_of(officer)
    with in_scope(actor):
        verbs.resolve_finding(actor, first)
        verbs.assign_finding(actor, first, actor)
    assert len(client.get("/findings/", FRAME).context["rows"]) == 1
    mine = client.get("/findings/", {**FRAME, "state": "resolved", "mine": "on"}).context["rows"]
    assert [row["finding"].pk for row in mine] == [first.pk]


def test_answering_on_the_page(
    store: Callable[..., Any],
    orgs: Orgs,
    officer: Any,
    client_as: Callable[..., Client],
    in_scope: Callable[..., Any],
) -> None:
    (row,) = store(
        orgs.north,
        Found(
            "k",
            "a",
            {},
            [{"label": "来源", "url": "/figures/projects.total_investment", "value": "7470000000"}],
        ),
    )
    client, url = client_as(officer), f"/findings/{row.pk}/"
    page = client.get(url)
    assert page.context["evidence"][0]["value"] == "CNY 7.470 bn"
    assert page.context["evidence"][0]["exact"] == "7,470,000,000"
    assert [person.pk for person in page.context["owners"]] == [officer.pk]
    empty = client.post(url, {"verb": "explain", "note": ""})
    assert empty.status_code == 422
    assert "Say why" in empty.content.decode()
    assert client.post(url, {"verb": "explain", "note": "口径不同"}).status_code == 302
    assert client.post(url, {"verb": "assign", "owner": str(officer.pk)}).status_code == 302
    assert client.post(url, {"verb": "vanish"}).status_code == 400
    history = client.get(url).context["history"]
    assert [entry["text"] for entry in history] == ["", "口径不同"]


def test_a_reader_sees_why_it_may_not_answer_and_a_stranger_nothing(
    store: Callable[..., Any], orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    (row,) = store(orgs.north, Found("k", "a"))
    leader = client_as(make_user("leader", orgs.city))
    assert "carries the right" in leader.get(f"/findings/{row.pk}/").context["refused"]
    assert leader.post(f"/findings/{row.pk}/", {"verb": "resolve"}).status_code == 403
    assert client_as(make_user("leader", orgs.foreign)).get(f"/findings/{row.pk}/").status_code == 404
