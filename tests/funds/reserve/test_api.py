"""The reserve for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.funds.reserve.conftest import DAY, HEADINGS
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import PlanYear, Reserve

pytestmark = pytest.mark.django_db
BASE = "/api/v1/funds/reserve"


@pytest.fixture
def call(make_user: Any, orgs: Any, client_as: Any) -> Callable[..., Any]:
    """``call(method, path, body, role=…, org=…)`` as somebody of the city."""

    def run(
        method: str, path: str = "", body: Any = None, *, role: str = "finance_officer", org: Any = None
    ) -> Any:
        client = client_as(make_user(role, org or orgs.city))
        url = f"{BASE}{path}{'&' if '?' in path else '?'}org=linzhou&as_of={DAY.isoformat()}"
        data = None if body is None else json.dumps(body)
        return (
            getattr(client, method)(url, data, content_type="application/json")
            if method != "get"
            else client.get(url)
        )

    return run


def body_of(project: Any, **more: Any) -> dict[str, Any]:
    return {
        "project": str(project.uid), "year": 2022, "field": "park_infrastructure", "sector": "infrastructure",
        "requested": "70000000.00", "capital": "30000000.00", "total_investment": "100000000.00", "term_years": 15,
        "rate": "0.035", "plan": [{"year": 2022, "investment": "100000000", "bonds": "70000000", "capital": "30000000"}],
        **more,
    }  # fmt: skip


def test_entered_read_and_listed(call: Any, project: Any) -> None:
    made = call("post", "", body_of(project))
    assert made.status_code == 201, made.content
    document = made.json()
    assert document["state"] == "reserve" and document["frequency"] == 2 and len(document["plan"]) == 1
    assert document["coverage"] is not None and float(document["coverage"]) == 0
    assert {gate["code"] for gate in document["gates"] if not gate["passed"]} >= {"coverage", "checklist"}
    assert call("get", f"/{document['uid']}").json()["possible"] == ["submit"]
    rows = call("get", "?state=reserve").json()
    assert rows["count"] == 1 and rows["items"][0]["requested"] == 70_000_000
    assert call("get", "?state=approved").json()["count"] == 0


def test_bad_figures_store_nothing(call: Any, project: Any) -> None:
    wrong = call("post", "", body_of(project, requested="-1", rate="0.5"))
    assert wrong.status_code == 422 and "application/problem+json" in wrong["Content-Type"]
    assert call("post", "", body_of(project, plan=[{"year": 2022, "revenue": "-5"}])).status_code == 422
    assert call("post", "", body_of(project), role="leader").status_code == 403
    with everywhere():
        assert not Reserve.objects.exists() and not PlanYear.objects.exists()


def test_reviewed_by_both_and_approved(call: Any, handed_in: Any) -> None:
    uid = handed_in().uid
    review = {"verdict": "pass", "headings": {code: {"score": 80} for code in HEADINGS}}
    assert call("post", f"/{uid}/reviews", {**review, "body": "reform"}).status_code == 403
    assert call("post", f"/{uid}/reviews", {**review, "body": "finance"}).status_code == 201
    done = call("post", f"/{uid}/reviews", {**review, "body": "reform"}, role="reform_officer")
    assert done.json()["state"] == "reviewed"
    assert call("post", f"/{uid}/steps/fly", {}).status_code == 404
    assert call("post", f"/{uid}/steps/approve", {"amount": "1", "document": "x"}).status_code == 409
    assert call("post", f"/{uid}/steps/report", {"document": "临财债〔2022〕1号"}).status_code == 200
    assert call("post", f"/{uid}/steps/approve", {"document": "x"}).status_code == 422
    done = call("post", f"/{uid}/steps/approve", {"amount": "60000000.00", "document": "湘财预〔2022〕8号"})
    assert done.json()["approved"] == 60_000_000 and done.json()["possible"] == ["adjust", "revoke"]


def test_the_plan_of_a_foreign_place_is_not_there(call: Any, enter: Any, orgs: Any) -> None:
    uid = enter().uid
    plan = {"years": [{"year": 2025, "revenue": "1000"}]}
    assert call("put", f"/{uid}/plan", plan, org=orgs.foreign).status_code == 404
    assert call("get", f"/{uid}", org=orgs.foreign).status_code == 404
    assert call("put", f"/{uid}/plan", plan).json()["plan"][0]["revenue"] == 1000
    assert call("put", f"/{uid}/plan", {**plan, "version": "issued"}).status_code == 422
