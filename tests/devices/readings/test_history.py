"""Readings read back through the interface."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.conftest import Orgs
from tests.devices.readings.test_sending import numbers
from yuanmai.devices.models import Device
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.store.readings import Readings

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
Make = Callable[..., Device]


def fill(lake: Lake, points: list[int], count: int, seconds: int = 60) -> None:
    """Readings of some points, `count` each, every so many seconds: 0, 1, 2 …"""
    time = int(BEGIN.timestamp() * 1e6) + np.arange(count, dtype=np.int64) * seconds * 1_000_000
    size = count * len(points)
    lake.append(
        Readings(
            np.repeat(np.array(points, np.int32), count), np.tile(time, len(points)),
            np.tile(np.arange(count, dtype=np.float64), len(points)), np.zeros(size, np.int16),
            np.tile(time, len(points)), np.arange(size, dtype=np.int64),
        ),
        {"s": size},
    )  # fmt: skip


@pytest.fixture
def ask(client: Any, bearer: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``ask(device="w1", …)``: the answer to a question of the test's own lake."""
    lake = Lake(str(tmp_path / "lake"))
    opened = Queries(lake)
    monkeypatch.setattr("yuanmai.devices.readings.history.queries", lambda: opened)

    def call(**parameters: Any) -> Any:
        parameters = {
            "begin": BEGIN.isoformat(),
            "end": (BEGIN + timedelta(days=1)).isoformat(),
            **parameters,
        }
        return client.get("/api/v1/readings", parameters, HTTP_AUTHORIZATION=f"Bearer {bearer}")

    call.lake = lake  # type: ignore[attr-defined]
    return call


def test_pages_hold_everything_once(make_device: Make, ask: Any) -> None:
    device = make_device("w1", ["hum", "temp"])
    fill(ask.lake, sorted(numbers(device).values()), 1000)
    rows: list[dict[str, Any]] = []
    begin: str | None = BEGIN.isoformat()
    pages = 0
    while begin:
        told = ask(device="w1", begin=begin, limit=301).json()
        rows += told["rows"]
        begin, pages = told["next"], pages + 1
        assert pages < 20
    assert pages == 7
    assert len({(row["point"], row["time"]) for row in rows}) == len(rows) == 2000
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert rows[0] == rows[0] | {"device": "w1", "value": 0.0, "quality": 0}


def test_the_span_is_exact_and_points_are_chosen(make_device: Make, ask: Any) -> None:
    device = make_device("w1", ["hum", "temp"])
    fill(ask.lake, list(numbers(device).values()), 100)
    told = ask(
        device="w1", point="temp", begin=(BEGIN + timedelta(minutes=10)).isoformat(),
        end=(BEGIN + timedelta(minutes=13)).isoformat(),
    ).json()  # fmt: skip
    assert [(row["point"], row["value"]) for row in told["rows"]] == [
        ("temp", 10.0),
        ("temp", 11.0),
        ("temp", 12.0),
    ]
    assert told["next"] is None


def test_hours_and_days(make_device: Make, ask: Any) -> None:
    device = make_device("w1", ["temp"])
    fill(ask.lake, [numbers(device)["temp"]], 180)
    rows = ask(device="w1", step="hour").json()["rows"]
    assert [(row["mean"], row["minimum"], row["maximum"], row["n"]) for row in rows] == [
        (29.5, 0.0, 59.0, 60), (89.5, 60.0, 119.0, 60), (149.5, 120.0, 179.0, 60),
    ]  # fmt: skip
    assert ask(device="w1", step="day").json()["rows"][0]["n"] == 180


@pytest.mark.parametrize("step", ["raw", "hour"])
def test_files(make_device: Make, ask: Any, step: str) -> None:
    device = make_device("w1", ["temp", "hum"])
    fill(ask.lake, list(numbers(device).values()), 300)
    end = (BEGIN + timedelta(days=3)).isoformat()
    told = ask(device="w1", step=step, format="csv", end=end)
    assert told["Content-Type"].startswith("text/csv") and "w1" in told["Content-Disposition"]
    body = b"".join(told.streaming_content)
    table = pa.csv.read_csv(io.BytesIO(body.removeprefix(b"\xef\xbb\xbf")))
    parquet = b"".join(ask(device="w1", step=step, format="parquet", end=end).streaming_content)
    other = pa.parquet.read_table(io.BytesIO(parquet))
    assert len(table) == len(other) == (600 if step == "raw" else 10)
    assert table.schema.names == other.schema.names
    assert set(other["point"].to_pylist()) == {"temp", "hum"}
    column = "value" if step == "raw" else "mean"
    assert table[column].to_pylist() == other[column].to_pylist()


@pytest.mark.parametrize(
    ("parameters", "status", "rule"),
    [
        ({"device": "nobody"}, 404, None), ({"device": "w1", "point": "nothing,temp"}, 422, "unknown_point"),
        ({"device": "w1", "end": BEGIN.isoformat()}, 422, "span"), ({"device": "w1", "begin": "2020-01-01T00:00:00Z"}, 422, "span"),
        ({"device": "w1", "begin": "2026-02-28T00:00:00"}, 422, "zone"), ({"device": "w1", "step": "week"}, 422, "literal_error"),
        ({"device": "w1", "limit": 0}, 422, None), ({}, 422, "missing"), ({"device": "w1", "colour": "red"}, 422, "unknown"),
    ],
)  # fmt: skip
def test_wrong_questions(
    parameters: dict[str, Any], status: int, rule: str | None, make_device: Make, ask: Any
) -> None:
    make_device("w1", ["temp"])
    told = ask(**parameters)
    assert told.status_code == status
    if rule:
        assert rule in {one["rule"] for one in told.json()["errors"]}


def test_devices_of_others_are_not_there(make_device: Make, ask: Any, orgs: Orgs) -> None:
    device = make_device("w1", ["temp"], org=orgs.foreign)
    fill(ask.lake, [numbers(device)["temp"]], 10)
    assert ask(device="w1").status_code == 404


def test_the_number_of_queries_does_not_grow(
    make_device: Make, ask: Any, django_assert_max_num_queries: Any
) -> None:
    device = make_device("w1", [f"p{number}" for number in range(60)])
    fill(ask.lake, list(numbers(device).values()), 5)
    ask(device="w1")
    with django_assert_max_num_queries(12):
        assert len(ask(device="w1").json()["rows"]) == 300
