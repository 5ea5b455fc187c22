"""Batches of every form: what is taken, and everything that is said of what is not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import Orgs
from tests.gateway.ingest.kit import numbers as numbers_by_address
from tests.gateway.ingest.kit import touch
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point
from yuanmai.devices.readings import journaling, senders
from yuanmai.devices.store.journal import JournalBroken, JournalFull
from yuanmai.people.models import ApiToken, User

pytestmark = pytest.mark.django_db
NOW = 1_700_000_000_000_000
ISO = "2023-11-15T06:13:20+08:00"
Make = Callable[..., Device]


def numbers(device: Device) -> dict[str, int]:
    with everywhere():
        return dict(Point.objects.filter(device=device).values_list("code", "pk"))


def arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


ROWS = [
    {"device": "w1", "point": "temp", "time": ISO, "value": 21.5},
    {"device": "w1", "point": "hum", "time": ISO, "value": None},
    {"device": "w2", "point": "temp", "time": ISO, "value": -3},
]
FORMS: dict[str, tuple[Any, str]] = {
    "rows": (ROWS, "application/json"),
    "seconds": ([{**row, "time": 1_700_000_000} for row in ROWS], "application/json; charset=utf-8"),
    "fractions": ([{**row, "time": 1_700_000_000.0} for row in ROWS], "application/json"),
    "mixed": ([{**row, "time": t} for row, t in zip(ROWS, [ISO, 1_700_000_000_000, NOW], strict=True)], "application/json"),
    "columns": (
        {
            "device": ["w1", "w1", "w2"], "point": ["temp", "hum", "temp"], "time": [NOW * 1000] * 3,
            "value": [21.5, None, -3],
        },
        "application/json",
    ),
    "csv": (f"device,point,time,value\nw1,temp,{ISO},21.5\nw1,hum,{ISO},\nw2,temp,{ISO},-3\n", "text/csv"),
    "csv in other order": (
        f'\ufeffvalue,"time",point,device,quality\r\n21.5,{NOW},temp,w1,0\r\nNaN,{NOW},hum,w1,\r\n-3,{NOW},"temp",w2,0',
        "text/csv; charset=utf-8",
    ),
    "csv milliseconds": (
        "device,point,time,value\nw1,temp,1700000000000,21.5\nw1,hum,1700000000000,\nw2,temp,1700000000000,-3\n",
        "text/csv",
    ),
    "csv mixed times": (
        f"device,point,time,value\nw1,temp,1700000000,21.5\nw1,hum,{ISO},\nw2,temp,1700000000.0,-3\n", "text/csv"
    ),
    "arrow": (
        arrow(pa.table({
            "device": pa.array(["w1", "w1", "w2"]).dictionary_encode(), "point": ["temp", "hum", "temp"],
            "time": pa.array([NOW] * 3, pa.timestamp("us", "UTC")), "value": pa.array([21.5, None, -3.0]),
        })),
        "application/vnd.apache.arrow.stream",
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str, make_device: Make, send: Any, kept: Any) -> None:
    one, two = make_device("w1", ["temp", "hum"]), make_device("w2", ["temp"])
    body, kind = FORMS[form]
    answer = send(body, kind)
    assert (answer.status, answer.json) == (200, {"accepted": 3, "points": 3})
    assert answer.headers["X-Request-Id"] and answer.headers["Cache-Control"] == "no-store"
    assert kept() == [
        (numbers(one)["temp"], NOW, 21.5, 0), (numbers(one)["hum"], NOW, None, 0), (numbers(two)["temp"], NOW, -3.0, 0),
    ]  # fmt: skip


def test_lines(make_device: Make, send: Any, kept: Any) -> None:
    one, two = make_device("w1", ["temp", "on"]), make_device("w 2", ["temp"])
    body = (
        "# a comment\n"
        "weather,device=w1,city=x temp=21.5,on=true 1700000000000000000\n\n"
        "w\\ 2 temp=-3i 1700000000000000000\r\n"
    )
    assert send(body, "text/plain").json == {"accepted": 3, "points": 3}
    assert kept() == [
        (numbers(one)["temp"], NOW, 21.5, 0), (numbers(one)["on"], NOW, 1.0, 0), (numbers(two)["temp"], NOW, -3.0, 0),
    ]  # fmt: skip


def test_points_by_address_and_qualities(make_device: Make, send: Any, kept: Any) -> None:
    device = make_device("w1", ["temp"])
    send([{"device": "w1", "point": "a.temp", "time": NOW, "value": 1, "quality": 128}])
    assert kept() == [(numbers_by_address(device)["a.temp"], NOW, 1.0, 128)]


def test_nothing_of_a_batch_with_faults_is_taken_and_all_are_named(
    make_device: Make, send: Any, kept: Any
) -> None:
    make_device("w1", ["temp"])
    good = {"device": "w1", "point": "temp", "time": ISO, "value": 1}
    rows = [
        good, {**good, "device": "nobody"}, {**good, "point": "nothing"}, {**good, "time": "yesterday"},
        {**good, "value": "high"}, {**good, "time": "2023-11-15T06:13:20"}, {**good, "quality": 300},
        {"device": "w1"}, 7, {**good, "extra": 1}, {**good, "device": ""}, {**good, "value": True},
        {**good, "time": "12023-11-15T06:13:20Z"}, {**good, "time": True},
    ]  # fmt: skip
    answer = send(rows)
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/problem+json"
    assert answer.faults == {
        (2, "device", "unknown_device"), (3, "point", "unknown_point"), (4, "time", "time"), (5, "value", "number"),
        (6, "time", "time"), (7, "quality", "quality"), (8, "point", "missing"), (8, "time", "missing"),
        (8, "value", "missing"), (9, "", "object"),
          (10, "extra", "unknown"), (11, "device", "name"),
        (12, "value", "number"), (13, "time", "time"), (14, "time", "time"),
    }  # fmt: skip
    by_place = {(one["row"], one.get("column")): one for one in answer.json["errors"]}
    assert by_place[5, "value"]["pointer"] == "/4/value" and by_place[5, "value"]["value"] == "high"
    assert "15 faults" in answer.json["detail"]
    assert kept() == []


def test_faults_in_csv(make_device: Make, send: Any, kept: Any) -> None:
    make_device("w1", ["temp"])
    body = (
        f"device,point,time,value,quality\nw1,temp,{ISO},1,\nw1,temp,{ISO},1_0,\nw1,temp,?,2,\n,temp,{ISO},3,\n"
        f"w1,x,{ISO},3,\nw9,temp,{ISO},3,1.5\nw1,temp,99999999999999999999,1,\n"
    )
    answer = send(body, "text/csv", HTTP_ACCEPT_LANGUAGE="zh-CN")
    assert answer.faults == {
        (2, "value", "number"), (3, "time", "time"), (4, "device", "name"), (5, "point", "unknown_point"),
        (6, "device", "unknown_device"), (6, "quality", "quality"), (7, "time", "time_range"),
    }  # fmt: skip
    assert kept() == []


def test_faults_in_lines(make_device: Make, send: Any) -> None:
    make_device("w1", ["temp"])
    answer = send(
        'w1 temp=1 1700000000\nnonsense\nw1 temp="x",temp=2\nw1 other=3\nw1 temp=1,other=2', "text/plain"
    )
    assert answer.faults == {
        (2, "", "line"), (3, "temp", "number"), (4, "point", "unknown_point"), (5, "point", "unknown_point"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", "application/json", 400), ("{", "application/json", 400), ("7", "application/json", 400),
        ('{"device": ["w1"], "point": ["temp"], "time": [1, 2], "value": [1, 2]}', "application/json", 400),
        ('{"value": [1]}', "application/json", 422), ("", "text/csv", 422), ("a,b\n1,2\n", "text/csv", 422),
        ("device,point,time,value\nw1,temp\n", "text/csv", 400), ("device,point,time,value\n\0,,,\n", "text/csv", 400),
        ("device,point,time,value,value\n", "text/csv", 422),
        (b"\xff\xfe", "text/plain", 400), (b"ARROW1\0\0nonsense", "application/vnd.apache.arrow.stream", 400),
        (b"", "application/vnd.apache.arrow.stream", 400), (b"\0" * 100, "application/vnd.apache.arrow.stream", 400),
        ("[]", "application/xml", 415), ("[]", "", 415), (b"\xff\xff", "application/json", 400),
        ("[" * 5000, "application/json", 400), ('[{"device": "\\ud800"}]', "application/json", 400),
        (b"device,point,time,value\n\xff\xfe,temp,1,1\n", "text/csv", 400),
    ],
)  # fmt: skip
def test_what_cannot_be_read(
    body: Any, kind: str, status: int, make_device: Make, send: Any, kept: Any
) -> None:
    make_device("w1", ["temp"])
    answer = send(body, kind)
    assert answer.status == status and answer.json["title"]
    assert kept() == []


def test_arrow_without_zone_or_with_texts(make_device: Make, send: Any) -> None:
    make_device("w1", ["temp"])
    naive = pa.table(
        {"device": ["w1"], "point": ["temp"], "time": pa.array([NOW], pa.timestamp("us")), "value": [1.0]}
    )
    texts = pa.table({"device": ["w1"], "point": ["temp"], "time": [NOW], "value": ["1"]})
    for table in (naive, texts):
        answer = send(arrow(table), "application/vnd.apache.arrow.stream")
        assert answer.status == 400


def test_numbers_that_are_none_are_taken_and_left_to_be_marked(
    make_device: Make, send: Any, kept: Any
) -> None:
    make_device("w1", ["temp"])
    assert (
        send("device,point,time,value\nw1,temp,1700000000,inf\nw1,temp,1700000001,1e999\n", "text/csv").status
        == 200
    )
    assert [row[2] for row in kept()] == [float("inf")] * 2


def test_empty_batches(make_device: Make, send: Any, kept: Any) -> None:
    for body, kind in (
        ("[]", "application/json"),
        ("device,point,time,value\n", "text/csv"),
        ("\n", "text/plain"),
    ):
        assert send(body, kind).json == {"accepted": 0, "points": 0}
    assert kept() == []


def test_packed_bodies(make_device: Make, send: Any, kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_device("w1", ["temp"])
    body = gzip.compress(json.dumps([{"device": "w1", "point": "temp", "time": NOW, "value": 1}]).encode())
    assert send(body, HTTP_CONTENT_ENCODING="gzip").status == 200
    assert send(body[:-4], HTTP_CONTENT_ENCODING="gzip").status == 400
    assert send(b"no gzip", HTTP_CONTENT_ENCODING="gzip").status == 400
    assert send(body, HTTP_CONTENT_ENCODING="br").status == 415
    bomb = gzip.compress(b" " * (200 << 20), 1)
    assert send(bomb, HTTP_CONTENT_ENCODING="gzip").status == 413
    assert len(kept()) == 1


def test_too_much_at_once(make_device: Make, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_device("w1", ["temp"])
    assert send(b"[]", CONTENT_LENGTH=str(100 << 20)).status == 413
    for module in ("tables", "documents"):
        monkeypatch.setattr(f"yuanmai.devices.readings.{module}.MOST_ROWS", 2)
    row = {"device": "w1", "point": "temp", "time": NOW, "value": 1}
    assert send([row] * 3).status == 413
    assert send("device,point,time,value\n" + "w1,temp,1,1\n" * 3, "text/csv").status == 413
    assert send("w1 temp=1 1\n" * 3, "text/plain").status == 413
    assert send({name: [value] * 3 for name, value in row.items()}).status == 413


# --- who may send -----------------------------------------------------------------------------------------------------------

BATCH = [{"device": "w1", "point": "temp", "time": NOW, "value": 1}]


def test_without_the_right(
    make_device: Make, send: Any, make_user: Callable[..., User], make_token: Any, orgs: Orgs, kept: Any
) -> None:
    make_device("w1", ["temp"])
    auditor = make_user("auditor", orgs.north)
    narrow = make_token(make_user("operator", orgs.north), "devices.view")
    for token in (make_token(auditor), narrow):
        answer = send(BATCH, token=token)
        assert answer.status == 403 and answer.json["type"].endswith("denied")
    assert kept() == []


@pytest.mark.parametrize("token", ["", "ym_", "ym_abc_def", "nonsense", "ym_" + "x" * 4000, "é"])
def test_with_a_wrong_token(token: str, make_device: Make, send: Any) -> None:
    answer = send(BATCH, token=token)
    assert answer.status == 401 and "WWW-Authenticate" in answer.headers


def test_devices_of_others_do_not_exist(make_device: Make, send: Any, orgs: Orgs, kept: Any) -> None:
    make_device("w1", ["temp"], org=orgs.foreign)
    answer = send(BATCH)
    assert answer.status == 422 and answer.faults == {(1, "device", "unknown_device")}
    assert kept() == []


def test_one_code_in_several_organisations(
    make_device: Make, send: Any, orgs: Orgs, make_user: Any, make_token: Any, kept: Any
) -> None:
    mine = make_device("w1", ["temp"])
    make_device("w1", ["temp"], org=orgs.south)
    assert send(BATCH).status == 200 and kept()[0][0] == numbers(mine)["temp"]
    city = make_token(make_user("operator", orgs.city))
    assert send(BATCH, token=city).faults == {(1, "device", "ambiguous_device")}


def test_a_revoked_token_ends_within_seconds(
    make_device: Make, send: Any, bearer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device("w1", ["temp"])
    assert send(BATCH).status == 200
    from django.utils import timezone

    ApiToken.objects.update(revoked_at=timezone.now())
    clock = senders.time.monotonic()
    monkeypatch.setattr(senders.time, "monotonic", lambda: clock + senders.KNOWN_FOR + 0.1)
    assert senders.KNOWN_FOR <= 5
    assert send(BATCH).status == 401


def test_retired_devices_take_nothing_more(
    make_device: Make, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = make_device("w1", ["temp"])
    assert send(BATCH).status == 200
    with everywhere():
        Device.objects.filter(pk=device.pk).update(enabled=False)
    touch()
    monkeypatch.setattr("yuanmai.devices.readings.places.LOOK_EVERY", 0.0)
    assert send(BATCH).status == 422


def test_a_device_with_its_own_key(make_device: Make, send: Any, kept: Any) -> None:
    device = make_device("w1", ["temp"], secret="a-long-secret")
    make_device("w2", ["temp"])
    own = numbers(device)["temp"]
    assert send([{"point": "temp", "time": NOW, "value": 1}], token="a-long-secret").status == 200
    assert send("point,time,value\ntemp,1700000000,2\n", "text/csv", token="a-long-secret").status == 200
    assert send("temp temp=3 1700000000", "text/plain", token="a-long-secret").status == 200
    assert send(BATCH, token="a-long-secret").status == 200
    other = send([{**BATCH[0], "device": "w2"}], token="a-long-secret")
    assert other.faults == {(1, "device", "foreign_device")}
    assert {row[0] for row in kept()} == {own}


def test_codes_of_terminals_are_no_keys(make_device: Make, send: Any) -> None:
    make_device("t1", ["temp"], protocol="jt808", secret="SHORTCODE")
    assert send(BATCH, token="SHORTCODE").status == 401


# --- once, and when it does not work ------------------------------------------------------------------------------------------


def test_a_key_is_used_once(make_device: Make, send: Any, kept: Any) -> None:
    make_device("w1", ["temp"])
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    assert "Idempotency-Replayed" not in send(BATCH, **key).headers
    again = send(BATCH, **key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.json == {"accepted": 1, "points": 1}
    assert len(kept()) == 1
    assert send([{**BATCH[0], "value": 2}], **key).status == 422
    assert send(BATCH, HTTP_IDEMPOTENCY_KEY="x" * 200).status == 422


def test_a_full_disk_and_a_broken_journal(
    make_device: Make, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device("w1", ["temp"])
    for error, status in ((JournalFull("full"), 507), (JournalBroken("EIO"), 503), (OSError(5, "EIO"), 503)):
        with monkeypatch.context() as patch:
            patch.setattr(journaling, "write_durable", lambda *_a, e=error: _raise(e))
            answer = send(BATCH)
        assert answer.status == status and answer.headers["Retry-After"]
    assert send(BATCH).status == 200


def _raise(error: Exception) -> None:
    raise error


def test_far_behind(make_device: Make, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_device("w1", ["temp"])
    assert send(BATCH).status == 200
    monkeypatch.setattr(journaling, "MOST_WAITING", 1)
    monkeypatch.setattr(journaling, "LOOK_EVERY", 0.0)
    answer = send(BATCH)
    assert answer.status == 503 and answer.headers["Retry-After"]


def test_what_nobody_expected_is_said_without_details(
    make_device: Make, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yuanmai.devices.readings.shortcut.take", lambda *_a: _raise(RuntimeError("secret")))
    answer = send(BATCH)
    assert answer.status == 500 and b"secret" not in answer.body and answer.json["request_id"]


def test_the_declared_route_does_the_same(
    make_device: Make, bearer: str, client: Any, kept: Any, send: Any
) -> None:
    make_device("w1", ["temp"])
    for body, kind in (
        (json.dumps(BATCH), "application/json"),
        ("device,point,time,value\nw1,temp,1700000000,1\n", "text/csv"),
    ):
        told = client.post("/api/v1/readings", body, content_type=kind, HTTP_AUTHORIZATION=f"Bearer {bearer}")
        assert told.status_code == 200 and told.json() == {"accepted": 1, "points": 1}
    assert len(kept()) == 2
    wrong = [{**BATCH[0], "device": "x"}]
    told = client.post(
        "/api/v1/readings", json.dumps(wrong), content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {bearer}",
        HTTP_ACCEPT_LANGUAGE="en",
    )  # fmt: skip
    one, two = told.json(), send(wrong).json
    assert one | {"request_id": ""} == two | {"request_id": ""}
    assert client.post("/api/v1/readings", "[]", content_type="application/json").status_code == 401
