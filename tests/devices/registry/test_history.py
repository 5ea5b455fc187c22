"""The history of points: gaps, excluded readings, hours and days, files; 30 days of readings in the time of a page."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.curve import drawn, thinned
from yuanmai.devices.engine.quality import FLAGGED, GOOD, RANGE
from yuanmai.devices.models import Device, Point
from yuanmai.devices.registry import lake as lake_of_pages
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings
from yuanmai.people.models import User

SECOND = 1_000_000
Make = Callable[..., Device]


def at(moment: datetime) -> int:
    return int(moment.timestamp() * SECOND)


def columns(rows: list[tuple[int, int, float, int]]) -> Readings:
    point, moment, value, quality = (np.array(column) for column in zip(*rows, strict=True))
    return Readings(
        point.astype(np.int32), moment.astype(np.int64), value.astype(float), quality.astype(np.int16), moment.astype(np.int64),
        np.arange(1, len(rows) + 1, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """An empty lake, which the pages ask."""
    monkeypatch.setenv("YUANMAI_LAKE", str(tmp_path / "lake"))
    lake_of_pages._open.cache_clear()
    yield Lake(str(tmp_path / "lake"))
    lake_of_pages._open.cache_clear()


@pytest.fixture
def client(client_as: Callable[..., Client], make_user: Callable[..., User], orgs: Orgs) -> Client:
    """The operator's browser."""
    return client_as(make_user("operator", orgs.north))


def test_a_line_breaks_where_readings_are_missing_and_nowhere_else() -> None:
    times = np.array([0, 10, 20, 30, 40, 50, 60, 200, 210, 230, 240], np.int64) * SECOND
    curve = drawn(times, np.arange(11.0))
    assert curve.expected == 10 * SECOND
    assert curve.gaps.tolist() == [[60 * SECOND, 200 * SECOND]]  # the single missing one at 220 is no gap
    assert np.flatnonzero(np.isnan(curve.value)).tolist() == [7]
    assert curve.time[7] == 130 * SECOND


def test_a_change_of_the_interval_is_no_gap() -> None:
    slow, fast = np.arange(0, 60_000, 600), np.arange(60_000, 62_000, 10)
    again = np.arange(62_000, 90_000, 600)
    times = np.concatenate([slow, fast, again]).astype(np.int64)
    missing = (times > 20_000) & (times < 25_000)  # among the slow ones
    outage = (times > 61_000) & (times < 61_500)  # among the fast ones
    curve = drawn(times[~missing & ~outage] * SECOND, np.zeros(int((~missing & ~outage).sum())))
    assert (curve.gaps // SECOND).tolist() == [[19_800, 25_200], [61_000, 61_500]]
    assert curve.expected == 10 * SECOND


def test_few_readings_tell_no_interval_and_have_no_gap() -> None:
    curve = drawn(np.array([0, 10, 900], np.int64) * SECOND, np.arange(3.0))
    assert (curve.expected, len(curve.gaps)) == (0, 0)


def test_thinning_keeps_extremes_and_gaps() -> None:
    value = np.zeros(10_000)
    value[4321], value[8765], value[5000] = 99.0, -99.0, np.nan
    places = thinned(np.arange(10_000), value, 600)
    assert len(places) < 1_000
    assert {4321, 8765, 5000} <= set(places.tolist())
    assert (np.diff(places) > 0).all()


@pytest.mark.django_db
def test_the_chart_shows_gaps_and_marks_what_is_excluded(
    client: Client, make_device: Make, orgs: Orgs, lake: Lake
) -> None:
    device = make_device(orgs.north)
    with everywhere():
        point = Point.objects.get(device=device, code="power")
        other = Point.objects.get(device=device, code="voltage")
    now = timezone.now().replace(microsecond=0)
    rows = []
    for n in range(600):
        moment = now - timedelta(seconds=30 * (600 - n))
        if 200 <= n < 240:
            continue
        rows.append((point.pk, at(moment), 60.0 + n % 5, RANGE if n in (10, 400) else GOOD))
        rows.append((other.pk, at(moment), 230.0, FLAGGED if n == 5 else GOOD))
    lake.append(columns(rows), {"journal:test": 1})
    url = reverse("devices:history_data", args=[device.pk])
    told = client.get(url, {"point": ["power", "voltage"], "range": "24h"}).json()
    voltage, power = told["series"]  # in the order of the device
    assert (power["code"], power["count"], power["left_out"], power["interval"]) == ("power", 560, 2, 30.0)
    assert len(power["gaps"]) == 1
    assert power["value"].count(None) == 3  # the middle of the gap, and two excluded ones
    assert {value for _t, value, _why in power["excluded"]} == {60.0}
    assert "plausible" in power["excluded"][0][2]
    assert voltage["left_out"] == 1
    assert told["offset"] == 8 * 3_600_000
    page = client.get(reverse("devices:history", args=[device.pk]), {"point": "power"}).content.decode()
    assert "<ym-history" in page
    assert "(60.0)" in page  # the table behind the chart has the excluded ones in brackets
    hours = client.get(url, {"point": "power", "range": "24h", "step": "hour"}).json()["series"][0]
    assert all(
        low <= value <= high
        for low, value, high in zip(hours["low"], hours["value"], hours["high"], strict=True)
        if value is not None
    )
    assert sum(n or 0 for n in hours["number"]) == 558


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "2026-11-22", "to": "2026-11-01"}, "first day"), ({"from": "no day"}, "first day"), ({"range": "24h", "step": "year"}, "raw, hour"),
        ({"from": "2020-01-01", "to": "2026-11-01", "step": "raw"}, "At most 62 days"),
    ],
)  # fmt: skip
def test_impossible_spans_are_refused_in_words(
    client: Client, make_device: Make, orgs: Orgs, lake: Lake, query: dict[str, str], words: str
) -> None:
    device = make_device(orgs.north)
    answer = client.get(reverse("devices:history_data", args=[device.pk]), query)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    page = client.get(reverse("devices:history", args=[device.pk]), query)
    assert page.status_code == 200
    assert words in page.content.decode()


@pytest.mark.django_db
def test_foreign_histories_do_not_exist(client: Client, make_device: Make, orgs: Orgs, lake: Lake) -> None:
    foreign = make_device(orgs.foreign)
    for name in ("history", "history_data", "history_export"):
        assert client.get(reverse(f"devices:{name}", args=[foreign.pk])).status_code == 404
    assert client.get(f"/api/v1/devices/{foreign.pk}/history").status_code == 404


@pytest.mark.django_db
def test_the_files_hold_every_reading(client: Client, make_device: Make, orgs: Orgs, lake: Lake) -> None:
    device = make_device(orgs.north, code="L-1")
    with everywhere():
        point = Point.objects.get(device=device, code="power")
    start = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)  # midnight of the 2nd in Shanghai
    rows = [
        (point.pk, at(start + timedelta(minutes=10 * n)), float(n), RANGE if n == 3 else GOOD)
        for n in range(2_000)
    ]
    lake.append(columns(rows), {"journal:test": 1})
    url = reverse("devices:history_export", args=[device.pk])
    query = {"point": "power", "from": "2026-10-02", "to": "2026-10-20", "step": "raw"}
    response = client.get(url, {**query, "format": "csv"})
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(lines) == 2_000
    assert lines[0]["time"] == "2026-10-02 00:00:00"
    assert (lines[3]["value"], lines[3]["excluded"], lines[4]["excluded"]) == ("3", "true", "false")
    response = client.get(url, {**query, "format": "parquet"})
    table = pq.read_table(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]
    assert table.num_rows == 2_000
    assert set(table.column("point").to_pylist()) == {"power"}
    assert table.column("time")[0].as_py() == start
    assert client.get(url, {**query, "format": "exe"}).status_code == 404
    days = client.get(url, {**query, "step": "day", "format": "csv"})
    lines = list(csv.DictReader(io.StringIO(b"".join(days.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert sum(int(line["number"]) for line in lines) == 1_999


@pytest.mark.django_db
def test_thirty_days_of_readings_come_in_the_time_of_a_page(
    client: Client, make_device: Make, orgs: Orgs, lake: Lake
) -> None:
    device = make_device(orgs.north)
    with everywhere():
        points = list(Point.objects.filter(device=device))
    end = at(timezone.now())
    number = 30 * 86_400 // 30
    moments = end - np.arange(number, 0, -1, dtype=np.int64) * 30 * SECOND
    point = np.repeat(np.array([p.pk for p in points], np.int32), number)
    whole = np.tile(moments, len(points))
    value = np.random.default_rng(1).normal(60, 5, len(whole))
    lake.append(
        Readings(
            point,
            whole,
            value,
            np.zeros(len(whole), np.int16),
            whole,
            np.arange(1, len(whole) + 1, dtype=np.int64),
        ),
        {"journal:test": 1},
    )
    url = reverse("devices:history_data", args=[device.pk])
    query = {"point": "power", "range": "30d", "step": "raw"}
    client.get(url, query)
    took = []
    for _try in range(5):
        begin = time.process_time()
        answer = client.get(url, query)
        took.append(time.process_time() - begin)
        assert answer.json()["series"][0]["count"] > 86_000
    assert min(took) < 0.3, took


@pytest.mark.django_db
def test_the_readings_of_yesterday_are_counted_by_local_days(
    make_device: Make, orgs: Orgs, lake: Lake
) -> None:
    from yuanmai.core.figures import Query, evaluate

    device, foreign = make_device(orgs.north), make_device(orgs.foreign)
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [
        today - timedelta(days=1),
        today - timedelta(seconds=1),
        today,
        today - timedelta(days=1, seconds=1),
        today - timedelta(hours=5),
    ]
    rows = []
    with everywhere():
        for one in (device, foreign):
            point = Point.objects.get(device=one, code="power")
            rows += [
                (point.pk, at(moment), 1.0, RANGE if n == 4 else GOOD) for n, moment in enumerate(moments)
            ]
        lake.append(columns(rows), {"journal:test": 1})
        query = Query(orgs.below(orgs.north), timezone.localdate())
        assert evaluate("devices.readings_yesterday", query).value == 3
