"""Bulletins from the ledger: content, past knowledge, issuing, pages, the command."""

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse

from yuanmai.cockpit.bulletins.actions import again, issue_bulletin
from yuanmai.cockpit.bulletins.build import NotYet, build
from yuanmai.cockpit.bulletins.commands import bulletin as bulletin_command
from yuanmai.cockpit.bulletins.compose import Head
from yuanmai.cockpit.bulletins.period import parse
from yuanmai.cockpit.bulletins.text_of import digest, plain
from yuanmai.cockpit.models import Bulletin
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.documents import check_docx
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Organisation, User
from yuanmai.projects.models import Blocker, Project, StatedTotal

MARCH = parse("month", "2022-03")
RECORDED = datetime(2022, 3, 31, 10, tzinfo=UTC)
KNOWN = datetime(2022, 4, 1, tzinfo=UTC)


@pytest.fixture
def park(orgs: Any, make_project: Callable[..., Project]) -> Organisation:
    """A park with three projects on the plan, one of them waiting, a blocker and a stated total that is wrong."""
    park: Organisation = orgs.north
    park.default_as_of = date(2022, 3, 31)
    park.save()
    common = {"recorded_at": RECORDED}
    make_project(park, "甲项目", kind="new_start", total=300_000_000, plan=80_000_000, done=24_000_000, started=True,
                 version={"category": "工业投资", "responsible": "工信局"}, **common)  # fmt: skip
    waiting = make_project(
        park, "乙项目", kind="new_start", total=200_000_000, plan=40_000_000, done=0, started=False,
        version={"category": "工业投资", "responsible": "住建局", "start_on": date(2022, 2, 1)},
        report={"problems": "用地手续未完成"}, **common,
    )  # fmt: skip
    make_project(park, "丙项目", kind="continuing", total=500_000_000, plan=100_000_000, done=31_000_000, resumed=True,
                 version={"category": "交通设施", "responsible": "工信局"}, **common)  # fmt: skip
    Blocker.objects.create(
        org=park, project=waiting, kind=Blocker.Kind.LAND, title="用地手续未完成", state=Blocker.State.HANDED, body="自然资源局",
        opened_on=date(2022, 3, 1), due_on=date(2022, 3, 20), recorded_at=RECORDED,
    )  # fmt: skip
    StatedTotal.objects.create(
        org=park, figure="projects.total_investment", label="总投资", value=1_100_000_000, effective_on=date(2022, 3, 31),
        source="公开报道", recorded_at=RECORDED,
    )  # fmt: skip
    return park


@pytest.fixture
def made(park: Organisation, in_scope: Callable[..., AbstractContextManager[None]]) -> Callable[..., Any]:
    """``made(**options)``: the bulletin of March."""

    def make(**options: Any) -> Any:
        with in_scope(park):
            return build(park, (park.pk,), options.pop("period", MARCH), **options)

    return make


@pytest.mark.django_db
def test_the_bulletin_says_what_the_registry_says(made: Callable[..., Any]) -> None:
    made_ = made(known_at=KNOWN)
    assert made_.facts.whole.count == 3
    assert made_.facts.codes["projects.investment_done"] == "55000000"
    assert made_.facts.codes["projects.start_rate"] == "0.5"
    text = plain(made_.document)
    for part in (
        "重点项目共3个，总投资10.00亿元，年度计划投资2.20亿元",
        "累计完成投资0.55亿元，占年度计划的25.0%；同期时序进度为25.0%，与时序进度持平",
        "已开工1个，开工率50.0%",
        "乙项目（责任单位住建局，计划2022年2月开工，用地手续未完成）",
        "已复工1个，复工率100.0%",
        "工信局（30.6%）",
        "承办单位自然资源局，办理期限2022年3月20日，已逾期11天",
        "总投资公布数为11.00亿元，按项目逐项汇总为10.00亿元，公布数多1.00亿元",
    ):
        assert part in text, part


@pytest.mark.django_db
def test_later_knowledge_does_not_change_what_was_said(
    made: Callable[..., Any], park: Organisation, make_project: Callable[..., Project]
) -> None:
    before = plain(made(known_at=KNOWN).document)
    make_project(park, "丁项目", plan=90_000_000, recorded_at=datetime(2022, 4, 8, tzinfo=UTC))
    assert plain(made(known_at=KNOWN).document) == before
    assert "重点项目共4个" in plain(made(known_at=datetime(2022, 4, 9, tzinfo=UTC)).document)


@pytest.mark.django_db
def test_a_blocker_closed_after_the_day_is_still_open_in_the_bulletin(made: Callable[..., Any]) -> None:
    from yuanmai.core.scope import everywhere

    with everywhere():
        Blocker.objects.update(closed_on=date(2022, 4, 5), state=Blocker.State.CLOSED)
    assert len(made(known_at=KNOWN).facts.blockers) == 1
    with everywhere():
        Blocker.objects.update(closed_on=date(2022, 3, 30))
    assert made(known_at=KNOWN).facts.blockers == ()


@pytest.mark.django_db
def test_a_period_that_has_not_begun_is_refused(made: Callable[..., Any]) -> None:
    with pytest.raises(NotYet):
        made(period=parse("month", "2022-04"))


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_projects(
    made: Callable[..., Any],
    park: Organisation,
    make_project: Callable[..., Project],
    django_assert_max_num_queries: Any,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as few:
        made()
    for number in range(12):
        make_project(park, f"项目{number}", plan=1_000_000, done=100_000, started=True,
                     version={"category": "工业投资", "responsible": "工信局"})  # fmt: skip
    with django_assert_max_num_queries(len(few)):
        made()


@pytest.mark.django_db
def test_issuing_freezes_text_figures_and_files(
    park: Organisation,
    make_project: Callable[..., Project],
    in_scope: Callable[..., AbstractContextManager[None]],
) -> None:
    head = Head(number="北重点办〔2022〕1号", signed_on=date(2022, 4, 2), copies_to=("市重点办",))
    with in_scope(park):
        issued = issue_bulletin(SYSTEM, park, (park.pk,), MARCH, head=head)
    make_project(park, "后来的项目", plan=70_000_000)
    with in_scope(park):
        kept = Bulletin.objects.get(pk=issued.pk)
        made = again(kept)
    assert plain(made.document) == kept.text
    assert digest(made.document) == kept.text_digest
    assert hashlib.sha256(bytes(kept.word)).hexdigest() == kept.word_digest
    assert hashlib.sha256(bytes(kept.pdf)).hexdigest() == kept.pdf_digest
    assert check_docx(bytes(kept.word)) == []
    assert kept.figures["projects.count"] == "3"
    entry = AuditEntry.objects.get(action="cockpit.issue_bulletin")
    assert entry.after["word_sha256"] == kept.word_digest
    assert entry.org_id == park.pk


@pytest.mark.django_db
def test_issuing_needs_the_right_in_that_organisation(
    park: Organisation,
    orgs: Any,
    make_user: Callable[..., User],
    actor_of: Callable[..., UserActor],
    in_scope: Callable[..., AbstractContextManager[None]],
) -> None:
    foreign = actor_of(make_user("leader", orgs.foreign))
    auditor = actor_of(make_user("auditor", park))
    for actor in (foreign, auditor):
        with in_scope(park), pytest.raises(Denied):
            issue_bulletin(actor, park, (park.pk,), MARCH)
    with in_scope(park):
        assert not Bulletin.objects.exists()


QUERY = "?org=north&as_of=2022-03-31&kind=month&period=2022-03&language=zh"


@pytest.fixture
def officer(park: Organisation, make_user: Callable[..., User], client_as: Callable[..., Client]) -> Client:
    """A project officer of the park, signed in."""
    return client_as(make_user("project_officer", park), language="zh-CN")


@pytest.mark.django_db
def test_the_page_previews_the_bulletin(officer: Client) -> None:
    page = officer.get(reverse("cockpit:bulletins") + QUERY)
    assert page.status_code == 200
    assert "重点项目共3个，总投资10.00亿元" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("period", "text"), [("2022-13", "2022-03"), ("2023-01", "")])
def test_the_page_explains_a_wrong_period(officer: Client, period: str, text: str) -> None:
    page = officer.get(reverse("cockpit:bulletins") + QUERY.replace("2022-03&", f"{period}&"))
    assert page.status_code == 422
    assert text in page.content.decode()


@pytest.mark.django_db
def test_drafts_are_downloaded_as_word_and_pdf(officer: Client) -> None:
    word = officer.get(reverse("cockpit:bulletin_draft", args=["docx"]) + QUERY)
    texts = [p.text for p in docx.Document(io.BytesIO(word.content)).paragraphs]
    assert "关于2022年3月重点项目建设情况的通报" in texts
    pdf = officer.get(reverse("cockpit:bulletin_draft", args=["pdf"]) + QUERY)
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"].endswith(".pdf")


@pytest.mark.django_db
def test_a_bulletin_is_issued_on_the_page_and_kept(officer: Client, client_as: Callable[..., Client], orgs: Any,
                                                   make_user: Callable[..., User]) -> None:  # fmt: skip
    form = {
        "kind": "month",
        "period": "2022-03",
        "language": "zh",
        "number": "北重点办〔2022〕1号",
        "copies_to": "市重点办，各局",
    }
    answer = officer.post(reverse("cockpit:bulletin_issue") + "?org=north&as_of=2022-03-31", form)
    assert answer.status_code == 302
    page = officer.get(answer["Location"])
    assert "北重点办〔2022〕1号" in page.content.decode()
    address = answer["Location"]
    file = officer.get(f"{address}file.docx")
    assert "抄送：市重点办，各局。" in [
        c.text for t in docx.Document(io.BytesIO(file.content)).tables for r in t.rows for c in r.cells
    ]
    stranger = client_as(make_user("leader", orgs.foreign))
    assert stranger.get(address).status_code == 404
    assert stranger.get(f"{address}file.pdf").status_code == 404


@pytest.mark.django_db
def test_whoever_may_not_issue_is_told_why(park: Organisation, make_user: Callable[..., User],
                                           client_as: Callable[..., Client]) -> None:  # fmt: skip
    auditor = client_as(make_user("auditor", park))
    assert auditor.get(reverse("cockpit:bulletins") + QUERY).context["why_not"]
    answer = auditor.post(
        reverse("cockpit:bulletin_issue"), {"kind": "month", "period": "2022-03", "language": "zh"}
    )
    assert answer.status_code == 403


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(bulletin_command, list(arguments))


@pytest.mark.django_db
def test_the_command_writes_word_and_pdf(park: Organisation, tmp_path: Path) -> None:
    for name, start in (("march.docx", b"PK"), ("march.pdf", b"%PDF-")):
        out = tmp_path / name
        result = _run("month", "--scope", "north", "--period", "2022-03", "--out", str(out), "--json")
        assert result.exit_code == 0, result.output
        document = json.loads(result.output)
        assert document["figures"]["projects.count"] == "3"
        assert document["as_of"] == "2022-03-31"
        assert out.read_bytes().startswith(start)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["month", "--scope", "north", "--period", "2022-3x", "--out", "a.docx"], "2022-03"),
        (["month", "--scope", "nowhere", "--period", "2022-03", "--out", "a.docx"], "nowhere"),
        (["month", "--scope", "north", "--period", "2022-03", "--out", "a.txt"], ".docx"),
        (["year", "--scope", "north", "--period", "2031", "--out", "a.pdf"], ""),
        (["month", "--scope", "north", "--period", "2022-03", "--out", "/nowhere/at/all.docx"], "/nowhere"),
    ],
)
def test_the_command_refuses_with_a_reason(park: Organisation, arguments: list[str], message: str) -> None:
    result = _run(*arguments, "--json")
    assert result.exit_code == 1
    assert message in json.loads(result.output)["title"]
