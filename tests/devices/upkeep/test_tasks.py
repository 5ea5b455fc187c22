"""The periodic work of the lake."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.devices.store.lake_help import open_lake, series
from yuanmai.devices.registry import lake as asked
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.upkeep import tasks

DAY = 86_400_000_000


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    lake = open_lake(tmp_path)
    questions = Queries(lake)
    monkeypatch.setattr(asked, "queries", lambda: questions)
    return lake


def days_ago(days: int) -> int:
    """Return the begin of a local day in µs."""
    local = timezone.localtime() - timedelta(days=days)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1_000_000


def test_rounds_sort_and_nights_compact(lake: Lake) -> None:
    lake.append(series(1, 24 * 60, days_ago(3)), {"a": 1})
    lake.append(series(2, 24 * 60, days_ago(3)), {"a": 2})
    assert "2" in tasks.lake_round()
    assert {file.level for file in lake.readings.snapshot().files} == {1}
    assert "2880" in tasks.lake_night()
    assert {file.level for file in lake.readings.snapshot().files} == {2}
    assert len(lake.hourly.snapshot().files) == 1


def test_a_round_leaves_the_work_to_one_under_way(lake: Lake) -> None:
    lake.append(series(1, 10, days_ago(3)), {"a": 1})
    lake.append(series(2, 10, days_ago(3)), {"a": 2})
    with lake.readings.files.lock("upkeep"):
        tasks.lake_round()
    assert [file.level for file in lake.readings.snapshot().files] == [0, 0]


def test_nights_remove_what_has_expired(lake: Lake, settings: object) -> None:
    settings.LAKE_RAW_DAYS = 10  # type: ignore[attr-defined]
    lake.append(series(1, 60, days_ago(20)), {"a": 1})
    lake.append(series(1, 60, days_ago(5)), {"a": 2})
    tasks.lake_night()
    begin, end = days_ago(30), days_ago(0)
    assert len(Queries(lake).raw([1], begin, end)) == 60
    assert len(Queries(lake).hours([1], begin, end)) == 2


def test_damage_is_an_error_that_names_the_file(lake: Lake) -> None:
    lake.append(series(1, 24 * 60, days_ago(3)), {"a": 1})
    tasks.lake_night()
    victim = lake.readings.snapshot().files[0]
    path = Path(lake.readings.files.root) / victim.path
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    with pytest.raises(RuntimeError, match=victim.path):
        tasks.lake_night()
    tasks.lake_night()
    assert lake.readings.snapshot().files == ()
