"""The pages of the funds room."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from yuanmai.core.findings import Finding
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.models import FundingFact, FundingState

DAY = "2022-03-31"
FRAME = {"as_of": DAY, "org": "linzhou"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in finance officer of the city."""
    return client_as(make_user("finance_officer", orgs.city))


def lines(*rows: tuple[str, str, str, str], **more: str) -> dict[str, str]:
    form = {"line-TOTAL_FORMS": str(len(rows)), "line-INITIAL_FORMS": "0", "effective_on": DAY, **more}
    for index, (source, security, year, amount) in enumerate(rows):
        form |= {
            f"line-{index}-source": source,
            f"line-{index}-security": security,
            f"line-{index}-year": year,
            f"line-{index}-amount": amount,
        }
    return form


HESHAN = (
    ("fiscal", "secured", "", "73500"),
    ("special_bond", "issued", "2022", "20700"),
    ("special_bond", "planned", "2023", "10000"),
)


def test_heshan_is_entered_and_its_gap_is_1_43(finance: Client, orgs: Any, make_project: Any) -> None:
    """11.85 = 7.35 + 2.07 + 1.00 + a gap of 1.43 (亿元), as published."""
    project = make_project(orgs.north, "Park", total=1_185_000_000)
    edit = reverse("funds:edit", args=[project.uid])
    assert finance.get(edit, FRAME).status_code == 200
    assert finance.post(f"{edit}?as_of={DAY}", lines(*HESHAN)).status_code == 302
    page = finance.get(reverse("funds:project", args=[project.uid]), FRAME)
    assert page.context["gap"] == Decimal("143000000")
    overview = finance.get(reverse("funds:index"), FRAME)
    shown = [figure["display"] for figure in overview.context["figures"]]
    assert "CNY 143.00 m" in shown and "CNY 942.00 m" in shown
    ring = (
        finance.get(reverse("projects:record", args=[project.uid]), FRAME)
        .context["panels"][0]
        .context["chart"]
    )
    assert ring["series"][0]["data"][-1]["value"] == Decimal("1.4300")


def test_funding_is_undone_and_struck_out(finance: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "Park", total=1_185_000_000)
    edit = reverse("funds:edit", args=[project.uid]) + f"?as_of={DAY}"
    finance.post(edit, lines(*HESHAN))
    finance.post(edit, lines(HESHAN[0], HESHAN[1]))  # the planned bond is gone
    page = finance.get(reverse("funds:project", args=[project.uid]), FRAME)
    assert page.context["gap"] == Decimal("243000000")
    (message,) = [m for m in page.context["messages"] if "undo=" in m.extra_tags][-1:]
    finance.post(message.extra_tags.removeprefix("undo="))
    assert finance.get(reverse("funds:project", args=[project.uid]), FRAME).context["gap"] == Decimal(
        "143000000"
    )
    history = finance.get(reverse("projects:record_history", args=[project.uid]), FRAME)
    assert "<del>Funding: Special bond</del>" in history.content.decode()
    with everywhere():
        fact = FundingFact.objects.filter(retracted_at=None).first()
    assert fact is not None
    undo = reverse("funds:undo_fact", args=[project.uid, fact.pk])
    assert "Say why" in finance.post(undo, {"reason": ""}, follow=True).content.decode()
    finance.post(undo, {"reason": "typo"})
    with everywhere():
        assert FundingState.objects.filter(known_until=KNOWN_FOREVER).count() == 2


def test_faults_stand_at_their_lines(finance: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "Park", total=1_000_000)
    edit = reverse("funds:edit", args=[project.uid]) + f"?as_of={DAY}"
    same = finance.post(edit, lines(("fiscal", "secured", "", "1"), ("fiscal", "secured", "", "2")))
    assert same.status_code == 422
    assert "stands in line 1" in str(same.context["formset"].forms[1].errors)
    negative = finance.post(edit, lines(("fiscal", "secured", "", "-1")))
    assert negative.status_code == 422
    empty = finance.post(edit, lines(("fiscal", "secured", "2022", "")))
    assert "State the amount" in str(empty.context["formset"].forms[0].errors)
    with everywhere():
        assert not FundingFact.objects.exists()


def test_more_than_the_total_is_confirmed_and_becomes_a_finding(
    finance: Client, orgs: Any, make_project: Any
) -> None:
    project = make_project(orgs.north, "Park", total=1_000_000)
    edit = reverse("funds:edit", args=[project.uid]) + f"?as_of={DAY}"
    form = lines(("fiscal", "secured", "", "200"))
    assert "add up to" in finance.post(edit, form).content.decode()
    assert finance.post(edit, {**form, "confirmed": "1"}).status_code == 302
    with everywhere():
        finding = Finding.objects.get(kind="funds.over_total")
        assert finding.gone_until == KNOWN_FOREVER
    assert (
        "more than the total investment"
        in finance.get(reverse("projects:record", args=[project.uid]), FRAME).content.decode()
    )
    finance.post(edit, lines(("fiscal", "secured", "", "50")))
    with everywhere():
        finding.refresh_from_db()
        assert finding.gone_until != KNOWN_FOREVER and finding.state == "resolved"


def test_the_overview_filters_and_needs_constant_queries(
    finance: Client, orgs: Any, make_project: Any
) -> None:
    for number in range(3):
        make_project(orgs.north, f"P{number}", total=1_000_000 * (number + 1))
    index = reverse("funds:index")

    def count() -> int:
        finance.get(index, FRAME)
        with CaptureQueriesContext(connection) as captured:
            finance.get(index, FRAME)
        return len(captured)

    few = count()
    for number in range(20):
        make_project(orgs.south, f"Q{number}")
    assert count() == few
    names = [line["state"].name for line in finance.get(index, {**FRAME, "q": "P"}).context["lines"]]
    assert names == ["P2", "P1", "P0"]
    assert len(finance.get(index, {**FRAME, "gap": "yes"}).context["lines"]) == 23


def test_who_may_not_see_funds_sees_none(
    orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    project = make_project(orgs.north, "Park")
    operator = client_as(make_user("operator", orgs.city))
    assert operator.get(reverse("funds:project", args=[project.uid]), FRAME).status_code == 403
    record = operator.get(reverse("projects:record", args=[project.uid]), FRAME)
    assert record.context["panels"] == [] and "funds/projects" not in record.content.decode()
    officer = client_as(make_user("project_officer", orgs.city))
    assert officer.get(reverse("funds:edit", args=[project.uid]), FRAME).status_code == 403
    foreign = client_as(make_user("finance_officer", orgs.foreign))
    assert foreign.get(reverse("funds:project", args=[project.uid])).status_code == 404


def test_knowledge_of_funding_keeps_its_past(
    finance: Client, orgs: Any, make_project: Any, in_scope: Any
) -> None:
    project = make_project(orgs.north, "Park", total=1_000_000)
    edit = reverse("funds:edit", args=[project.uid]) + f"?as_of={DAY}"
    finance.post(edit, lines(("fiscal", "secured", "", "50")))
    with everywhere():
        then = FundingFact.objects.get().recorded_at
    finance.post(edit, lines(("fiscal", "secured", "", "60")))
    with in_scope(orgs.city):
        assert FundingState.objects.at(date(2022, 3, 31), then).get(project=project).amount == 500_000
        assert FundingState.objects.at(date(2022, 3, 31)).get(project=project).amount == 600_000
