"""The pages of the projects room: what they show, to whom, and with how many queries."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from yuanmai.core.scope import everywhere
from yuanmai.projects.models import Blocker, ProgressReport, ProjectState, ProjectVersion

DAY = "2022-03-31"
pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in project officer of the city."""
    return client_as(make_user("project_officer", orgs.city))


def url(name: str, *args: Any, **query: Any) -> str:
    text = "&".join(f"{key}={value}" for key, value in {"as_of": DAY, "org": "linzhou", **query}.items())
    return f"{reverse(f'projects:{name}', args=args)}?{text}"


def test_every_page_answers(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(
        orgs.north, "Harbour road", done=250_000, started=True, lists=["市重点"],
        version={"site": {"type": "Point", "coordinates": [113.4, 22.3]}, "start_on": date(2022, 1, 5)},
    )  # fmt: skip
    make_project(orgs.north, "Harbour road, section 1", total=4_000_000, version={"parent": project})
    for name in ("library", "create", "progress", "blockers", "lights"):
        assert officer.get(url(name)).status_code == 200, name
    for name in (
        "record", "record_progress", "record_subprojects", "record_blockers", "record_lists", "record_history",
        "raise_blocker", "report", "revise", "plan", "remove", "map_layers", "map_features",
    ):  # fmt: skip
        assert officer.get(url(name, project.uid)).status_code == 200, name


def test_the_library_lists_counts_and_sums_what_is_filtered(
    officer: Client, orgs: Any, make_project: Any
) -> None:
    make_project(orgs.north, "北园道路", plan=1_000_000, done=400_000, total=5_000_000, started=True)
    make_project(orgs.south, "南镇厂房", plan=2_000_000, done=100_000, total=7_000_000, started=True)
    make_project(orgs.foreign, "Foreign", total=9_000_000)
    page = officer.get(url("library"))
    assert page.context["total"] == 2
    shown = {row["label"]: row["display"] for row in page.context["summary"]}
    assert "CNY 12.00 m" in shown.values()
    assert "Foreign" not in page.content.decode()
    yellow = officer.get(url("library", light="yellow"))
    assert [line.state.name for line in yellow.context["rows"]] == ["南镇厂房"]
    assert officer.get(url("library", q="bydl")).context["total"] == 1
    assert officer.get(url("library", started="no")).context["total"] == 0
    assert "Nothing matches" in officer.get(url("library", q="zzz")).content.decode()


@pytest.mark.parametrize(
    "sort", ["name", "-name", "light", "-light", "-total_investment", "completion", "nonsense"]
)
def test_the_library_sorts(officer: Client, orgs: Any, make_project: Any, sort: str) -> None:
    make_project(orgs.north, "A", total=1, done=10, started=True)
    make_project(orgs.north, "B", total=2, done=900_000, started=True)
    names = [line.state.name for line in officer.get(url("library", sort=sort)).context["rows"]]
    forward = {"name", "light", "completion", "nonsense"}
    expected = {"light": ["B", "A"], "-light": ["A", "B"], "completion": ["A", "B"]}.get(
        sort, ["A", "B"] if sort in forward else ["B", "A"]
    )
    assert names == expected


def test_the_library_needs_the_same_number_of_queries_for_any_number_of_rows(
    officer: Client, orgs: Any, make_project: Any, django_assert_num_queries: Any
) -> None:
    def count() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(
            connection,
        ) as captured:
            officer.get(url("library"))
        return len(captured)

    for number in range(3):
        make_project(orgs.north, f"P{number}", done=1)
    officer.get(url("library"))
    few = count()
    for number in range(30):
        make_project(orgs.south, f"Q{number}", done=1)
    officer.get(url("library"))
    assert count() == few
    assert few <= 15


def test_columns_are_chosen_and_remembered(officer: Client, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "A")
    chosen = officer.get(f"{url('library')}&cols=name&cols=leader")
    assert [head["column"].key for head in chosen.context["heads"]] == ["name", "leader"]
    again = officer.get(url("library"))
    assert [head["column"].key for head in again.context["heads"]] == ["name", "leader"]


def test_views_are_saved_shared_and_deleted(
    officer: Client, orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    make_project(orgs.north, "A")
    form = {
        "name": "Red ones",
        "path": "/projects/",
        "query": "light=red&page=2&as_of=2022-01-01",
        "shared": "1",
    }
    answer = officer.post("/views/save/", form)
    assert answer["Location"] == "/projects/?light=red"
    view = officer.get(url("library", light="red")).context["views"][0]
    assert view["active"] and view["shared"] and view["delete_url"]
    colleague = client_as(make_user("leader", orgs.city))
    theirs = colleague.get(url("library")).context["views"][0]
    assert theirs["name"] == "Red ones" and not theirs["delete_url"]
    assert colleague.post(view["delete_url"]).status_code == 404
    stranger = client_as(make_user("leader", orgs.foreign))
    assert stranger.get("/projects/").context["views"] == []
    officer.post(view["delete_url"])
    assert officer.get(url("library")).context["views"] == []


def test_the_export_holds_what_is_seen(officer: Client, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "=A1", plan=1_000_000, done=250_000)
    make_project(orgs.north, "B", kind="reserve")
    answer = officer.get(
        f"{url('export', kind='new_start')}&cols=name&cols=planned_investment&cols=completion"
    )
    sheet = load_workbook(io.BytesIO(answer.content)).active
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert ["=A1", 100, 0.25] in values
    assert not any("B" in row for row in values)


def test_sub_projects_open_below_their_main_project(officer: Client, orgs: Any, make_project: Any) -> None:
    main = make_project(orgs.north, "Main")
    part = make_project(orgs.north, "Part", version={"parent": main})
    make_project(orgs.north, "Part of part", version={"parent": part})
    closed = officer.get(url("library")).context["rows"]
    assert [(line.state.name, line.children) for line in closed] == [("Main", 1)]
    lines = officer.get(f"{url('library')}&open={main.uid}&open={part.uid}").context["rows"]
    assert [(line.state.name, line.depth) for line in lines] == [
        ("Main", 0),
        ("Part", 1),
        ("Part of part", 2),
    ]


def test_an_empty_library_leads_to_the_import(officer: Client) -> None:
    assert "Import a ledger" in officer.get(url("library")).content.decode()


def test_a_foreign_project_is_not_found(orgs: Any, make_project: Any, make_user: Any, client_as: Any) -> None:
    project = make_project(orgs.foreign, "Foreign")
    client = client_as(make_user("project_officer", orgs.city))
    for name in ("record", "record_history", "report", "revise", "plan", "remove"):
        assert client.get(url(name, project.uid)).status_code == 404, name


def test_a_reader_gets_no_form(orgs: Any, make_project: Any, make_user: Any, client_as: Any) -> None:
    project = make_project(orgs.north, "A")
    client = client_as(make_user("leader", orgs.city))
    page = client.get(url("record", project.uid))
    assert page.status_code == 200 and "Edit attributes" not in page.content.decode()
    assert client.get(url("revise", project.uid)).status_code == 403
    assert (
        client.post(
            reverse("projects:progress_save") + "?period=2022-03-2", "{}", "application/json"
        ).status_code
        == 403
    )


def test_creating_asks_to_confirm_a_name_that_is_there(officer: Client, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "Twice")
    form = {"name": "Twice", "org": orgs.north.pk, "effective_on": DAY, "total_investment": "１，０００.5"}
    doubted = officer.post(url("create"), form)
    assert "already in the library" in doubted.content.decode()
    assert officer.post(url("create"), {**form, "confirmed": "1"}).status_code == 302
    with everywhere():
        stored = ProjectVersion.objects.filter(name="Twice").order_by("-id")[0]
    assert stored.total_investment == Decimal("10005000.00")


def test_messages_stand_at_the_fields(officer: Client, orgs: Any) -> None:
    form = {
        "name": "A", "org": orgs.north.pk, "effective_on": DAY, "start_on": "2022-05-01", "finish_on": "2022-04-01",
        "total_investment": "-1", "owner": "Nobody knows it",
    }  # fmt: skip
    page = officer.post(url("create"), form)
    assert page.status_code == 422
    assert "owner" in page.context["form"].errors
    page = officer.post(url("create"), {**form, "owner": ""})
    assert set(page.context["form"].errors) == {"finish_on", "total_investment"}


def test_a_year_is_planned_by_months(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A")
    months = {f"month_{n}": "10" for n in range(1, 13)}
    form = {"year": "2022", "kind": "continuing", "planned_investment": "130", "effective_on": DAY, **months}
    page = officer.post(url("plan", project.uid), form)
    assert "add up to" in str(page.context["form"].errors["planned_investment"])
    assert officer.post(url("plan", project.uid), {**form, "planned_investment": "120"}).status_code == 302
    chart = officer.get(url("record", project.uid)).context["chart"]
    planned = next(s for s in chart["series"] if s["name"] == "Planned")
    assert planned["data"][2] == Decimal("30.00")


def test_the_history_shows_and_takes_back(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A", done=100_000)
    answer = officer.post(url("report", project.uid, period="2022-03-2"), {"investment_done": "20"})
    assert answer.status_code == 302
    page = officer.get(answer["Location"] + "?as_of=2022-03-31")
    (message,) = page.context["messages"]
    assert "undo=/projects/undo/" in message.extra_tags
    with everywhere():
        assert ProjectState.objects.at(date(2022, 3, 31)).get(project=project).investment_done == 200_000
    undo = message.extra_tags.removeprefix("undo=")
    officer.post(undo, {"next": "/projects/"})
    with everywhere():
        assert ProjectState.objects.at(date(2022, 3, 31)).get(project=project).investment_done == 100_000
    history = officer.get(url("record_history", project.uid)).content.decode()
    assert "<del>Progress report</del>" in history
    again = officer.post(undo, {"next": "/projects/"}, follow=True)
    assert "already been taken back" in again.content.decode()
    assert officer.post("/projects/undo/forged/").status_code == 404


def test_a_removed_project_can_be_brought_back(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A", done=100_000)
    page = officer.post(url("remove", project.uid), {"reason": ""})
    assert page.status_code == 422
    officer.post(url("remove", project.uid), {"reason": "entered twice"})
    gone = officer.get(url("record", project.uid))
    assert gone.status_code == 404 and "was removed" in gone.content.decode()
    officer.post(reverse("projects:restore", args=[project.uid]))
    back = officer.get(url("record", project.uid))
    assert back.status_code == 200 and back.context["state"].investment_done == 100_000


def test_lists_are_joined_and_left(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A")
    change = reverse("projects:change_list", args=[project.uid])
    officer.post(change, {"list_code": "技改", "effective_on": DAY})
    assert officer.get(url("library", list="技改")).context["total"] == 1
    officer.post(change, {"list_code": "技改", "effective_on": DAY, "on": "0"})
    assert officer.get(url("library", list="技改")).context["total"] == 0
    twice = officer.post(change, {"list_code": "技改", "effective_on": DAY, "on": "0"}, follow=True)
    assert "not on this list" in twice.content.decode()


def test_the_sheet_saves_all_or_says_which_cells_are_wrong(
    officer: Client, orgs: Any, make_project: Any
) -> None:
    one = make_project(orgs.north, "One", total=1_000_000, done=100_000)
    two = make_project(orgs.south, "Two", total=1_000_000)
    save = reverse("projects:progress_save") + "?period=2022-03-2&org=linzhou"

    def post(*rows: Any) -> Any:
        body = json.dumps({"rows": [{"id": p.pk, "values": values} for p, values in rows]})
        return officer.post(save, body, content_type="application/json")

    wrong = post((one, {"investment_done": "50"}), (two, {"investment_done": "500"}))
    assert wrong.status_code == 422
    assert [(e["id"], e["key"]) for e in wrong.json()["errors"]] == [(two.pk, "investment_done")]
    with everywhere():
        assert not ProgressReport.objects.filter(project=two).exists()
    text = post((one, {"investment_done": "abc"}))
    assert text.json()["errors"][0]["key"] == "investment_done"
    empty = post((one, {"investment_done": ""}))
    assert empty.status_code == 422
    good = post((one, {"investment_done": "9"}), (two, {"investment_done": "5", "started": "yes"}))
    assert good.status_code == 200 and good.json()["saved"] == 2
    assert "Less than last time" in good.json()["message"]
    page = officer.get(url("progress", period="2022-03-2"))
    assert page.context["counted"].reported == 2
    assert officer.post(save, "[]", content_type="application/json").status_code == 400
    assert officer.post(save, '{"rows": [{"id": "x"}]}', content_type="application/json").status_code == 400


def test_the_period_knows_who_is_late(officer: Client, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "Said", done=1, as_of=date(2022, 3, 31))
    make_project(orgs.north, "Late")
    make_project(orgs.north, "Completed", report={"completed": True, "effective_on": date(2022, 2, 1)})
    now = officer.get(url("progress", period="2022-03-2"))
    assert (now.context["counted"].total, now.context["counted"].reported) == (2, 1)
    assert {line["state"].name: line["status"] for line in now.context["lines"]} == {
        "Late": "Due",
        "Said": "Reported",
    }
    later = officer.get(url("progress", period="2022-03-2", as_of="2022-04-10"))
    assert later.context["counted"].waiting == "overdue"
    assert officer.get(url("progress", period="nonsense")).status_code == 200


def test_a_regression_has_to_be_confirmed_on_the_form(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A", done=200_000, started=True, as_of=date(2022, 3, 15))
    address = url("report", project.uid, period="2022-03-2")
    doubted = officer.post(address, {"investment_done": "10", "started": "no"})
    assert doubted.status_code == 200
    assert len(doubted.context["form"].warning_lines()) == 2
    assert (
        officer.post(address, {"investment_done": "10", "started": "no", "confirmed": "1"}).status_code == 302
    )


def test_a_blocker_lives(
    officer: Client, orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    project = make_project(orgs.north, "A")
    officer.post(
        url("raise_blocker", project.uid), {"title": "No power", "kind": "utilities", "opened_on": DAY}
    )
    with everywhere():
        blocker = Blocker.objects.get()

    def move(code: str, **values: str) -> Any:
        return officer.post(
            reverse("projects:move_blocker", args=[blocker.pk, code]) + f"?as_of={DAY}", values
        )

    page = move("hand", body="Power company")
    assert "due_on" in page.context["steps"][0]["form"].errors
    assert "before" in move("hand", body="Power company", due_on="2022-01-01").content.decode()
    assert move("hand", body="Power company", due_on="2022-04-15").status_code == 302
    assert move("escalate", text="urgent").status_code == 302
    assert move("close", text="x").status_code == 422
    assert move("answer", text="cable laid").status_code == 302
    assert move("send_back", text="not live", due_on="2022-04-20").status_code == 302
    assert move("answer", text="live").status_code == 302
    assert move("close", text="seen on site").status_code == 302
    with everywhere():
        blocker.refresh_from_db()
        assert (blocker.state, blocker.level, blocker.closed_on) == ("closed", 1, date(2022, 3, 31))
        assert [s.transition for s in blocker.steps.all()] == [
            "raise", "hand", "escalate", "answer", "send_back", "answer", "close",
        ]  # fmt: skip
    finance = client_as(make_user("finance_officer", orgs.city))
    page = finance.get(reverse("projects:blocker", args=[blocker.pk]))
    assert all(step["offer"].why_not for step in page.context["steps"])
    assert move("nonsense").status_code == 404


def test_the_rules_of_lights_are_data(officer: Client, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "A", plan=100, done=20, started=True)  # 5 points behind at the end of March
    assert officer.get(url("library", light="green")).context["total"] == 1
    form = {
        "org": orgs.north.pk, "effective_on": "2022-01-01", "name": "Strict", "source": "Notice 1", "measure": "points",
        "yellow_from": "20", "yellow_included": "on", "red_above": "40", "start_red_months": "3",
        "statistics_yellow_months": "0", "statistics_red_months": "0",
    }  # fmt: skip
    assert officer.post(url("lights"), {**form, "red_above": "10"}).status_code == 422
    assert officer.post(url("lights"), form).status_code == 302
    assert officer.get(url("library", light="red")).context["total"] == 1
    rule = officer.get(url("lights")).context["rules"][0][0]
    officer.post(reverse("projects:retract_light_rule", args=[rule.pk]))
    assert officer.get(url("library", light="green")).context["total"] == 1


def test_pages_of_a_project_need_a_constant_number_of_queries(
    officer: Client, orgs: Any, make_project: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    project = make_project(orgs.north, "Main", done=1)

    def count(name: str) -> int:
        officer.get(url(name, project.uid))
        with CaptureQueriesContext(connection) as captured:
            assert officer.get(url(name, project.uid)).status_code == 200
        return len(captured)

    names = ("record", "record_progress", "record_subprojects", "record_blockers")
    few = {name: count(name) for name in names}
    for number in range(12):
        make_project(orgs.north, f"Part {number}", version={"parent": project})
        officer.post(
            url("report", project.uid, period=f"2022-{number % 3 + 1:02d}-1"),
            {"investment_done": str(number + 1), "confirmed": "1"},
        )
        officer.post(
            url("raise_blocker", project.uid), {"title": f"B{number}", "kind": "land", "opened_on": DAY}
        )
    assert {name: count(name) for name in names} == few
