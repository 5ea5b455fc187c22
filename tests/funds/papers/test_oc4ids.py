"""The open export: what it says, how it is streamed, and what a foreign checker says of it."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from yuanmai.core.figures import Query
from yuanmai.funds.papers import commands
from yuanmai.funds.papers.oc4ids import gather
from yuanmai.funds.papers.oc4ids.build import lean, period, project
from yuanmai.funds.papers.oc4ids.facts import ProjectFacts
from yuanmai.funds.papers.oc4ids.stream import package

from .conftest import DAY, Whole, make_whole

pytestmark = pytest.mark.django_db
SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "oc4ids" / "project-level"
OUTSIDE = "https://standard.open-contracting.org/infrastructure/schema/0__9__5/"


def exported(org: Any, day: date = DAY) -> dict[str, Any]:
    from yuanmai.projects.ledger import org_ids_below

    text = "".join(package(Query(org_ids_below(org.pk), day), uri="urn:uuid:0", publisher=org.name))
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_bond_project_is_told_whole(orgs: Any, whole: Whole) -> None:
    (doc,) = exported(orgs.city)["projects"]
    assert doc["id"] == f"oc4ids-000000-{whole.project.uid}"
    assert (doc["title"], doc["status"], doc["sector"]) == (
        "北园污水管网",
        "implementation",
        ["waterAndWaste"],
    )
    assert doc["period"]["startDate"] == "2022-05-01T00:00:00+08:00"
    assert doc["locations"][0]["geometry"]["type"] == "Polygon"
    assert doc["budget"]["amount"] == {"amount": 100_000_000, "currency": "CNY"}
    assert doc["budget"]["approvalDate"].startswith("2022-01-20")
    bond, loan = (
        next(f for f in doc["budget"]["finance"] if f.get("type") == kind) for kind in ("bond", "loan")
    )
    assert bond["value"]["amount"] == 40_000_000 and bond["interestRate"] == {"margin": 0.0325, "fixed": True}
    assert bond["paymentFrequency"] == 182.5 and bond["repaymentPriority"] == "senior"
    assert bond["period"]["startDate"].startswith("2022-02-23") and bond["period"]["endDate"].startswith(
        "2037-02-23"
    )
    assert loan["interestRate"]["margin"] == 0.045
    roles = {party["name"]: party["roles"] for party in doc["parties"]}
    assert roles["大江建设公司"] == ["payee", "supplier"] and "publicAuthority" in roles["北园"]
    assert roles["临州市"] == ["funder", "payer"]
    (process,) = doc["contractingProcesses"]
    assert process["summary"]["contractValue"]["amount"] == 20_000_000
    assert process["summary"]["transactions"][0]["value"]["amount"] == 15_000_000
    assert process["summary"]["milestones"][0]["status"] == "met"
    assert doc["transactions"][0]["value"]["amount"] == 30_000_000
    metrics = {m["id"]: m for m in doc["metrics"]}
    assert metrics["physicalProgress"]["observations"][0]["measure"] == 25
    work = next(m for m in doc["metrics"] if m["title"] == "污水管")
    assert work["observations"][0]["measure"] == 3000 and work["observations"][0]["unit"]["id"] == "MTR"
    planned = next(m for m in doc["forecasts"] if m["title"] == "污水管")
    assert planned["observations"][0]["measure"] == 12000
    service = next(m for m in doc["forecasts"] if m["id"] == "debtService")
    assert sum(o["value"]["amount"] for o in service["observations"]) == 40_000_000 + 15 * 1_300_000
    assert doc["documents"][0]["documentType"] == "feasibilityStudy"
    assert {m["code"]: m["status"] for m in doc["milestones"] if "code" in m} == {
        "projectApproval": "met", "financialClose": "met", "commencement": "met", "completion": "scheduled",
    }  # fmt: skip


def test_it_speaks_of_the_day_asked_for(orgs: Any, whole: Whole) -> None:
    (doc,) = exported(orgs.city, date(2022, 4, 30))["projects"]
    assert "contractingProcesses" not in doc and doc["status"] == "preparation"
    assert [t["value"]["amount"] for t in doc["transactions"]] == [30_000_000]


def test_what_is_not_known_is_left_out() -> None:
    doc = project(ProjectFacts("x", "T", DAY, "preparation", "2022-12-31T00:00:00+08:00"))
    assert set(doc) == {"id", "updated", "title", "status", "type"}
    assert period(date(2022, 2, 1), date(2022, 1, 1)) is None and lean({"a": None, "b": [], "c": 0}) == {
        "c": 0
    }


def test_the_statuses() -> None:
    class State:
        completed = started = resumed = False
        stage = "preparation"

    state, reserve = State(), type("Reserve", (), {"operation_start": date(2022, 1, 1)})()
    assert gather.status(state, None, DAY) == "preparation"
    state.stage = "reserve"
    assert gather.status(state, None, DAY) == "identification"
    assert gather.status(state, reserve, DAY) == "preparation"
    state.started = True
    assert gather.status(state, None, DAY) == "implementation"
    state.completed = True
    assert gather.status(state, None, DAY) == "completion"
    assert gather.status(state, reserve, DAY) == "maintenance"


def test_it_is_streamed_in_chunks_and_costs_no_query_per_project(
    orgs: Any, make_project: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_whole(orgs, make_project, "甲管网", "2205001")

    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as context:
            found = exported(orgs.city)
        return len(found["projects"]), len(context)

    one, first = cost()
    for number in range(2, 5):
        make_whole(orgs, make_project, f"{number}号管网", f"220500{number}")
    four, second = cost()
    assert (one, four) == (1, 4) and second <= first
    monkeypatch.setattr(gather, "CHUNK", 3)
    pieces = list(package(Query((orgs.north.pk,), DAY), uri="urn:uuid:0", publisher="x"))
    assert len(pieces) == 4 and len(json.loads("".join(pieces))["projects"]) == 4


def test_command_and_interface_give_the_same(
    orgs: Any, whole: Whole, tmp_path: Path, make_user: Any, client_as: Callable[..., Client]
) -> None:
    file = tmp_path / "out.json"
    options = ["oc4ids", "--scope", "north", "--as-of", "2022-12-31"]
    done = CliRunner().invoke(commands.export, [*options, "-o", str(file)])
    assert done.exit_code == 0, done.output
    printed = CliRunner().invoke(commands.export, options)
    by_command = json.loads(file.read_text(encoding="utf-8"))
    assert json.loads(printed.stdout)["projects"][0]["id"] == by_command["projects"][0]["id"]
    client = client_as(make_user("finance_officer", orgs.north), language="zh-hans")
    answer = client.get("/api/v1/funds/papers/oc4ids?org=north&as_of=2022-12-31")
    assert answer.status_code == 200 and answer.streaming
    by_api = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    for document in (by_command, by_api):
        document.pop("publishedDate")
        for one in document["projects"]:
            one.pop("updated")
    assert by_api == by_command
    empty = CliRunner().invoke(commands.export, ["oc4ids", "--scope", "south", "--json"])
    assert empty.exit_code == 1
    assert client.get("/api/v1/funds/papers/oc4ids?org=south").status_code in (404, 200)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The schema on this machine; what it refers to elsewhere refers to here."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / self.path.lstrip("/").partition("?")[0]
            found = file.is_file() and folder.resolve() in file.resolve().parents
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                self.wfile.write(file.read_text(encoding="utf-8").replace(OUTSIDE, base).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()


def test_a_foreign_checker_finds_nothing_wrong(
    orgs: Any, make_project: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = pytest.importorskip("libcoveoc4ids.api", reason="libcoveoc4ids is not installed")
    from libcoveoc4ids.config import LibCoveOC4IDSConfig

    if not SCHEMA.is_dir():
        pytest.skip(f"the OC4IDS schema is not at {SCHEMA}")
    make_whole(orgs, make_project, "甲管网", "2205001")
    make_whole(orgs, make_project, "乙厂房", "2205002")
    make_project(orgs.north, "丙道路", total=None)
    document = exported(orgs.city)
    asked: list[str] = []
    real = socket.getaddrinfo

    def only_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(str(host))
        assert host in ("127.0.0.1", "localhost", "::1", None), f"a request to {host}"
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    with served(SCHEMA) as base:
        config = LibCoveOC4IDSConfig(
            {
                "schema_host": base,
                "schema_version_choices": {"0.9.5": ("0.9.5", base)},
                "schema_codelists": {"0.9": f"{base}codelists/"},
            }
        )
        found = api.oc4ids_json_output(str(tmp_path), json_data=document, lib_cove_oc4ids_config=config)
        broken = json.loads(json.dumps(document))
        broken["projects"][0]["status"], broken["projects"][1]["budget"]["amount"]["amount"] = (
            "wondering",
            "much",
        )
        wrong = api.oc4ids_json_output(str(tmp_path), json_data=broken, lib_cove_oc4ids_config=config)
    assert asked and set(asked) <= {"127.0.0.1"}
    assert found["validation_errors"] == [] and found["validation_errors_count"] == 0
    assert found["additional_checks"] == [] and found["conformance_checks"] == []
    assert found["additional_closed_codelist_values"] == {}
    # Physical work has names of its own: metric ids outside the list are what the standard foresees.
    assert set(found["additional_open_codelist_values"]) <= {"projects/forecasts/id", "projects/metrics/id"}
    assert found["data_only"] == [] or not found["data_only"]
    assert wrong["validation_errors_count"] == 1
    assert "projects/status" in wrong["additional_closed_codelist_values"]


def test_amounts_are_exact() -> None:
    from yuanmai.funds.papers.oc4ids.build import money

    assert money(Decimal("123456789.01")) == {"amount": 123456789.01, "currency": "CNY"}
    assert money(Decimal("5.00")) == {"amount": 5, "currency": "CNY"} and money(None) is None
