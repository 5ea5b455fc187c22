"""Changing things through the interface: who may, in which form, and that a repetition is not done twice."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.test_kit import refusal
from yuanmai.core.api.idempotency import KEEP
from yuanmai.core.api_answers import KeptAnswer
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.findings import Finding
from yuanmai.core.scope import everywhere
from yuanmai.people.models import ApiToken, User
from yuanmai.people.tokens import new_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def finding(orgs) -> Finding:
    with everywhere():
        return Finding.objects.create(
            org=orgs.north, kind="test.kind", key="k", effective_on=date(2022, 3, 31), found_at=timezone.now()
        )


def token_of(user: User, *permissions: str, **fields: Any) -> dict[str, str]:
    text, prefix, digest = new_token()
    values = {"expires_at": timezone.now() + timedelta(days=1), **fields}
    ApiToken.objects.create(
        user=user, name="t", prefix=prefix, digest=digest, created_at=timezone.now(), permissions=list(permissions), **values
    )  # fmt: skip
    return {"authorization": f"Bearer {text}", "accept-language": "en"}


def explain(client: Client, finding: Finding, note: str = "two sources", **headers: str) -> Any:
    return client.post(
        f"/api/v1/findings/{finding.pk}/explain",
        json.dumps({"note": note}),
        content_type="application/json",
        headers=headers,
    )


def state_of(finding: Finding) -> str:
    with everywhere():
        return str(Finding.objects.values_list("state", flat=True).get(pk=finding.pk))


def done() -> int:
    return AuditEntry.objects.filter(action="core.explain_finding", result="done").count()


def test_a_token_acts_with_its_users_rights_and_is_named_in_the_log(orgs, make_user, finding) -> None:
    user = make_user("project_officer", orgs.city)
    answer = explain(Client(), finding, **token_of(user))
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "explained"
    entry = AuditEntry.objects.get(action="core.explain_finding")
    assert (entry.user_id, entry.via, entry.after["note"]) == (user.pk, "api", "two sources")


def test_a_token_with_fewer_rights_is_refused_by_name(orgs, make_user, finding) -> None:
    headers = token_of(make_user("project_officer", orgs.city), "core.findings")
    assert Client().get("/api/v1/findings", headers=headers).json()["count"] == 1
    document = refusal(explain(Client(), finding, **headers), 403)
    assert "token" in document["detail"]
    assert state_of(finding) == "open"


@pytest.mark.parametrize("change", ["expired", "revoked", "locked", "unknown", "garbage"])
def test_a_token_that_is_no_longer_good(orgs, make_user, change: str) -> None:
    user = make_user("project_officer", orgs.city)
    headers = token_of(user)
    past = timezone.now() - timedelta(seconds=1)
    if change == "expired":
        ApiToken.objects.update(expires_at=past)
    elif change == "revoked":
        ApiToken.objects.update(revoked_at=past)
    elif change == "locked":
        User.objects.update(is_active=False)
    elif change == "unknown":
        headers["authorization"] = headers["authorization"][:-3] + "abc"
    else:
        headers["authorization"] = "Bearer \u00e9\u00e9"
    answer = Client().get("/api/v1/me", headers=headers)
    refusal(answer, 401)
    assert "invalid_token" in answer["WWW-Authenticate"]


def test_guessing_tokens_is_slowed_down(orgs, make_user, settings) -> None:
    settings.API_BAD_TOKENS_PER_MINUTE = 3
    statuses = [
        Client().get("/api/v1/me", headers={"authorization": "Bearer ym_0_x"}).status_code for _ in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]


def test_a_session_needs_the_csrf_token_and_a_bearer_does_not(orgs, make_user, client_as, finding) -> None:
    user = make_user("project_officer", orgs.city)
    client = client_as(user, enforce_csrf_checks=True)
    document = refusal(explain(client, finding), 403)
    assert document["type"] == "urn:yuanmai:problem:csrf"
    assert state_of(finding) == "open"
    client.cookies["csrftoken"] = "a" * 32
    assert explain(client, finding, **{"X-CSRFToken": "a" * 32}).status_code == 200


def test_somebody_elses_finding_is_not_there(orgs, make_user, client_as, finding) -> None:
    stranger = client_as(make_user("project_officer", orgs.foreign))
    refusal(stranger.get(f"/api/v1/findings/{finding.pk}"), 404)
    refusal(explain(stranger, finding), 404)
    assert stranger.get("/api/v1/findings?as_of=2022-03-31").json()["count"] == 0
    mine = client_as(make_user("leader", orgs.north))
    assert mine.get("/api/v1/findings?as_of=2022-03-31").json()["count"] == 1
    refusal(explain(mine, finding), 403)


def test_the_faults_of_a_body_have_pointers(orgs, make_user, client_as, finding) -> None:
    client = client_as(make_user("project_officer", orgs.city))
    address = f"/api/v1/findings/{finding.pk}/explain"

    def send(body: str, content_type: str = "application/json") -> Any:
        return client.post(address, body, content_type=content_type)

    document = refusal(send('{"note": 5, "remark": "x"}'), 422)
    assert {(e["pointer"], e["rule"]) for e in document["errors"]} == {
        ("/note", "string_type"),
        ("/remark", "extra_forbidden"),
    }
    refusal(send("{not json"), 400)
    refusal(send("[1]"), 422)
    refusal(send("note=x", "application/x-www-form-urlencoded"), 415)
    assert refusal(send('{"note": "a\\u0000b"}'), 422)["errors"][0]["rule"] == "nul"
    # What an action refuses has the same form.
    assert refusal(send('{"note": ""}'), 422)["errors"][0]["pointer"] == "/note"


def test_a_body_larger_than_the_server_takes(orgs, make_user, client_as, finding, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    refusal(explain(client_as(make_user("project_officer", orgs.city)), finding, "x" * 200), 413)


def test_a_repeated_post_is_done_once(orgs, make_user, client_as, finding) -> None:
    client = client_as(make_user("project_officer", orgs.city))
    key = {"Idempotency-Key": "k-1"}
    first = explain(client, finding, **key)
    again = explain(client, finding, **key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert done() == 1
    # Without a key the second one meets the changed state.
    refusal(explain(client, finding), 422)


def test_a_key_means_one_request_of_one_person_for_a_day(orgs, make_user, client_as, finding) -> None:
    client = client_as(make_user("project_officer", orgs.city))
    key = {"Idempotency-Key": "k-1"}
    explain(client, finding, **key)
    document = refusal(explain(client, finding, "another note", **key), 422)
    assert document["type"] == "urn:yuanmai:problem:idempotency"
    other = client_as(make_user("project_officer", orgs.city))
    assert "Idempotency-Replayed" not in explain(other, finding, **key)
    KeptAnswer.objects.update(created_at=timezone.now() - KEEP - timedelta(seconds=1))
    refusal(explain(client, finding, **key), 422)  # done anew, and refused because it is explained already
    refusal(explain(client, finding, **{"Idempotency-Key": "x" * 121}), 422)


def test_a_refusal_is_not_kept_but_stays_in_the_log(orgs, make_user, client_as, finding) -> None:
    user = make_user("project_officer", orgs.city)
    client = client_as(user)
    key = {"Idempotency-Key": "k-2"}
    refusal(explain(client, finding, "", **key), 422)
    assert not KeptAnswer.objects.exists()
    assert explain(client, finding, "now with a reason", **key).status_code == 200
    assert done() == 1
