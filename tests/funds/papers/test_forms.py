"""The forms: what stands in them agrees with the registry and the engine; pages, files, work in the background."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from docx import Document as Docx

from yuanmai.core.documents import RowKind
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.jobs import runner
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.debt import place_service
from yuanmai.funds.issuing.service import statement_of
from yuanmai.funds.models import PlanYear
from yuanmai.funds.papers.sheets.model import FORMS, MEDIA, Asked, written
from yuanmai.funds.papers.views import forms as views
from yuanmai.people.models import Organisation
from yuanmai.projects.ledger import org_ids_below
from yuanmai.projects.queries import states

from .conftest import DAY, Whole, make_whole

pytestmark = pytest.mark.django_db


def asked(org: Any, whole: Whole | None = None, day: date = DAY) -> Asked:
    query = Query(org_ids_below(org.pk), day)
    with everywhere():
        state = states(query).get(project=whole.project) if whole else None
    return Asked(query, Organisation.objects.get(pk=org.pk), state)


def fill(code: str, *args: Any, **more: Any) -> Any:
    with everywhere():
        return FORMS[code].fill(asked(*args, **more))


def total_of(table: Any) -> tuple[Any, ...]:
    return next(tuple(row.cells) for row in reversed(table.rows) if row.kind is RowKind.TOTAL)


def test_the_debt_service_of_a_place_is_the_engines(orgs: Any, whole: Whole) -> None:
    by_year, by_tranche = fill("service", orgs.city).tables
    with everywhere():
        found = place_service(asked(orgs.city).query)
    assert len(by_year.rows) == len(found.years) + 1
    assert total_of(by_year)[1:] == (Decimal("1950.00"), Decimal("4000.00"), Decimal("5950.00"))
    assert found.whole.total == 59_500_000
    assert by_tranche.rows[0].cells[:3] == ("2205001", "2022年江南省专项债券(一期)", Decimal("4000.00"))
    assert total_of(by_tranche)[6:8] == total_of(by_year)[1:3]


def test_the_debt_service_of_a_project_has_every_payment(orgs: Any, whole: Whole) -> None:
    by_year, payments = fill("project-service", orgs.city, whole).tables
    rows = [row for row in payments.rows if row.kind is RowKind.ROW]
    assert len(rows) == 30 and rows[0].cells[1] == date(2022, 8, 23) and rows[-1].cells[5] == 0
    assert sum(row.cells[4] for row in rows) == total_of(by_year)[3] == Decimal("5950.00")


def test_the_coverage_of_a_project_stands_by_year_with_a_last_column(orgs: Any, whole: Whole) -> None:
    sheet = fill("project-coverage", orgs.city, whole)
    ratios, by_year = sheet.tables
    with everywhere():
        found = statement_of(whole.reserve, PlanYear.Version.OPERATING, asked(orgs.city).query)
    assert [row.cells[3] for row in ratios.rows][:4] == [
        round(getattr(found.coverage, name).value, 2)
        for name in ("all_interest", "operating_period_interest_only", "with_issue_fees", "all_debt")
    ]
    assert len({row.cells[3] for row in ratios.rows}) > 3  # the denominators differ
    assert [row.cells[0] for row in by_year.rows][:2] == ["2022", "2023"]
    whole_row = total_of(by_year)
    assert whole_row[7] == round(sum(row.debt_service for row in found.rows) / 10_000, 2)
    assert whole_row[9] == round(found.rows[-1].cumulative_balance / 10_000, 2)
    assert sheet.notes and any(
        str(row.year) in sheet.notes[0] for row in found.rows if row.cumulative_balance < 0
    )


def test_years_beyond_the_horizon_stand_together(orgs: Any, whole: Whole, english: None) -> None:
    with everywhere():
        for year in range(2040, 2060):
            PlanYear.objects.create(reserve=whole.reserve, year=year, revenue=Decimal(1_000_000))
    _ratios, by_year = fill("project-coverage", orgs.city, whole).tables
    labels = [row.cells[0] for row in by_year.rows]
    assert len(labels) == 32 and labels[29:] == ["2051", "and later", "Total"]
    assert by_year.rows[30].cells[1] == Decimal("800.00")


def test_the_coverage_of_a_place_is_the_registrys(orgs: Any, make_project: Callable[..., Any]) -> None:
    one = make_whole(orgs, make_project, "甲管网", "2205001")
    make_whole(orgs, make_project, "乙管网", "2205002")
    (table,) = fill("coverage", orgs.city).tables
    with everywhere():
        value = evaluate("bonds.coverage", asked(orgs.city).query).value
    assert len(table.rows) == 3 and value is not None
    assert total_of(table)[4] == round(value, 2)
    assert [row.cells[0] for row in table.rows[:2]] == ["乙管网", "甲管网"] and one.project


def test_the_publication_tells_bond_investment_and_spending(orgs: Any, whole: Whole) -> None:
    table, by_use = fill("publication", orgs.city).tables
    row = table.rows[0].cells
    assert row[0:4] == ("北园污水管网", "2205001", "2022年江南省专项债券(一期)", Decimal("4000.00"))
    assert row[4:7] == (date(2022, 2, 23), Decimal("0.0325"), 15)
    assert row[7:9] == (Decimal("10000.00"), Decimal("4000.00"))
    assert row[10] == row[12] == Decimal("1500.00") and row[11] is None
    assert total_of(by_use)[1] == Decimal("1500.00")
    with everywhere():
        PlanYear.objects.create(
            reserve=whole.reserve, version=PlanYear.Version.OPERATING, year=2022, revenue=Decimal(2_000_000)
        )
    assert fill("publication", orgs.city).tables[0].rows[0].cells[11] == Decimal("200.00")


def test_the_use_of_funds_agrees_with_the_figures(orgs: Any, whole: Whole) -> None:
    table, _by_use = fill("use", orgs.city).tables
    assert total_of(table)[2:] == tuple(map(Decimal, ("4000.00", "3000.00", "1500.00", "1000.00", "1500.00")))
    with everywhere():
        query = asked(orgs.city).query
        shown = [evaluate(code, query).value for code in ("bonds.issued", "bonds.paid_out", "bonds.spent")]
    assert [value / 10_000 for value in shown if value is not None] == list(total_of(table)[2:5])


def test_form_1_4_has_rows_a_to_s_of_area_and_level(orgs: Any, whole: Whole) -> None:
    (table,) = fill("budget-1-4", orgs.city).tables
    marks = [row.cells[1].partition("=")[0] for row in table.rows]
    assert marks == list("ABCDEFGHIJKLMNOPQRS")
    cells = {row.cells[1].partition("=")[0]: row.cells[2:] for row in table.rows}
    assert cells["D"] == (Decimal("4000.00"), Decimal("0.00")) and cells["A"] == cells["D"]
    assert cells["K"][0] == Decimal("65.00") and cells["S"][0] == Decimal("130.00")
    assert cells["H"][0] == cells["O"][0] == 0 and cells["B"] == (None, None)
    (level,) = fill("budget-1-4", orgs.north).tables
    assert level.rows[3].cells[2:] == (Decimal("4000.00"), Decimal("4000.00"))


@pytest.mark.parametrize("code", ["service", "coverage", "publication", "use", "budget-1-4"])
def test_every_form_of_a_place_becomes_every_kind_of_file(orgs: Any, whole: Whole, code: str) -> None:
    _read_files(code, asked(orgs.city), "4000.00" if code != "coverage" else "")


@pytest.mark.parametrize("code", ["project-service", "project-coverage"])
def test_every_form_of_a_project_becomes_every_kind_of_file(orgs: Any, whole: Whole, code: str) -> None:
    _read_files(code, asked(orgs.city, whole), "")


def _read_files(code: str, question: Asked, known: str) -> None:
    with everywhere():
        sheet = FORMS[code].fill(question)
        files = {ending: written(sheet, question, ending) for ending in MEDIA}
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    assert len(book.sheetnames) == len(sheet.tables)
    text = "\n".join(
        cell.text
        for table in Docx(io.BytesIO(files["docx"])).tables
        for row in table.rows
        for cell in row.cells
    )
    assert known in text and len(text) > 50
    word = Docx(io.BytesIO(files["docx"]))
    heads = [table.rows[0]._tr.trPr for table in word.tables]
    assert all(
        head is not None and "tblHeader" in head.xml for head in heads
    )  # the head repeats on each page
    assert files["pdf"].startswith(b"%PDF-") and len(files["pdf"]) > 5000


def test_nothing_to_fill_in_says_so(orgs: Any, make_user: Any, client_as: Callable[..., Client]) -> None:
    client = client_as(make_user("finance_officer", orgs.north))
    for code in ("service", "coverage", "publication", "use", "budget-1-4"):
        answer = client.get(f"/funds/papers/{code}/")
        assert answer.status_code == 200 and "Nothing to fill in" in answer.content.decode(), code


def test_the_pages(
    orgs: Any,
    whole: Whole,
    make_user: Any,
    client_as: Callable[..., Client],
    django_assert_max_num_queries: Any,
) -> None:
    client = client_as(make_user("finance_officer", orgs.north), language="zh-hans")
    assert "存续期公开" in client.get("/funds/papers/").content.decode()
    for code in ("service", "coverage", "publication", "use", "budget-1-4"):
        with django_assert_max_num_queries(60):
            page = client.get(f"/funds/papers/{code}/?as_of=2022-12-31").content.decode()
        assert "4,000.00" in page or code == "coverage"
        for ending, media in MEDIA.items():
            answer = client.get(f"/funds/papers/{code}.{ending}?as_of=2022-12-31")
            assert answer.status_code == 200 and answer["Content-Type"] == media
    here = f"/funds/papers/projects/{whole.project.uid}/"
    assert "5,950.00" in client.get(f"{here}?as_of=2022-12-31").content.decode()
    assert "覆盖" in client.get(f"{here}?as_of=2022-12-31&form=project-coverage").content.decode()
    assert client.get(f"{here[:-1]}/project-service.docx?as_of=2022-12-31").status_code == 200
    for wrong in (
        "/funds/papers/none/",
        "/funds/papers/service.exe",
        f"{here}none.pdf",
        "/funds/papers/finished/9/",
    ):
        assert client.get(wrong).status_code == 404, wrong
    assert client.get("/funds/papers/oc4ids.json?as_of=2022-12-31").status_code == 200
    foreign = client_as(make_user("finance_officer", orgs.foreign))
    assert foreign.get(here).status_code == 404


def test_a_large_place_is_written_in_the_background(
    orgs: Any, whole: Whole, make_user: Any, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from yuanmai.core.jobs.models import Job

    monkeypatch.setattr(views, "MANY", 0)
    user = make_user("finance_officer", orgs.north)
    client = client_as(user)
    answer = client.get("/funds/papers/use.xlsx?as_of=2022-12-31")
    with everywhere():
        job = Job.objects.get(kind="funds.write_form")
    assert answer.status_code == 302 and answer["Location"].endswith(f"/{job.pk}/")
    runner.run_job.call(job.pk)
    with everywhere():
        job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    got = client.get(job.url)
    assert got.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(b"".join(got.streaming_content)))  # type: ignore[attr-defined]
    assert book.sheetnames
    assert client_as(make_user("finance_officer", orgs.foreign)).get(job.url).status_code in (403, 404)
