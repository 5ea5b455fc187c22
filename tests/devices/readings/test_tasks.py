"""The disk that fills and the ingest process that falls behind are said aloud."""

from __future__ import annotations

import json
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from yuanmai.devices.readings import tasks
from yuanmai.devices.readings.tasks import Alarm, readings_way

Space = namedtuple("Space", "total used free")


@pytest.fixture
def healthy(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, english: None) -> dict[str, Any]:
    """What the ingest process tells; `disk` is how much of a hundred is used."""
    settings.JOURNAL_ROOT = tmp_path / "journal"
    settings.JOURNAL_ROOT.mkdir()
    told: dict[str, Any] = {
        "at": time.time(),
        "troubles": {},
        "lag_seconds": 0.0,
        "backlog_records": 4,
        "disk": 50,
    }
    monkeypatch.setattr(
        tasks.shutil, "disk_usage", lambda _path: Space(100, told["disk"], 100 - told["disk"])
    )
    return told


def tell(settings: Any, told: dict[str, Any]) -> None:
    (settings.JOURNAL_ROOT / tasks.HEALTH).write_text(json.dumps(told))


def test_all_is_well(healthy: dict[str, Any], settings: Any) -> None:
    assert "50 %" in readings_way()
    tell(settings, healthy)
    assert "4 records wait" in readings_way()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"disk": 85}, "85 % full. Make room, or"), ({"disk": 95}, "95 % full. Soon"),
        ({"at": 1.0}, "no sign"), ({"troubles": {"lake": "OSError: full"}}, "lake: OSError"),
        ({"lag_seconds": 500.0}, "wait for 500 s"),
    ],
)  # fmt: skip
def test_what_needs_somebody(
    change: dict[str, Any], said: str, healthy: dict[str, Any], settings: Any
) -> None:
    healthy.update(change)
    tell(settings, healthy)
    with pytest.raises(Alarm, match=said):
        readings_way()
