"""The devices of the demonstration: registered as they are simulated, with a week behind them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from yuanmai.core.scope import everywhere
from yuanmai.demo.load import create_accounts, create_organisations
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts import alarms, devices, history
from yuanmai.demo.simulators.park import clients
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.models import Alarm, AlarmState, Device, Point
from yuanmai.devices.queries import load_registry
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.people.presets_loader import ensure_roles
from yuanmai.places.models import Park

pytestmark = pytest.mark.django_db


@pytest.fixture
def registered() -> int:
    """The register with the devices of the demonstration; how many they are."""
    with everywhere():
        org = create_organisations()[preset("devices")["org"]]
        Park.objects.create(org=org, code=preset("devices")["park"], name="园区")
    return devices.load()


def test_every_simulated_client_is_registered_but_the_strangers(registered: int) -> None:
    assert registered == 27
    registry = load_registry()
    strangers = {
        preset("devices")["strangers"]["station"]["mn"],
        preset("devices")["strangers"]["sensor"]["name"],
    }
    for client in clients("", Stats()):
        key = str(
            getattr(client, "mn", None) or getattr(client, "phone", None) or getattr(client, "name", None)
        )
        protocol = "hj212" if hasattr(client, "mn") else "jt808" if hasattr(client, "phone") else "mqtt"
        assert (registry.find(protocol, key) is None) == (key in strangers), key


def test_loading_twice_changes_nothing(registered: int) -> None:
    assert devices.load() == 0
    with everywhere():
        assert Device.objects.count() == registered


def test_the_week_behind_has_a_gap_and_counts_once(registered: int, settings: Any, tmp_path: Path) -> None:
    settings.LAKE = str(tmp_path / "lake")
    now = timezone.now()
    count = history.load(now)
    assert count > 100_000
    assert history.load(now) == 0
    with everywhere():
        point = Point.objects.get(device__code=history.SILENT, address="a34002-Rtd")
    queries = Queries(Lake(settings.LAKE))
    rows = queries.raw([point.pk], now - timedelta(days=8), now + timedelta(hours=1))
    steps = {int(step) // 60_000_000 for step in rows.time[1:] - rows.time[:-1]}
    assert steps == {10, 370}


def test_the_week_behind_has_alarms_that_were_handled(settings: Any, tmp_path: Path) -> None:
    settings.LAKE = str(tmp_path / "lake")
    ensure_roles()
    with everywhere():
        orgs = create_organisations()
        Park.objects.create(org=orgs[preset("devices")["org"]], code=preset("devices")["park"], name="园区")
        create_accounts(orgs)
    devices.load()
    now = timezone.now()
    history.load(now)
    count = alarms.load(now)
    with everywhere():
        rows = list(Alarm.objects.select_related("device", "rule"))
        assert len(rows) == count and 10 <= count <= 60
        assert {(row.device.code, row.rule.code) for row in rows} >= {("ww-02", "ww-cod-early")}
        assert all(row.cleared_at is not None and row.cleared_at < now for row in rows)
        assert [row.state for row in rows].count(AlarmState.CLOSED) == count - 1
        answered = [row.answered_after for row in rows if row.answered_after is not None]
        assert len(answered) == count - 1 and all(60 < seconds < 3600 for seconds in answered)
        for row in rows:
            moments = list(row.steps.order_by("at", "id").values_list("at", flat=True))
            assert moments == sorted(moments) and moments[-1] <= now
            if row.closed_at is not None:
                assert row.raised_at <= row.recorded_at <= row.acknowledged_at <= row.closed_at <= now
